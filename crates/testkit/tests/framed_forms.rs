//! Other promises of `Framed`: its errors, its parts, its bounds, and custom codecs.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::error::Error;
use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, SinkExt};
use socketry_codec::{
    BoxCodec, Codec, CodecError, Decoded, End, Fault, FrameError, FrameFault, Framed, Json, Line,
    Raw, Struct,
};
use socketry_testkit::Script;
use socketry_transport::{FromIo, Info, Shape};
use tokio::io::{AsyncWriteExt, BufWriter, DuplexStream};
use tokio::time::timeout;
use tokio_test::{assert_pending, task};

fn encoded(frames: &[&[u8]]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for frame in frames {
        Struct::default().encode(frame, &mut out).unwrap();
    }
    out.to_vec()
}

/// Our end, and the peer's plain end, with `buffer` bytes between them.
fn duplex(buffer: usize) -> (FromIo<DuplexStream>, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let [us, them] = ["mem://us", "ssh://me:hunter2@them"].map(|url| url.parse().unwrap());
    let socket = FromIo::from_io(ours, Info::new(Shape::Stream, us, them));
    (socket, theirs)
}

async fn error_of(socket: Script) -> FrameError {
    Framed::new(socket, Struct::default())
        .recv()
        .await
        .unwrap_err()
}

/// As an I/O error it keeps its kind if it has one, and holds the original.
#[tokio::test(start_paused = true)]
async fn an_error_becomes_one_of_io() {
    let mut over = Framed::new(Script::stream(), Struct::default());
    over.finish().await.unwrap();
    let mut datagrams = Framed::new(Script::datagrams(9), Raw);
    let table = [
        (
            error_of(Script::stream().failing(ErrorKind::ConnectionReset)).await,
            ErrorKind::ConnectionReset,
        ),
        (
            error_of(Script::stream().arriving([&b"\x05"[..]]).open()).await,
            ErrorKind::TimedOut,
        ),
        (
            error_of(Script::stream().arriving([&[0xFF; 4][..]])).await,
            ErrorKind::InvalidData,
        ),
        (over.send(b"late").await.unwrap_err(), ErrorKind::BrokenPipe),
        (over.flush().await.unwrap_err(), ErrorKind::BrokenPipe),
        (datagrams.body(1).unwrap_err(), ErrorKind::Unsupported),
    ];
    for (error, kind) in table {
        let text = error.to_string();
        let error = io::Error::from(error);
        assert_eq!((error.kind(), error.to_string()), (kind, text));
        assert!(error.get_ref().unwrap().is::<FrameError>());
    }
}

#[tokio::test]
async fn an_error_names_its_peer_and_its_cause() {
    let error = error_of(Script::stream().arriving([&[0xFF; 4][..]])).await;
    assert_eq!(error.peer().to_string(), "mem://script");
    assert_eq!(error.codec_fault(), Some(&Fault::NegativeLength(-1)));
    assert!(error.source().is_none(), "it is all said");
    let fault = error.into_fault();
    assert!(matches!(fault, FrameFault::Codec(error) if error.is_fatal()));

    let error = error_of(Script::stream().failing(ErrorKind::ConnectionReset)).await;
    assert_eq!(error.codec_fault(), None);

    let wire = encoded(&[b"{}"]);
    let mut framed = Framed::new(Script::stream().arriving([&wire[..]]), Json::default());
    let error = framed.recv_json::<Duration>().await.unwrap_err();
    assert!(error.get_ref().unwrap().is::<serde_json::Error>());
    assert!(error.source().is_none(), "its words are printed already");
}

/// The output of `unwrap` and of a program's log.
#[tokio::test]
async fn debugging_output_keeps_the_secret_of_an_endpoint() {
    let mut framed = Framed::new(duplex(16).0, Line::new());
    assert_eq!(framed.local().to_string(), "mem://us");
    assert_eq!(framed.peer().to_string(), "ssh://me:hunter2@them");
    assert_eq!(format!("{framed:?}"), "Framed(mem://us to ssh://…@them)");
    let error = framed.send(b"two\nlines").await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    let (_, send) = framed.split();
    assert_eq!(
        format!("{:?}", send.into_sender()),
        "Sender(to ssh://…@them)"
    );
}

#[tokio::test]
async fn a_refusal_in_the_middle_says_why_and_changes_nothing() {
    let socket = Script::stream()
        .arriving([&b"much too long\nok\n"[..13]])
        .pause();
    let mut framed = Framed::new(socket, Line::new().max_frame(4));
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    let refused = framed.with_codec(Raw).unwrap_err();
    assert!(refused.to_string().contains("under way"), "{refused}");
    assert_eq!(format!("{refused:?}"), "MidFrame");
    let refused = refused.0.into_parts().unwrap_err();
    assert!(!refused.0.at_boundary());
}

