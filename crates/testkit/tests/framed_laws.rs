//! The laws of `Framed`, over a socket that follows a script.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, SinkExt, StreamExt};
use socketry_codec::{
    BoxCodec, Codec, CodecError, Decoded, End, Fault, FrameError, FrameFault, Framed, Line, Raw,
    Struct,
};
use socketry_testkit::Script;
use socketry_transport::{FromIo, Info, Shape};
use tokio_test::{assert_pending, assert_ready, task};

fn encoded(frames: &[&[u8]]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for frame in frames {
        Struct::default().encode(frame, &mut out).unwrap();
    }
    out.to_vec()
}

fn fault(error: &FrameError) -> &Fault {
    match error.fault() {
        FrameFault::Codec(error) => &error.fault,
        other => panic!("{other}"),
    }
}

/// Sends `first`, cancelled after `cut` bytes were taken, then `second`. Returns the bytes on the
/// wire.
fn cancelled_send(codec: impl Codec, first: &[u8], cut: usize, second: &[u8]) -> Vec<u8> {
    let socket = Script::stream().taking([Some(cut), None]);
    let mut framed = Framed::new(socket.clone(), codec);
    let mut sending = task::spawn(framed.send(first));
    assert_pending!(sending.poll());
    drop(sending);
    assert_ready!(task::spawn(framed.send(second)).poll()).unwrap();
    socket.written()
}

#[test]
fn a_cancelled_send_never_leaves_half_a_frame() {
    let (first, second) = (&b"the first frame"[..], &b"the second"[..]);
    for cut in 1..first.len() + 4 {
        assert_eq!(
            cancelled_send(Struct::default(), first, cut, second),
            encoded(&[first, second]),
            "{cut}"
        );
    }
}

/// With a length before the payload, and with a line end after it.
#[test]
fn nor_does_a_large_one_that_is_written_in_place() {
    let first: Vec<u8> = (0..200_000u32).map(|i| i.to_le_bytes()[0] | 0x80).collect();
    for cut in [1, 3, 4, 5, 1000, 65_536, 200_000, 200_001] {
        let written = cancelled_send(Struct::default(), &first, cut, b"after");
        assert!(written == encoded(&[&first, b"after"]), "{cut}");
        let written = cancelled_send(Line::crlf(), &first, cut, b"after");
        assert!(written == [&first, &b"\r\nafter\r\n"[..]].concat(), "{cut}");
    }
}

#[test]
fn a_large_frame_of_which_nothing_was_written_is_taken_back() {
    for codec in ["struct", "line"] {
        let mut codec: BoxCodec = codec.parse().unwrap();
        let mut expected = BytesMut::new();
        for frame in [b"waits", b"after"] {
            codec.encode(frame, &mut expected).unwrap();
        }
        let socket = Script::stream().taking([None]);
        let mut framed = Framed::new(socket.clone(), codec);
        assert_ready!(task::spawn(framed.feed(b"waits")).poll()).unwrap();
        let large = vec![1; 200_000];
        let mut sending = task::spawn(framed.send(&large));
        assert_pending!(sending.poll());
        drop(sending);
        assert_ready!(task::spawn(framed.send(b"after")).poll()).unwrap();
        assert_eq!(socket.written(), expected);
    }
}

/// A program that goes on with another socket must not begin with half a frame.
#[tokio::test]
async fn a_large_frame_whose_write_failed_leaves_nothing_that_waits() {
    let socket = Script::stream().taking([Some(1000), Some(0)]);
    let mut framed = Framed::new(socket, Struct::default());
    assert!(framed.send(&[1; 200_000]).await.unwrap_err().is_fatal());
    assert!(framed.into_parts().unwrap().unsent.is_empty());
}

#[tokio::test]
async fn fed_frames_go_out_in_one_write() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Struct::default());
    for _ in 0..100 {
        framed.feed(b"small").await.unwrap();
    }
    assert_eq!(socket.writes().len(), 0);
    framed.flush().await.unwrap();
    assert_eq!(socket.writes().len(), 1);
    assert_eq!(socket.written().len(), 100 * 9);
}

