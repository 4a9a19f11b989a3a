//! Bodies: the announced number of bytes after a frame, read and written in all ways.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, ErrorKind};

use bytes::BytesMut;
use futures_util::FutureExt;
use socketry_codec::{Codec, FrameError, FrameFault, Framed, Struct};
use socketry_testkit::Script;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_test::{assert_pending, task};

fn encoded(frames: &[&[u8]]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for frame in frames {
        Struct::default().encode(frame, &mut out).unwrap();
    }
    out.to_vec()
}

/// A header, the ten bytes of its body, and the next frame.
fn wire() -> Vec<u8> {
    [
        &encoded(&[b"header"])[..],
        b"0123456789",
        &encoded(&[b"next"]),
    ]
    .concat()
}

/// A connection whose header was received and whose body comes next. The stream comes in pieces of
/// `size` bytes.
async fn at_body(size: usize) -> Framed<Script, Struct> {
    let socket = Script::stream().arriving(wire().chunks(size));
    let mut framed = Framed::new(socket, Struct::default());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"header");
    framed
}

fn framed(socket: &Script) -> Framed<Script, Struct> {
    Framed::new(socket.clone(), Struct::default())
}

fn inner(error: &io::Error) -> &FrameFault {
    let error = error.get_ref().unwrap().downcast_ref::<FrameError>();
    error.unwrap().fault()
}

#[tokio::test]
async fn chunks_end_with_the_body() {
    for size in [1, 4, 1000] {
        let mut framed = at_body(size).await;
        let mut body = framed.body(10).unwrap();
        let mut whole = Vec::new();
        while let Some(chunk) = body.chunk_bytes().await.unwrap() {
            assert!(!chunk.is_empty());
            whole.extend_from_slice(&chunk);
            assert_eq!(body.left(), 10 - whole.len() as u64);
        }
        assert_eq!(whole, b"0123456789");
        assert!(body.chunk_bytes().await.unwrap().is_none());
        assert!(body.chunk().await.unwrap().is_none());
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"next");
    }
}

#[tokio::test]
async fn a_body_is_read_as_any_reader_is() {
    for (size, room) in [(1, 3), (1000, 3), (1000, 10), (7, 1000)] {
        let mut framed = at_body(size).await;
        let mut body = framed.body(10).unwrap();
        let mut whole = Vec::new();
        let mut buf = vec![0; room];
        loop {
            let read = body.read(&mut buf).await.unwrap();
            whole.extend_from_slice(&buf[..read]);
            assert_eq!(body.left(), 10 - whole.len() as u64);
            if read == 0 {
                break;
            }
        }
        assert_eq!(whole, b"0123456789", "{size} {room}");
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"next");
    }
}

#[tokio::test]
async fn the_bytes_that_a_reader_left_are_there_for_the_next() {
    let mut framed = at_body(1000).await;
    let mut four = [0; 4];
    let mut body = framed.body(10).unwrap();
    body.read_exact(&mut four).await.unwrap();
    assert_eq!(&four, b"0123");
    assert_eq!(framed.body_left(), 6);
    let mut rest = String::new();
    let mut body = framed.rest_of_body();
    body.read_to_string(&mut rest).await.unwrap();
    assert_eq!(rest, "456789");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"next");
}

#[tokio::test]
async fn a_body_that_is_drained_leaves_the_next_frame() {
    for size in [1, 1000] {
        let mut framed = at_body(size).await;
        let mut body = framed.body(10).unwrap();
        body.drain().await.unwrap();
        assert_eq!(body.left(), 0);
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"next");
    }
}

#[tokio::test]
async fn a_body_of_nothing_is_read_at_once() {
    let wire = encoded(&[b"header", b"next"]);
    let mut framed = framed(&Script::stream().arriving([&wire[..]]));
    framed.recv().await.unwrap();
    let mut body = framed.body(0).unwrap();
    assert_eq!(body.chunk().now_or_never().unwrap().unwrap(), None);
    assert_eq!(body.read(&mut [0; 4]).await.unwrap(), 0);
    assert!(framed.at_boundary());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"next");
}

#[tokio::test]
async fn a_reader_learns_why_the_body_ended_early() {
    let arriving = || Script::stream().arriving([&encoded(&[b"header"])[..], b"0123"]);
    for (socket, kind) in [
        (arriving(), ErrorKind::UnexpectedEof),
        (
            arriving().failing(ErrorKind::ConnectionReset),
            ErrorKind::ConnectionReset,
        ),
    ] {
        let mut framed = framed(&socket);
        framed.recv().await.unwrap();
        let mut arrived = Vec::new();
        let mut body = framed.body(10).unwrap();
        let error = body.read_to_end(&mut arrived).await.unwrap_err();
        assert_eq!((error.kind(), &arrived[..]), (kind, &b"0123"[..]));
        match inner(&error) {
            FrameFault::BodyCut(missing) => assert_eq!(*missing, 6),
            FrameFault::Io(error) => assert_eq!(error.kind(), kind),
            other => panic!("{other}"),
        }
        assert!(framed.recv().await.unwrap().is_none());
    }
}

/// Nothing has arrived for now. The bytes that were read are not lost, and the rest comes later.
#[tokio::test]
async fn a_cancelled_read_of_a_body_loses_nothing() {
    let wire = wire();
    let socket = Script::stream()
        .arriving([&wire[..14]])
        .pause()
        .arriving([&wire[14..]]);
    let mut framed = framed(&socket);
    framed.recv().await.unwrap();
    let mut body = framed.body(10).unwrap();
    assert_eq!(body.chunk().await.unwrap().unwrap(), b"0123");
    assert_pending!(task::spawn(body.chunk()).poll());
    assert_eq!(body.left(), 6);
    assert_eq!(body.chunk().await.unwrap().unwrap(), b"456789");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"next");
}