#[tokio::test]
async fn the_rest_of_a_datagram_is_one_when_parts_are_joined() {
    let socket = Script::datagrams(100)
        .arriving([&b"one\ntwo"[..], b"three"])
        .open();
    let mut framed = Framed::new(socket, Line::new());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"one");
    let mut framed = Framed::from_parts(framed.into_parts().unwrap());
    // Only the end of a datagram ends a line without a line end.
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"two");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"three");
}

#[tokio::test]
async fn joined_with_nothing_there_is_no_datagram() {
    let socket = Script::datagrams(100).open();
    let framed = Framed::new(socket.clone(), Raw);
    let mut framed = Framed::from_parts(framed.into_parts().unwrap());
    assert_pending!(task::spawn(framed.recv()).poll());
    framed.flush().await.unwrap();
    assert!(socket.writes().is_empty());
}

#[tokio::test]
async fn datagrams_that_end_end_for_good() {
    let socket = Script::datagrams(100).arriving([&b"last"[..]]);
    let mut framed = Framed::new(socket, Raw);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"last");
    for _ in 0..2 {
        assert!(framed.recv().await.unwrap().is_none());
    }
}

/// A codec of frames of three bytes, which implements only what it must.
#[derive(Clone)]
struct Threes;

impl Codec for Threes {
    fn decode(&mut self, input: &[u8], _: End) -> Result<Decoded, CodecError> {
        let (start, end, consumed) = (0, 3, 3);
        Ok(match input.len() {
            short @ 0..3 => Decoded::Need(3 - short),
            _ => Decoded::Frame {
                start,
                end,
                consumed,
            },
        })
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        out.extend_from_slice(frame);
        out.extend_from_slice(b"end");
        Ok(())
    }
    fn at_boundary(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_codec_that_needs_more_at_the_end_is_told_as_a_frame_cut_short() {
    let (have, missing) = (2, 1);
    let expected = CodecError::skip(Fault::Truncated { have, missing }, 2);
    let cut = |error: &FrameError| match error.fault() {
        FrameFault::Codec(error) => *error == expected,
        _ => false,
    };
    let mut framed = Framed::new(Script::stream().arriving([&b"abcde"[..]]), Threes);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"abc");
    let error = framed.recv().await.unwrap_err();
    assert!(cut(&error) && !error.is_fatal(), "{error}");
    assert!(framed.recv().await.unwrap().is_none());

    let socket = Script::datagrams(9)
        .arriving([&b"abcde"[..], b"", b"fgh"])
        .open();
    let mut framed = Framed::new(socket, Threes);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"abc");
    let error = framed.recv().await.unwrap_err();
    assert!(cut(&error) && !error.is_fatal(), "{error}");
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"fgh");
}

#[tokio::test]
async fn a_large_payload_is_encoded_if_the_codec_has_no_envelope() {
    let large = vec![b'x'; 100_000];
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Threes);
    framed.feed(b"before ").await.unwrap();
    framed.send(&large).await.unwrap();
    assert!(socket.written() == [&b"before end"[..], &large, b"end"].concat());
    framed.finish().await.unwrap();
    let error = framed.send(&large).await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::Over), "{error}");
}

#[tokio::test]
async fn a_large_payload_that_the_codec_cannot_carry_leaves_nothing() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Line::new());
    let mut large = vec![b'x'; 100_000];
    large[70_000] = b'\n';
    let error = framed.send(&large).await.unwrap_err();
    assert_eq!(error.codec_fault(), Some(&Fault::Delimiter { at: 70_000 }));
    assert!(!error.is_fatal(), "{error}");
    framed.send(b"after").await.unwrap();
    assert_eq!(socket.written(), b"after\n");
}

#[tokio::test]
async fn a_sink_writes_before_it_takes_more_than_it_may_hold() {
    let socket = Script::stream().taking([None]);
    let mut framed = Framed::new(socket.clone(), Line::new()).high_water(1);
    SinkExt::feed(&mut framed, Bytes::from("one"))
        .await
        .unwrap();
    assert_eq!(socket.written(), b"");
    let mut feeding = task::spawn(SinkExt::feed(&mut framed, Bytes::from("two")));
    assert_pending!(feeding.poll());
    feeding.await.unwrap();
    assert_eq!(socket.written(), b"one\n");
    SinkExt::<Bytes>::flush(&mut framed).await.unwrap();
    assert_eq!(socket.written(), b"one\ntwo\n");
}