#[tokio::test]
async fn feeding_without_end_holds_no_more_than_the_high_water_mark() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Struct::default()).high_water(1000);
    for _ in 0..10_000 {
        framed.feed(&[0; 100]).await.unwrap();
    }
    let writes = socket.writes();
    assert!(
        writes.iter().all(|write| write.len() <= 1000 + 104),
        "{}",
        writes.len()
    );
    assert!(framed.into_parts().unwrap().unsent.len() <= 1000 + 104);
}

#[tokio::test]
async fn a_cancelled_receive_loses_nothing() {
    let wire = encoded(&[b"one", b"two", b"three"]);
    for cut in 0..=wire.len() {
        let (before, after) = wire.split_at(cut);
        let socket = Script::stream()
            .arriving([before])
            .pause()
            .arriving([after]);
        let mut framed = Framed::new(socket, Struct::default());
        let mut frames = Vec::new();
        while frames.len() < 3 {
            let mut receiving = task::spawn(framed.recv_bytes());
            if let Poll::Ready(frame) = receiving.poll() {
                match frame.unwrap() {
                    Some(frame) => frames.push(frame),
                    // A chunk of no bytes is the end of a stream, so there is no test for this cut.
                    None => break,
                }
            }
        }
        if cut > 0 && cut < wire.len() {
            assert_eq!(frames, [&b"one"[..], b"two", b"three"], "{cut}");
        }
    }
}

#[tokio::test]
async fn a_frame_that_is_too_long_is_passed_over() {
    let mut wire = encoded(&[b"before"]);
    wire.extend(encoded(&[&[7; 50]]));
    wire.extend(encoded(&[b"after"]));
    for size in [1, 3, 10, 40, 1000] {
        // The stream stays open. The frame after the long one is delivered at once, and not only
        // when more bytes or the end come.
        let socket = Script::stream().arriving(wire.chunks(size)).open();
        let mut framed = Framed::new(socket.clone(), Struct::default().max_frame(10));
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"before");
        let error = framed.recv().await.unwrap_err();
        assert_eq!(
            fault(&error),
            &Fault::TooLong {
                len: Some(50),
                max: 10
            }
        );
        assert!(!error.is_fatal());
        let after = framed.recv().now_or_never().expect("it is here").unwrap();
        assert_eq!(after.unwrap(), b"after");
        let _ = socket.ending();
        assert!(framed.recv().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn so_is_a_line_whose_end_is_unknown() {
    let wire = b"one\nmuch too long\ntwo\n";
    for size in [1, 5, 1000] {
        let socket = Script::stream().arriving(wire.chunks(size)).open();
        let mut framed = Framed::new(socket, Line::new().max_frame(4));
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"one");
        let error = framed.recv().await.unwrap_err();
        assert!(
            matches!(fault(&error), Fault::TooLong { max: 4, .. }) && !error.is_fatal(),
            "{error}"
        );
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"two");
    }
}

#[tokio::test]
async fn after_a_fatal_error_there_is_the_end() {
    let socket = Script::stream().arriving([&[0xFF; 25][..], b"whatever"]);
    let mut framed = Framed::new(socket, Struct::default());
    let error = framed.recv().await.unwrap_err();
    assert!(error.is_fatal());
    assert_eq!(
        error.to_string(),
        "cannot receive from mem://script: the length field says -1; a length is not negative"
    );
    assert!(framed.recv().await.unwrap().is_none());
    assert!(framed.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_frame_says_so() {
    let wire = encoded(&[b"whole", b"cut off"]);
    let socket = Script::stream().arriving([&wire[..wire.len() - 3]]);
    let mut framed = Framed::new(socket, Struct::default());
    assert!(framed.recv().await.unwrap().is_some());
    let error = framed.recv().await.unwrap_err();
    assert_eq!(
        fault(&error),
        &Fault::Truncated {
            have: 8,
            missing: 3
        }
    );
    assert!(framed.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn memory_follows_the_bytes_that_arrived_and_not_the_claim() {
    let claim = 8_000_000u32.to_le_bytes();
    let socket = Script::stream()
        .arriving([&claim[..], b"ten bytes."])
        .pause();
    let mut framed = Framed::new(socket.clone(), Struct::default());
    let error = framed.recv().await.unwrap_err();
    assert!(matches!(fault(&error), Fault::Truncated { have: 14, .. }));
    assert!(socket.largest_room() <= 64 * 1024);
}

#[tokio::test]
async fn one_bad_datagram_touches_no_other() {
    let good = encoded(&[b"good"]);
    let two = encoded(&[b"one", b"two"]);
    let bad: &[u8] = &[5, 0, 0, 0, 1];
    let socket = Script::datagrams(100)
        .arriving([&good[..], bad, &[0xFF; 6], &two, &[0; 101]])
        .failing(io::ErrorKind::ConnectionRefused)
        .arriving([&good[..]])
        .open();
    let mut framed = Framed::new(socket, Struct::default());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"good");
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"one");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"two");
    let cut = framed.recv().await.unwrap_err();
    assert!(
        matches!(cut.fault(), FrameFault::Cut(_)) && !cut.is_fatal(),
        "{cut}"
    );
    let refused = framed.recv().await.unwrap_err();
    assert!(
        matches!(refused.fault(), FrameFault::Io(_)) && !refused.is_fatal(),
        "{refused}"
    );
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"good");
}

