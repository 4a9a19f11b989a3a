//! How often memory is allocated on the path of every frame: never, once the buffers have their
//! size.
//!
//! The other allocations are counted and bounded here by their causes. A receive that waits gives
//! its buffer back, and so needs another one. `recv_bytes` allocates for each read, and a session
//! for each datagram in its queue.
#![allow(clippy::unwrap_used, reason = "tests")]

mod codecs;
mod datagrams;
mod endpoints;
mod senders;
mod streams;
mod values;
mod watched;

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use allocation_counter::measure;
use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec};

/// A codec of every kind that has a name.
const CODECS: [&str; 6] = ["raw", "line", "struct:<I", "struct:>H", "json", "json:bare"];

/// A frame that every codec carries.
const FRAME: &[u8; 64] = br#"{"text":"64 bytes, so that many of them go into one small read"}"#;

/// The most allocations for a receive that waits. The bytes of an unfinished frame get a buffer of
/// their size, the rest of the frame has a timer, and the next read has a buffer again.
const WAIT: u64 = 3;

fn codec(name: &str) -> BoxCodec {
    name.parse().unwrap()
}

/// [`FRAME`] as many times as `frames`, encoded.
fn wire<C: Codec>(codec: &mut C, frames: usize) -> BytesMut {
    let mut wire = BytesMut::new();
    for _ in 0..frames {
        codec.encode(FRAME, &mut wire).unwrap();
    }
    wire
}

/// The result of `work`, and how many allocations happened while it was polled. Those of other
/// tasks do not count.
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