#[tokio::test]
async fn a_sink_over_datagrams_keeps_them_apart() {
    let socket = Script::datagrams(9);
    let mut framed = Framed::new(socket.clone(), Raw);
    for frame in ["one", "", "three"] {
        SinkExt::feed(&mut framed, Bytes::from(frame))
            .await
            .unwrap();
    }
    SinkExt::<Bytes>::flush(&mut framed).await.unwrap();
    assert_eq!(socket.writes(), [&b"one"[..], b"", b"three"]);
}

#[tokio::test]
async fn a_quarter_of_a_mib_waits_by_default_before_it_is_written() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Raw);
    for _ in 0..256 {
        framed.feed(&[0; 1024]).await.unwrap();
    }
    assert_eq!(socket.writes().len(), 0);
    framed.feed(b"one more").await.unwrap();
    assert_eq!(socket.written().len(), 256 * 1024);
}

/// `closing` reads for a while from a peer that keeps sending, so that the peer can read, and then
/// drops it.
#[tokio::test(start_paused = true)]
async fn closing_reads_one_mib_of_a_peer_that_talks_on() {
    let (socket, mut peer) = duplex(4096);
    let talking = tokio::spawn(async move {
        let mut said = 0usize;
        while let Ok(bytes) = peer.write(&[0; 4096]).await {
            said += bytes;
        }
        said
    });
    Framed::new(socket, Raw).close().await.unwrap();
    let said = timeout(Duration::from_secs(60), talking)
        .await
        .unwrap()
        .unwrap();
    assert!((1 << 20..=(1 << 20) + 8192).contains(&said), "{said} bytes");
}

#[tokio::test(start_paused = true)]
async fn without_a_frame_time_a_frame_is_never_late() {
    let socket = Script::stream().arriving([&b"\x05"[..]]).open();
    let mut framed = Framed::new(socket, Struct::default()).frame_time(None);
    let hours = Duration::from_secs(36_000);
    assert!(timeout(hours, framed.recv()).await.is_err());
}

/// Memory that every drain needs is kept, and memory that only a burst needed is freed.
#[tokio::test]
async fn a_drained_send_buffer_is_kept_up_to_128_kib_or_twice_the_high_water_mark() {
    for (high_water, bytes, kept) in [
        (1000, 50_000, true),
        (1000, 100_000, false),
        (1 << 20, (1 << 20) - 3, true),
        (1 << 20, 1_200_000, false),
    ] {
        let mut framed = Framed::new(Script::stream(), Threes).high_water(high_water);
        // The line end doubles the room of the payload.
        framed.feed(&vec![0; bytes]).await.unwrap();
        framed.feed(b"x").await.unwrap();
        let unsent = framed.into_parts().unwrap().unsent;
        assert_eq!(unsent, b"xend"[..]);
        let capacity = unsent.capacity();
        assert_eq!(capacity >= bytes, kept, "{high_water} {bytes}: {capacity}");
    }
}

/// The bytes were taken, and are lost with the connection.
#[tokio::test]
async fn a_flush_that_fails_ends_the_sending_side() {
    let (ours, theirs) = tokio::io::duplex(100);
    let at = || "mem://x".parse().unwrap();
    let info = Info::new(Shape::Stream, at(), at());
    let mut framed = Framed::new(FromIo::from_io(BufWriter::new(ours), info), Line::new());
    drop(theirs);
    let error = framed.send(b"lost").await.unwrap_err();
    assert!(
        matches!(error.fault(), FrameFault::Io(_)) && error.is_fatal(),
        "{error}"
    );
    let error = framed.send(b"late").await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::Over), "{error}");
}

/// Small at first, and twice as large after each read that filled its buffer. So a chat does not
/// cost as much as a large file.
#[tokio::test]
async fn reads_grow_with_the_bytes_that_arrive() {
    let room_after = async |bytes: usize| {
        let wire = vec![0; bytes];
        let socket = Script::stream().arriving([&wire[..]]);
        let mut framed = Framed::new(socket.clone(), Raw);
        while framed.recv().await.unwrap().is_some() {}
        socket.largest_room()
    };
    assert_eq!(room_after(100).await, 8 << 10);
    assert_eq!(room_after(8 << 10).await, 16 << 10);
    assert_eq!(room_after(1 << 20).await, 64 << 10);

    // Also if a part of a frame is in the buffer before each read.
    let wire = encoded(&[&[0; 99][..]; 10_000]);
    let socket = Script::stream().arriving([&wire[..]]);
    let mut framed = Framed::new(socket.clone(), Struct::default());
    while framed.recv().await.unwrap().is_some() {}
    assert!(socket.largest_room() > 60 << 10);
}