#[tokio::test]
async fn an_empty_datagram_is_one_empty_frame() {
    let socket = Script::datagrams(100)
        .arriving([&b""[..], b"x", b""])
        .open();
    let mut framed = Framed::new(socket, Raw);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"x");
    assert_eq!(framed.recv_bytes().await.unwrap().unwrap(), b""[..]);
    assert_pending!(task::spawn(framed.recv()).poll());
}

#[tokio::test]
async fn each_frame_is_a_datagram_and_one_too_long_is_refused() {
    let socket = Script::datagrams(100);
    let mut framed = Framed::new(socket.clone(), Raw);
    framed.feed(b"one").await.unwrap();
    framed.feed(b"").await.unwrap();
    let error = framed.send(&[0; 101]).await.unwrap_err();
    assert_eq!(
        fault(&error),
        &Fault::TooLong {
            len: Some(101),
            max: 100
        }
    );
    assert!(!error.is_fatal());
    framed.send(b"three").await.unwrap();
    assert_eq!(socket.writes(), [&b"one"[..], b"", b"three"]);
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_is_not_finished_in_time_is_fatal() {
    let socket = Script::stream().arriving([&b"\x05\x00"[..]]).open();
    let mut framed =
        Framed::new(socket, Struct::default()).frame_time(Some(Duration::from_secs(3)));
    let start = tokio::time::Instant::now();
    let error = framed.recv().await.unwrap_err();
    assert!(
        matches!(error.fault(), FrameFault::TimedOut(_)) && error.is_fatal(),
        "{error}"
    );
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    assert!(framed.recv().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn between_frames_there_is_no_hurry() {
    let wire = encoded(&[b"done"]);
    let socket = Script::stream().arriving([&wire[..]]).open();
    let mut framed = Framed::new(socket, Struct::default());
    assert!(framed.recv().await.unwrap().is_some());
    let waiting = tokio::time::timeout(Duration::from_secs(3600), framed.recv());
    assert!(
        waiting.await.is_err(),
        "nothing was begun, so nothing can be late"
    );
}

#[tokio::test]
async fn another_codec_takes_over_with_the_bytes_that_are_here() {
    let mut wire = b"upgrade\n".to_vec();
    wire.extend(encoded(&[b"binary"]));
    let socket = Script::stream().arriving([&wire[..]]);
    let mut lines = Framed::new(socket, Line::new());
    assert_eq!(lines.recv().await.unwrap().unwrap(), b"upgrade");
    let mut binary = lines.with_codec(Struct::default()).unwrap();
    assert_eq!(binary.recv().await.unwrap().unwrap(), b"binary");
}

#[tokio::test]
async fn no_codec_takes_over_in_the_middle() {
    let socket = Script::stream().arriving([&b"much too long"[..]]).open();
    let mut lines = Framed::new(socket, Line::new().max_frame(4));
    assert!(!lines.recv().await.unwrap_err().is_fatal());
    let refused = lines.with_codec(Raw).unwrap_err();
    let lines = *refused.0;
    assert!(!lines.codec().at_boundary());

    let wire = encoded(&[&[0; 50]]);
    let socket = Script::stream().arriving([&wire[..20]]).open();
    let mut sized = Framed::new(socket, Struct::default().max_frame(10));
    assert!(!sized.recv().await.unwrap_err().is_fatal());
    assert!(
        sized.with_codec(Raw).is_err(),
        "bytes of the long frame are yet to come"
    );
}

#[tokio::test]
async fn a_body_is_read_whole_before_the_next_frame() {
    let mut wire = encoded(&[b"header"]);
    wire.extend_from_slice(b"0123456789");
    wire.extend(encoded(&[b"next"]));
    for size in [1, 7, 1000] {
        let socket = Script::stream().arriving(wire.chunks(size));
        let mut framed = Framed::new(socket, Struct::default());
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"header");
        let mut body = framed.body(10).unwrap();
        let first = body.chunk_bytes().await.unwrap().unwrap();
        if framed.body_left() > 0 {
            let error = framed.recv().await.unwrap_err();
            assert!(
                matches!(error.fault(), FrameFault::BodyUnread(_)),
                "{error}"
            );
            assert!(framed.body(1).is_err());
        }
        let mut whole = first.to_vec();
        while let Some(chunk) = framed.rest_of_body().chunk().await.unwrap() {
            whole.extend_from_slice(chunk);
        }
        assert_eq!(whole, b"0123456789");
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"next");
    }
}

#[tokio::test]
async fn a_body_that_is_cut_off_says_how_much_is_missing() {
    let socket = Script::stream().arriving([&b"\x00\x00\x00\x00abc"[..]]);
    let mut framed = Framed::new(socket, Struct::default());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"");
    let mut body = framed.body(1 << 40).unwrap();
    assert_eq!(body.chunk().await.unwrap().unwrap(), b"abc");
    let error = body.chunk().await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::BodyCut(missing) if *missing == (1 << 40) - 3));
    assert!(framed.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn a_body_is_written_whole_before_the_next_frame() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Struct::default());
    framed.feed(b"header").await.unwrap();
    let mut body = framed.body_writer(6).unwrap();
    body.write_all(b"abc").await.unwrap();
    assert!(body.write(b"much too much").await.is_err());
    let error = framed.send(b"too early").await.unwrap_err();
    assert!(
        matches!(error.fault(), FrameFault::BodyUnwritten(3)),
        "{error}"
    );
    framed
        .body_writer(3)
        .unwrap()
        .write_all(b"def")
        .await
        .unwrap();
    framed.send(b"next").await.unwrap();
    let mut expected = encoded(&[b"header"]);
    expected.extend_from_slice(b"abcdef");
    expected.extend(encoded(&[b"next"]));
    assert_eq!(socket.written(), expected);
    // The header and the first bytes of the body left in one write.
    assert_eq!(socket.writes()[0].len(), 10 + 3);
}

