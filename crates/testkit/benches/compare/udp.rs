//! Datagrams over UDP: one flow of 1,200 bytes each, and 1,000 peers of 64 bytes.
//!
//! *Flow.* One thread sends the same 50 datagrams again and again, as one run of 60,000 bytes on
//! sides that have runs. The other thread receives for a while and then stops the sender. All
//! sockets have the system's default buffers. UDP loses datagrams that come too fast, so only those
//! that arrived count, each with its length and sum. All sides wait with tokio, one runtime for
//! each thread.
//!
//! *Sessions.* A client of 1,000 sockets sends a datagram from each and waits for all answers,
//! again and again; the server echoes them. The server asks for a receive buffer of 1 MiB, so that
//! all fit. The figure is its *CPU time* for each datagram, the first 1,000 datagrams included. By
//! hand it is one loop with a map from the address to a count: over tokio's `recv_from` and
//! `send_to`, and, for comparison, over a blocking socket. Our side has one task for each session,
//! all of them on one thread.

mod flow;
mod sessions;

use crate::contest::Contest;

pub(crate) fn contests() -> Vec<Contest> {
    vec![flow::contest(), sessions::contest()]
}
