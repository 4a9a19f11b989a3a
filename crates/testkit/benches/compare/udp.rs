//! Datagrams over UDP: one flow of 1,200 bytes each, and 1,000 peers of 64 bytes.
//!
//! *Flow.* One thread sends the same 50 datagrams again and again, as one run of 60,000 bytes where the side has runs; the other
//! receives for a while and then stops it. All sockets have the system's default buffers. UDP loses what comes too fast, so what
//! counts is what arrived, each with its length and sum. Readiness is tokio's on all sides, one runtime a thread.
//!
//! *Sessions.* A client of 1,000 sockets has 100 datagrams under way at a time, and the server echoes each. What is measured is
//! the *server's CPU time* a datagram, its 1,000 first meetings included. By hand is one loop with a map from the address to a
//! count: over tokio's `recv_from` and `send_to`, and, for comparison, over blocking sockets.

mod flow;
mod sessions;

use crate::contest::Contest;

pub(crate) fn contests() -> Vec<Contest> {
    vec![flow::contest(), sessions::contest()]
}