#[tokio::test]
async fn datagrams_have_no_bodies() {
    let mut framed = Framed::new(Script::datagrams(100), Raw);
    assert!(matches!(
        framed.body(1).unwrap_err().fault(),
        FrameFault::NoBody
    ));
    assert!(matches!(
        framed.body_writer(1).unwrap_err().fault(),
        FrameFault::NoBody
    ));
}

#[tokio::test]
async fn taken_apart_and_joined_nothing_is_lost() {
    let wire = encoded(&[b"one", b"two"]);
    let socket = Script::stream().arriving([&wire[..]]).taking([Some(3)]);
    let mut framed = Framed::new(socket.clone(), Struct::default());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"one");
    framed.feed(b"unsent").await.unwrap();
    let parts = framed.into_parts().unwrap();
    assert_eq!(parts.received, encoded(&[b"two"]));
    assert_eq!(parts.unsent, encoded(&[b"unsent"]));
    let mut framed = Framed::from_parts(parts);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"two");
    framed.flush().await.unwrap();
    assert_eq!(socket.written(), encoded(&[b"unsent"]));
}

#[tokio::test]
async fn a_stream_and_a_sink() {
    let wire = encoded(&[b"one", b"two"]);
    let socket = Script::stream().arriving([&wire[..]]);
    let (recv, mut send) = Framed::new(socket.clone(), Struct::default()).split();
    let frames: Vec<_> = recv.map(Result::unwrap).collect().await;
    assert_eq!(frames, [&b"one"[..], b"two"]);
    SinkExt::feed(&mut send, Bytes::from_static(b"a"))
        .await
        .unwrap();
    SinkExt::send(&mut send, Bytes::from_static(b"b"))
        .await
        .unwrap();
    assert_eq!(socket.writes(), [encoded(&[b"a", b"b"])]);
    SinkExt::close(&mut send).await.unwrap();
    assert!(send.send(b"late").await.is_err());
}