#[tokio::test]
async fn a_body_is_late_once_the_next_frame_is_looked_for() {
    let wire = wire();
    let socket = Script::stream()
        .arriving([&wire[..12]])
        .pause()
        .arriving([&wire[12..]]);
    let mut framed = framed(&socket);
    framed.recv().await.unwrap();
    assert_pending!(task::spawn(framed.recv()).poll());
    let error = framed.body(10).unwrap_err();
    assert!(matches!(error.fault(), FrameFault::BodyLate), "{error}");
    assert!(!error.is_fatal(), "{error}");
}

/// It would begin in the middle of the frame that is passed over.
#[tokio::test]
async fn a_frame_that_is_passed_over_has_no_body() {
    let long = encoded(&[&[0; 50]]);
    let socket = Script::stream().arriving([&long[..20]]).open();
    let mut framed = Framed::new(socket, Struct::default().max_frame(10));
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    let error = framed.body(3).unwrap_err();
    assert!(matches!(error.fault(), FrameFault::BodyLate), "{error}");
}

#[tokio::test]
async fn a_body_is_written_as_to_any_writer() {
    let socket = Script::stream();
    let mut framed = framed(&socket);
    framed.feed(b"header").await.unwrap();
    let mut body = framed.body_writer(10).unwrap();
    let copied = tokio::io::copy(&mut &b"0123456789"[..], &mut body).await;
    assert_eq!((copied.unwrap(), body.left()), (10, 0));
    // This ends the body, and not the connection.
    body.shutdown().await.unwrap();
    framed.send(b"next").await.unwrap();
    assert_eq!(socket.written(), wire());
}

#[tokio::test]
async fn flushing_a_body_or_shutting_it_down_writes_the_header_before_it() {
    for shut_down in [false, true] {
        let socket = Script::stream();
        let mut framed = framed(&socket);
        framed.feed(b"header").await.unwrap();
        let mut body = framed.body_writer(10).unwrap();
        assert!(socket.writes().is_empty());
        if shut_down {
            body.shutdown().await.unwrap();
        } else {
            AsyncWriteExt::flush(&mut body).await.unwrap();
        }
        assert_eq!(socket.written(), encoded(&[b"header"]));
        assert_eq!(body.left(), 10);
    }
}

#[tokio::test]
async fn short_writes_of_a_body_are_counted() {
    let socket = Script::stream().taking([Some(3), Some(9), None, Some(1)]);
    let mut framed = framed(&socket);
    framed.feed(b"header").await.unwrap();
    let mut body = framed.body_writer(10).unwrap();
    // Three bytes of the header, then its other seven and two of the body.
    assert_eq!(body.write(b"0123456789").await.unwrap(), 2);
    assert_eq!(body.left(), 8);
    assert_pending!(task::spawn(body.write(b"23456789")).poll());
    assert_eq!(body.left(), 8);
    assert_eq!(body.write(b"23456789").await.unwrap(), 1);
    assert_eq!(framed.body_owed(), 7);
    let mut body = framed.body_writer(7).unwrap();
    body.write_all(b"3456789").await.unwrap();
    framed.send(b"next").await.unwrap();
    assert_eq!(socket.written(), wire());
}

#[tokio::test]
async fn a_write_beyond_the_announced_length_is_refused_whole() {
    let socket = Script::stream();
    let mut framed = framed(&socket);
    let mut body = framed.body_writer(3).unwrap();
    let error = AsyncWriteExt::write(&mut body, b"four").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    assert!(
        matches!(inner(&error), FrameFault::BodyFull(3, 4)),
        "{error}"
    );
    assert_eq!((body.left(), socket.writes().len()), (3, 0));
    body.write_all(b"abc").await.unwrap();
    let error = body.write(b"d").await.unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    assert!(
        matches!(error.fault(), FrameFault::BodyFull(0, 1)),
        "{error}"
    );
    framed.send(b"next").await.unwrap();
}

#[tokio::test]
async fn a_begun_body_is_only_its_owed_bytes() {
    let mut framed = framed(&Script::stream());
    framed
        .body_writer(5)
        .unwrap()
        .write_all(b"ab")
        .await
        .unwrap();
    for wrong in [0, 2, 5] {
        let error = framed.body_writer(wrong).unwrap_err();
        assert!(
            matches!(error.fault(), FrameFault::BodyUnwritten(3)),
            "{error}"
        );
        assert_eq!(framed.body_owed(), 3);
    }
    assert_eq!(framed.body_writer(3).unwrap().left(), 3);
    assert!(!framed.at_boundary());
}

#[tokio::test]
async fn a_body_whose_write_failed_is_over() {
    let mut framed = framed(&Script::stream().taking([Some(2), Some(0)]));
    let mut body = framed.body_writer(5).unwrap();
    let error = body.write_all(b"abcde").await.unwrap_err();
    assert!(error.is_fatal(), "{error}");
    assert_eq!(io::Error::from(error).kind(), ErrorKind::WriteZero);
    let error = AsyncWriteExt::write(&mut body, b"cde").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    let error = AsyncWriteExt::flush(&mut body).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    // It cannot be continued, and no empty body can be begun.
    for len in [3, 0] {
        let error = framed.body_writer(len).unwrap_err();
        assert!(matches!(error.fault(), FrameFault::Over), "{error}");
    }
}

#[tokio::test]
async fn bodies_debug_print_their_rest_and_not_their_bytes() {
    let mut framed = at_body(1000).await;
    assert_eq!(
        format!("{:?}", framed.body(10).unwrap()),
        "Body(10 bytes left)"
    );
    let body = framed.body_writer(7).unwrap();
    assert_eq!(format!("{body:?}"), "BodyWriter(7 bytes left)");
}
