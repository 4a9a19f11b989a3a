//! How often memory is allocated where every frame passes: not at all, once buffers have their
//! size.
//!
//! What does allocate is counted and bounded here, by what causes it: a receive that waits gives
//! its buffer back and so pays for another, `recv_bytes` pays for each read, a session for each
//! datagram that it queues.
#![allow(clippy::unwrap_used, reason = "tests")]

mod codecs;
mod datagrams;
mod senders;
mod streams;
mod watched;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use allocation_counter::measure;
use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec};

/// Every codec that has a name of its own kind.
const CODECS: [&str; 6] = ["raw", "line", "struct:<I", "struct:>H", "json", "json:bare"];

/// A frame that every codec carries.
const FRAME: &[u8; 64] = br#"{"text":"64 bytes, so that many of them go into one small read"}"#;

/// The most allocations for a receive that waits: what arrived of a frame goes to a buffer of its
/// size, there is a timer for the rest of it, and the next read has a buffer of its own again.
const WAIT: u64 = 3;

fn codec(name: &str) -> BoxCodec {
    name.parse().unwrap()
}

/// [`FRAME`] so many times, as it goes on the wire.
fn wire<C: Codec>(codec: &mut C, frames: usize) -> BytesMut {
    let mut wire = BytesMut::new();
    for _ in 0..frames {
        codec.encode(FRAME, &mut wire).unwrap();
    }
    wire
}

/// What `work` gives, and how many allocations were made while it was polled. Those of other tasks
/// do not count.
async fn counted<T>(work: impl Future<Output = T>) -> (T, u64) {
    let (mut work, mut allocations) = (pin!(work), 0);
    let done = poll_fn(|cx| {
        let mut answer = Poll::Pending;
        let info = measure(|| answer = work.as_mut().poll(cx));
        allocations += info.count_total;
        answer
    });
    (done.await, allocations)
}