#[tokio::test]
async fn a_boxed_codec_splits() {
    let codec: BoxCodec = "struct".parse().unwrap();
    let wire = encoded(&[b"one"]);
    let (mut recv, mut send) = Framed::new(Script::stream().arriving([&wire[..]]), codec).split();
    assert_eq!(recv.recv().await.unwrap().unwrap(), b"one");
    send.send(b"two").await.unwrap();
}

fn frame(start: usize, end: usize, consumed: usize) -> Decoded {
    Decoded::Frame {
        start,
        end,
        consumed,
    }
}

#[tokio::test]
async fn a_codec_that_breaks_its_contract_is_an_error_and_no_panic() {
    /// Takes the first byte for a frame, and then breaks its contract.
    #[derive(Clone)]
    struct Liar(Result<Decoded, CodecError>);
    impl Codec for Liar {
        fn decode(&mut self, input: &[u8], _: End) -> Result<Decoded, CodecError> {
            match input {
                b"xabc" => Ok(frame(0, 1, 1)),
                _ => self.0.clone(),
            }
        }
        fn encode(&mut self, _: &[u8], _: &mut BytesMut) -> Result<(), CodecError> {
            Ok(())
        }
        fn at_boundary(&self) -> bool {
            true
        }
    }
    let nothing = CodecError::skip(Fault::Other("passes over nothing".into()), 0);
    for lie in [
        Ok(frame(0, 99, 99)),
        Ok(frame(0, 4, 4)),
        Ok(frame(3, 2, 3)),
        Ok(frame(0, 3, 2)),
        Ok(frame(0, 0, 0)),
        Ok(Decoded::Skip(0)),
        Ok(Decoded::Skip(4)),
        Ok(Decoded::Skip(99)),
        Err(nothing),
    ] {
        let socket = Script::stream().arriving([&b"xabc"[..]]);
        let mut framed = Framed::new(socket, Liar(lie.clone()));
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"x");
        assert!(framed.recv().await.unwrap_err().is_fatal(), "{lie:?}");
        assert!(framed.recv().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_sender_waits_for_room_and_says_when_there_is_none() {
    let socket = Script::stream();
    let sender = Framed::new(socket.clone(), Struct::default()).into_sender_with(100);
    // The writer has not run yet, since this task has not waited.
    assert!(sender.try_send(&[0; 96]).unwrap());
    assert!(!sender.try_send(b"no room").unwrap());
    sender.send(b"waits").await.unwrap();
    sender.flush().await.unwrap();
    assert_eq!(socket.written(), encoded(&[&[0; 96], b"waits"]));
    sender.finish().await.unwrap();
    assert!(sender.send(b"late").await.unwrap_err().is_fatal());
    sender.closed().await.unwrap();
}

#[tokio::test]
async fn a_senders_frames_are_written_together_and_after_it_is_dropped() {
    let socket = Script::stream();
    let sender = Framed::new(socket.clone(), Struct::default()).into_sender();
    for _ in 0..10 {
        sender.send(b"x").await.unwrap();
    }
    sender
        .send_encoded(&encoded(&[b"encoded before"]))
        .await
        .unwrap();
    drop(sender);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(5);
    while socket.writes().is_empty() && tokio::time::Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    assert_eq!(socket.writes().len(), 1);
    assert_eq!(socket.written().len(), 10 * 5 + 18);
}

#[tokio::test]
async fn a_sender_over_datagrams_keeps_them_apart() {
    let socket = Script::datagrams(100);
    let sender = Framed::new(socket.clone(), Raw).into_sender();
    for frame in [&b"one"[..], b"", b"three"] {
        sender.send(frame).await.unwrap();
    }
    assert!(!sender.send(&[0; 101]).await.unwrap_err().is_fatal());
    sender.finish().await.unwrap();
    assert_eq!(socket.writes(), [&b"one"[..], b"", b"three"]);
}

#[tokio::test]
async fn a_sender_whose_peer_is_gone_says_so_to_all() {
    let socket = Script::stream().taking([Some(0)]);
    let sender = Framed::new(socket, Struct::default()).into_sender();
    sender.send(b"x").await.unwrap();
    let error = sender.closed().await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::Io(_)), "{error}");
    assert!(sender.clone().send(b"y").await.unwrap_err().is_fatal());
    assert!(sender.flush().await.is_err());
}

