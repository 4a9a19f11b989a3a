//! `Framed` over a socket that is always ready.

use std::hint::black_box;

use socketry_codec::{BoxCodec, Codec, Framed, Line};
use socketry_transport::{BoxSocket, Socket};
use tokio::runtime::Builder;

use super::codecs::{sized, wire};
use super::{Case, frame};
use crate::endless::Endless;

/// The length of a frame, in bytes.
const SIZE: usize = 64;
/// How many frames are received or fed in one round: some 70 reads or writes of 64 KiB.
const FRAMES: u32 = 1 << 16;
/// How many frames the socket copies at once. They are few for the same reason as with a `Reader`.
const PIECE: u32 = 16;

pub(crate) fn cases() -> Vec<Case> {
    let little = || over(sized("<I"));
    let line = || over(Line::new());
    vec![
        case("recv struct:<I", little, receive),
        case("recv line", line, receive),
        case("recv boxed struct:<I", boxed, receive),
        case("recv_many struct:<I", little, receive_many),
        case("recv_many line", line, receive_many),
        case("recv_many boxed struct:<I", boxed, receive_many),
        case("recv_bytes struct:<I", little, keep),
        case("recv_many_bytes struct:<I", little, keep_many),
        case("feed struct:<I", little, feed),
        case("feed line", line, feed),
        case("feed boxed struct:<I", boxed, feed),
        case("feed_many struct:<I", little, feed_many),
        case("feed_many line", line, feed_many),
        case("feed_many boxed struct:<I", boxed, feed_many),
        case("Sender struct:<I", little, put),
    ]
}

fn case<F: 'static>(what: &str, framed: fn() -> F, run: fn(F, u32)) -> Case {
    let name = format!("Framed {what} {SIZE} B");
    Case::new(name, FRAMES, move |rounds| run(framed(), rounds * FRAMES))
}

fn over<C: Codec>(mut codec: C) -> Framed<Endless, C> {
    Framed::new(endless(&mut codec), codec)
}

fn boxed() -> Framed<BoxSocket> {
    let mut codec: BoxCodec = Box::new(sized("<I"));
    Framed::new(BoxSocket::new(endless(&mut codec)), codec)
}

fn endless<C: Codec>(codec: &mut C) -> Endless {
    Endless::new(&wire(codec, &frame(SIZE), PIECE))
}

/// A runtime with neither a network nor timers, since nothing here waits.
fn block_on<F: Future>(work: F) -> F::Output {
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(work)
}

fn receive<S: Socket, C: Codec>(mut framed: Framed<S, C>, frames: u32) {
    block_on(async {
        for _ in 0..frames {
            black_box(framed.recv().await.unwrap());
        }
    });
}

fn receive_many<S: Socket, C: Codec>(mut framed: Framed<S, C>, frames: u32) {
    block_on(async {
        let mut left = frames as usize;
        while left > 0 {
            for frame in framed.recv_many(left).await.unwrap().unwrap() {
                black_box(frame);
                left -= 1;
            }
        }
    });
}

fn keep<S: Socket, C: Codec>(mut framed: Framed<S, C>, frames: u32) {
    block_on(async {
        for _ in 0..frames {
            black_box(framed.recv_bytes().await.unwrap());
        }
    });
}

fn keep_many<S: Socket, C: Codec>(mut framed: Framed<S, C>, frames: u32) {
    let mut kept = Vec::new();
    block_on(async {
        let mut left = frames as usize;
        while left > 0 {
            left -= framed.recv_many_bytes(&mut kept, left).await.unwrap();
            black_box(&mut kept).clear();
        }
    });
}

fn feed<S: Socket, C: Codec>(mut framed: Framed<S, C>, frames: u32) {
    let frame = frame(SIZE);
    block_on(async {
        for _ in 0..frames {
            framed.feed(black_box(&frame)).await.unwrap();
        }
        framed.flush().await.unwrap();
    });
}

fn feed_many<S: Socket, C: Codec>(mut framed: Framed<S, C>, frames: u32) {
    let frame = frame(SIZE);
    block_on(async {
        let frames = (0..frames).map(|_| black_box(&frame));
        framed.feed_many(frames).await.unwrap();
        framed.flush().await.unwrap();
    });
}

fn put<S: Socket, C: Codec>(framed: Framed<S, C>, frames: u32) {
    let frame = frame(SIZE);
    block_on(async {
        let sender = framed.into_sender();
        for _ in 0..frames {
            sender.send(black_box(&frame)).await.unwrap();
        }
        sender.flush().await.unwrap();
    });
}
