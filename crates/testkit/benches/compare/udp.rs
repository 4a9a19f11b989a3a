//! Datagrams over UDP: one flow of 1,200 bytes each, and 1,000 peers of 64 bytes.
//!
//! *Flow.* One thread sends the same 50 datagrams again and again, as one run of 60,000 bytes where
//! the side has runs; the other receives for a while and then stops it. All sockets have the
//! system's default buffers. UDP loses what comes too fast, so what counts is what arrived, each
//! with its length and sum. Readiness is tokio's on all sides, one runtime a thread.
//!
//! *Sessions.* A client of 1,000 sockets sends a datagram from each and waits for them all, again
//! and again, and the server echoes them. The server asks for a receive buffer of 1 MiB, so that
//! they fit. What is measured is its *CPU time* a datagram, the 1,000 first meetings included. By
//! hand is one loop with a map from the address to a count: over tokio's `recv_from` and `send_to`,
//! and, for comparison, over a blocking socket. Ours has one task for each session, all of them on
//! one thread.

mod flow;
mod sessions;

use crate::contest::Contest;

pub(crate) fn contests() -> Vec<Contest> {
    vec![flow::contest(), sessions::contest()]
}