#[tokio::test]
async fn an_aborted_sender_lets_go_of_a_peer_that_never_reads() {
    let (ours, mut theirs) = tokio::io::duplex(16);
    let at = || "mem://x".parse().unwrap();
    let info = Info::new(Shape::Stream, at(), at());
    let socket = FromIo::from_io(ours, info);
    let (recv, send) = Framed::new(socket, Struct::default()).split();
    let sender = send.into_sender();
    sender.send(&[0; 1000]).await.unwrap();
    let flushing = tokio::spawn({
        let sender = sender.clone();
        async move { sender.flush().await }
    });
    tokio::task::yield_now().await;
    drop(recv);
    sender.abort();
    let error = socketry_testkit::in_time("the flush", flushing).await;
    assert!(error.unwrap().unwrap_err().is_fatal());
    assert!(sender.is_closed());
    assert!(sender.send(b"late").await.unwrap_err().is_fatal());
    // The socket itself is dropped: the peer reads the bytes on their way, and then the end.
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut theirs, &mut rest);
    socketry_testkit::in_time("the end", read).await.unwrap();
    assert!(rest.len() <= 16);
}

#[tokio::test]
async fn an_aborted_body_ends_its_direction() {
    let mut wire = encoded(&[b"header"]);
    wire.extend_from_slice(&[0; 100]);
    let mut framed = Framed::new(Script::stream().arriving([&wire[..]]), Struct::default());
    framed.recv().await.unwrap().unwrap();
    framed.body(100).unwrap().abort();
    assert!(framed.recv().await.unwrap().is_none());
    framed.body_writer(10).unwrap().abort();
    assert!(framed.send(b"x").await.unwrap_err().is_fatal());
}

#[tokio::test]
async fn json_is_fed_or_sent_as_any_frame_is() {
    let header = std::collections::BTreeMap::from([("a", 1)]);
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), socketry_codec::Json::default());
    framed.feed_json(&header).await.unwrap();
    assert!(socket.writes().is_empty());
    framed.send_json(&header).await.unwrap();
    assert_eq!(socket.writes(), [encoded(&[&br#"{"a":1}"#[..]; 2])]);
}

#[tokio::test]
async fn json_goes_through_a_sender_and_a_fault_is_found_in_one_step() {
    let socket = Script::stream();
    let sender = Framed::new(socket.clone(), socketry_codec::Json::default()).into_sender();
    let sender = sender.typed::<serde_json::Value, socketry_codec::Json>();
    sender.send(&serde_json::json!({"a": 1})).await.unwrap();
    let refused = sender.send(&5.into()).await.unwrap_err();
    assert!(matches!(refused.codec_fault(), Some(Fault::NotJson(_))) && !refused.is_fatal());
    // The error is on our side, so it does not name the peer.
    assert!(!refused.to_string().contains("peer"), "{refused}");
    sender.get_ref().finish().await.unwrap();
    assert_eq!(socket.written(), encoded(&[br#"{"a":1}"#]));

    let wire = encoded(&[b"hi"]);
    let mut framed = Framed::new(
        Script::stream().arriving([&wire[..]]),
        socketry_codec::Json::default(),
    );
    let error = framed.recv().await.unwrap_err();
    assert!(error.to_string().contains("the peer may speak"), "{error}");
}
