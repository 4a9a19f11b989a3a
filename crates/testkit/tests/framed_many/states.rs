//! Other states of a conversation: bodies, deadlines, a change of codec.

use std::time::Duration;

use socketry_codec::{FrameFault, Framed, Line, Raw, Struct};
use socketry_testkit::Script;
use tokio::time::{Instant, timeout};

use super::{encoded, encoded_by};

/// Two frames, a header, and a body that looks like frames.
fn with_body() -> (Vec<u8>, Vec<u8>) {
    let body = encoded(&[b"no frame", b"nor this"]);
    let wire = [
        encoded(&[b"one", b"two", b"header"]),
        body.clone(),
        encoded(&[b"after"]),
    ];
    (wire.concat(), body)
}

#[tokio::test]
async fn a_body_is_that_of_the_last_frame_that_was_taken() {
    let (wire, body) = with_body();
    for many in [false, true] {
        for size in [1, 7, 10, 1000] {
            let socket = Script::stream().arriving(wire.chunks(size));
            let mut framed = Framed::new(socket, Struct::default());
            loop {
                if many {
                    let frames = framed.recv_many(9).await.unwrap().unwrap();
                    // `any` stops after the header.
                    if frames.into_iter().any(|frame| frame == b"header") {
                        break;
                    }
                } else if framed.recv_bytes().await.unwrap().unwrap() == b"header"[..] {
                    break;
                }
            }
            let mut chunks = framed.body(body.len() as u64).unwrap();
            let mut arrived = chunks.chunk().await.unwrap().unwrap().to_vec();
            if framed.body_left() > 0 {
                let error = framed.recv_many(9).await.unwrap_err();
                assert!(matches!(error.fault(), FrameFault::BodyUnread(_)));
            }
            while let Some(chunk) = framed.rest_of_body().chunk().await.unwrap() {
                arrived.extend_from_slice(chunk);
            }
            assert_eq!(arrived, body);
            let mut rest = framed.recv_many(9).await.unwrap().unwrap();
            assert_eq!(rest.next().unwrap(), b"after");
        }
    }
}

/// The codec has scanned the bytes after its header, and keeps no state from that.
#[tokio::test]
async fn a_body_of_lines_that_were_seen_ahead() {
    let socket = Script::stream().arriving([&b"header\nbo\ndy of 1"[..], b"7 bytes\nnext\n"]);
    let mut framed = Framed::new(socket, Line::new());
    let mut frames = framed.recv_many(9).await.unwrap().unwrap();
    assert_eq!(frames.next().unwrap(), b"header");
    drop(frames);
    framed.body(18).unwrap().drain().await.unwrap();
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"next");
}

#[tokio::test]
async fn a_body_is_too_late_behind_a_receive_that_found_no_frame() {
    let wire = encoded(&[b"header"]);
    let socket = Script::stream().arriving([&wire[..], b"\x01"]).open();
    let mut framed = Framed::new(socket, Struct::default());
    assert_eq!(framed.recv_many(9).await.unwrap().unwrap().count(), 1);
    let waited = timeout(Duration::from_millis(1), framed.recv_many(9)).await;
    assert!(waited.is_err());
    let error = framed.body(1).unwrap_err();
    assert!(matches!(error.fault(), FrameFault::BodyLate), "{error}");
}

#[tokio::test]
async fn another_codec_takes_over_behind_the_last_frame_that_was_taken() {
    let mut wire = encoded_by(&mut Line::new(), &["hello", "upgrade", "x"]);
    wire.truncate(wire.len() - 2);
    wire.extend(encoded(&[b"\nbinary\n"]));
    let socket = Script::stream().arriving([&wire[..]]);
    let mut lines = Framed::new(socket, Line::new());
    let frames = lines.recv_many(9).await.unwrap().unwrap();
    assert!(frames.into_iter().any(|line| line == b"upgrade"));
    let mut binary = lines.with_codec(Struct::default()).unwrap();
    assert_eq!(binary.recv().await.unwrap().unwrap(), b"\nbinary\n");
}

#[tokio::test]
async fn parts_hold_the_frames_that_were_not_taken() {
    let wire = encoded(&[b"one", b"two", b"three"]);
    let socket = Script::stream().arriving([&wire[..]]);
    let mut framed = Framed::new(socket, Struct::default());
    let mut frames = framed.recv_many(9).await.unwrap().unwrap();
    assert_eq!(frames.next().unwrap(), b"one");
    drop(frames);
    let parts = framed.into_parts().unwrap();
    assert_eq!(parts.received, wire[7..]);
    let (mut recv, _send) = Framed::from_parts(parts).split();
    assert_eq!(recv.recv_many(1).await.unwrap().unwrap().count(), 1);
    // The bytes that are left stay with the receiving half.
    let mut raw = recv.with_codec(Raw).unwrap();
    assert_eq!(raw.recv().await.unwrap().unwrap(), &wire[14..]);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_frame_runs_behind_those_of_its_batch() {
    let wire = [&encoded(&[b"one", b"two"])[..], b"\x05"].concat();
    let socket = Script::stream().arriving([&wire[..]]).open();
    let limit = Duration::from_secs(3);
    let mut framed = Framed::new(socket, Struct::default()).frame_time(Some(limit));
    assert_eq!(framed.recv_many(9).await.unwrap().unwrap().count(), 2);
    let begun = Instant::now();
    let error = framed.recv_many(9).await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::TimedOut(_)), "{error}");
    assert_eq!(begun.elapsed(), limit);
    assert!(framed.recv_many(9).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn between_batches_there_is_no_hurry() {
    let wire = encoded(&[b"one", b"two"]);
    let socket = Script::stream().arriving([&wire[..]]).open();
    let mut framed = Framed::new(socket, Struct::default());
    assert_eq!(framed.recv_many(9).await.unwrap().unwrap().count(), 2);
    let waiting = timeout(Duration::from_secs(3600), framed.recv_many(9));
    assert!(waiting.await.is_err());
}