/// The allocations during `run`.
fn allocated(run: impl Future<Output = ()>) -> allocation_counter::AllocationInfo {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().unwrap();
    allocation_counter::measure(|| runtime.block_on(run))
}

/// Otherwise each small piece of a large frame would copy the whole frame.
#[test]
fn a_large_frame_in_small_pieces_is_not_moved_for_each() {
    const LEN: usize = 4_000_000;
    for codec in ["struct", "line"] {
        let mut codec: BoxCodec = codec.parse().unwrap();
        let mut wire = BytesMut::new();
        codec.encode(&vec![0; LEN], &mut wire).unwrap();
        let pieces = wire.chunks(1000);
        let socket = pieces.fold(Script::stream(), |script, piece| {
            script.arriving([piece]).pause()
        });
        let mut framed = Framed::new(socket, codec);
        let moved = allocated(async {
            assert_eq!(framed.recv().await.unwrap().unwrap().len(), LEN);
        });
        let times = moved.bytes_total / LEN as u64;
        assert!(times < 12, "its length {times} times");
    }
}

/// The buffer for the peer's first large frame grows with the bytes that arrive. For the next frame
/// it has that size at once.
#[test]
fn a_peers_second_large_frame_gets_its_room_at_once() {
    const LEN: usize = 1 << 20;
    let wire = encoded(&[&vec![0; LEN]]);
    let frame = |script: Script| script.arriving(wire.chunks(64 << 10)).pause();
    let socket = frame(frame(Script::stream()));
    let mut framed = Framed::new(socket, Struct::default());
    let mut cost = || {
        let receiving = async { assert_eq!(framed.recv().await.unwrap().unwrap().len(), LEN) };
        allocated(receiving).bytes_total
    };
    let (first, second) = (cost(), cost());
    let once = LEN as u64 * 5 / 4;
    assert!(first > once, "{first} bytes for the first");
    assert!(second <= once, "{second} bytes for the second");
}

#[test]
fn small_frames_are_received_in_the_room_that_is_there() {
    let wire = encoded(&[&[0; 99][..]; 10_000]);
    let socket = Script::stream().arriving(wire.chunks(1000));
    let mut framed = Framed::new(socket, Struct::default());
    let mut frames = 0;
    let needed = allocated(async {
        while framed.recv().await.unwrap().is_some() {
            frames += 1;
        }
    });
    assert_eq!(frames, 10_000);
    // A frame of a megabyte comes, and one buffer holds the part that has arrived.
    assert!(
        needed.bytes_total <= 16 << 10,
        "{} bytes",
        needed.bytes_total
    );
}

/// Thousands of idle connections hold no buffers.
#[tokio::test]
async fn a_connection_that_waits_gives_its_room_back() {
    let wire = encoded(&[&[0; 60_000], b"half"]);
    let socket = Script::stream().arriving([&wire[..wire.len() - 2]]).open();
    let mut framed = Framed::new(socket, Struct::default());
    framed.recv().await.unwrap().unwrap();
    assert_pending!(task::spawn(framed.recv()).poll());
    let received = framed.into_parts().unwrap().received;
    assert_eq!(received, encoded(&[b"half"])[..6]);
    assert!(received.capacity() <= 1024, "{}", received.capacity());
}

#[tokio::test]
async fn a_connection_that_has_flushed_gives_its_room_back() {
    let socket = Script::stream().open();
    let mut framed = Framed::new(socket, Struct::default());
    for _ in 0..100 {
        framed.feed(&[0; 10_000]).await.unwrap();
    }
    framed.flush().await.unwrap();
    let unsent = framed.into_parts().unwrap().unsent;
    assert!(unsent.capacity() <= 1024, "{}", unsent.capacity());
}

#[tokio::test]
async fn buffered_frames_are_received_without_waiting() {
    let wire = encoded(&[b"one", b"two"]);
    let socket = Script::stream().arriving([&wire[..]]).open();
    let mut framed = Framed::new(socket, Struct::default());
    for frame in [b"one", b"two"] {
        let now = framed.recv().now_or_never().unwrap().unwrap();
        assert_eq!(now.unwrap(), frame);
    }
    assert!(framed.recv().now_or_never().is_none());
}
