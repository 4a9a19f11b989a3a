//! Defects that reviews found in `Framed`, `Sender` and `Reader`, each with a test.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::SinkExt;
use socketry_codec::{
    Codec, CodecError, Decoded, End, FrameFault, Framed, Json, Line, Raw, Reader, Struct,
};
use socketry_testkit::{Fault, Faults, Script};
use socketry_transport::{FromIo, Info, Listener, Shape, connect, listen};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::time::timeout;
use tokio_test::{assert_pending, task};

const HOUR: Duration = Duration::from_secs(3600);

fn encoded(frames: &[&[u8]]) -> Vec<u8> {
    let mut out = BytesMut::new();
    for frame in frames {
        Struct::default().encode(frame, &mut out).unwrap();
    }
    out.to_vec()
}

fn info(peer: &str) -> Info {
    let [local, peer] = ["mem://us", peer].map(|url| url.parse().unwrap());
    Info::new(Shape::Stream, local, peer)
}

/// Our end, and the peer's plain end, with `buffer` bytes between them.
fn duplex(buffer: usize) -> (FromIo<DuplexStream>, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let socket = FromIo::from_io(ours, info("mem://them"));
    (socket, theirs)
}

/// The timer of a skipped frame must not run on for the next frame.
#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_skipped_frame_is_not_the_next_ones() {
    let (socket, mut peer) = duplex(4096);
    let mut framed = Framed::new(socket, Struct::default().max_frame(10));
    let long = encoded(&[&[0; 50]]);
    peer.write_all(&long[..20]).await.unwrap();
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    // Waits in the middle of the skip. Then the skip ends within a second.
    assert!(
        timeout(Duration::from_secs(1), framed.recv())
            .await
            .is_err()
    );
    peer.write_all(&long[20..]).await.unwrap();
    assert!(timeout(HOUR, framed.recv()).await.is_err(), "idle");
    // A new frame, whose time begins now.
    let next = encoded(&[b"next"]);
    peer.write_all(&next[..3]).await.unwrap();
    let early = timeout(Duration::from_secs(20), framed.recv()).await;
    assert!(early.is_err(), "a frame of 20 seconds is late: {early:?}");
}

/// `Line` and `BareJson` discard by `Skip`. So the buffer is empty, and no timer would run.
#[tokio::test(start_paused = true)]
async fn a_line_that_is_being_discarded_has_a_deadline_too() {
    let (socket, mut peer) = duplex(4096);
    let mut framed = Framed::new(socket, Line::new().max_frame(4));
    peer.write_all(b"much too long").await.unwrap();
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    let waited = timeout(HOUR, framed.recv()).await;
    assert!(waited.is_ok(), "the line began an hour ago and goes on");
}

#[tokio::test(start_paused = true)]
async fn so_has_a_frame_that_is_passed_over() {
    let long = encoded(&[&[0; 50]]);
    let socket = Script::stream().arriving([&long[..20]]).open();
    let mut framed = Framed::new(socket, Struct::default().max_frame(10));
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    let error = timeout(HOUR, framed.recv()).await.unwrap().unwrap_err();
    assert!(matches!(error.fault(), FrameFault::TimedOut(_)), "{error}");
}

#[tokio::test]
async fn writing_nothing_to_a_body_does_no_harm() {
    let mut framed = Framed::new(Script::stream(), Struct::default());
    framed.send(b"header").await.unwrap();
    let mut body = framed.body_writer(3).unwrap();
    assert_eq!(body.write(b"").await.map_err(|e| e.to_string()), Ok(0));
    body.write_all(b"abc").await.unwrap();
}

#[tokio::test]
async fn a_datagram_that_waits_stays_one_when_parts_are_joined() {
    let socket = Script::datagrams(100);
    let mut framed = Framed::new(socket.clone(), Raw);
    framed.feed(b"one").await.unwrap();
    let mut framed = Framed::from_parts(framed.into_parts().unwrap());
    framed.feed(b"two").await.unwrap();
    framed.flush().await.unwrap();
    assert_eq!(socket.writes(), [b"one", b"two"]);
}

/// A peer's frame that is too long contains bytes that look like a frame.
#[tokio::test]
async fn parts_taken_in_the_middle_of_a_skip_smuggle_nothing() {
    let inner = encoded(&[b"evil"]);
    let mut wire = encoded(&[&[inner.as_slice(), &[0; 50]].concat()]);
    let head = wire.drain(..4).collect::<Vec<_>>();
    let socket = Script::stream()
        .arriving([&head[..]])
        .pause()
        .arriving([&wire[..]]);
    let mut framed = Framed::new(socket, Struct::default().max_frame(10));
    assert!(!framed.recv().await.unwrap_err().is_fatal());
    assert_pending!(task::spawn(framed.recv()).poll());
    assert!(framed.into_parts().is_err());
}

#[tokio::test]
async fn parts_or_a_frame_taken_in_the_middle_of_a_body_smuggle_nothing() {
    let mut wire = encoded(&[b"header"]);
    wire.extend(encoded(&[b"evil"]));
    let socket = Script::stream().arriving([&wire[..]]);
    let mut framed = Framed::new(socket, Struct::default());
    framed.recv().await.unwrap();
    let _ = framed.body(8).unwrap();
    let error = framed.recv().await.unwrap_err();
    assert!(
        matches!(error.fault(), FrameFault::BodyUnread(8)),
        "{error}"
    );
    assert!(framed.into_parts().is_err());
}

#[tokio::test]
async fn a_sender_does_not_send_frames_into_a_body_that_is_owed() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Struct::default());
    let mut body = framed.body_writer(6).unwrap();
    body.write_all(b"abc").await.unwrap();
    let sender = framed.into_sender();
    let _refused = sender.send(b"x").await;
    let _refused = sender.flush().await;
    assert_eq!(socket.written(), b"abc");
}

/// A cancelled `recv` has shown the first bytes of the body to the codec.
#[tokio::test]
async fn a_body_behind_a_cancelled_receive_leaves_the_codec_in_step() {
    let socket = Script::stream()
        .arriving([&b"header\n"[..], b"bod"])
        .pause()
        .arriving([&b"x\nlonger\n"[..]]);
    let mut framed = Framed::new(socket, Line::new());
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"header");
    assert_pending!(task::spawn(framed.recv()).poll());
    if let Ok(mut body) = framed.body(3) {
        assert_eq!(body.chunk().await.unwrap().unwrap(), b"bod");
        assert_eq!(framed.recv().await.unwrap().unwrap(), b"x");
    }
}

#[tokio::test]
async fn flushing_a_sender_waits_for_an_empty_datagram_too() {
    let socket = Script::datagrams(100);
    let sender = Framed::new(socket.clone(), Raw).into_sender();
    sender.send(b"").await.unwrap();
    sender.flush().await.unwrap();
    assert_eq!(socket.writes().len(), 1);
}

#[tokio::test]
async fn empty_datagrams_fill_a_sender_too() {
    let sender = Framed::new(Script::datagrams(100), Raw).into_sender_with(100);
    let taken = (0..1_000_000).take_while(|_| sender.try_send(b"").unwrap());
    // Each costs as much as its length takes.
    assert_eq!(taken.count(), 100usize.div_ceil(size_of::<usize>()));
}

#[test]
fn a_sender_whose_runtime_is_gone_says_so() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let first = runtime();
    let sender =
        first.block_on(async { Framed::new(Script::stream(), Struct::default()).into_sender() });
    sender.try_send(b"x").unwrap();
    drop(first);
    let flushed =
        runtime().block_on(async { timeout(Duration::from_secs(2), sender.flush()).await });
    assert!(flushed.is_ok(), "waits for a writer that is gone");
}

/// Only the peer could end the writer, so a server could not drop a client that does not read.
#[tokio::test(start_paused = true)]
async fn dropping_a_sender_lets_go_of_a_peer_that_never_reads() {
    let (socket, mut peer) = duplex(16);
    let (recv, send) = Framed::new(socket, Struct::default()).split();
    let sender = send.into_sender();
    sender.send(&[0; 1000]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop((recv, sender));
    tokio::time::sleep(HOUR).await;
    assert!(peer.write(b"x").await.is_err(), "still open after an hour");
}

/// The limits are 1 MiB and 2 seconds.
#[tokio::test(start_paused = true)]
async fn closing_on_a_peer_that_never_reads_ends() {
    let (socket, _peer) = duplex(16);
    let mut framed = Framed::new(socket, Struct::default());
    framed.feed(&[0; 1000]).await.unwrap();
    assert!(timeout(HOUR, framed.close()).await.is_ok());
}

#[tokio::test]
async fn an_error_about_json_quotes_the_peer_and_cannot_drive_the_terminal() {
    let wire = encoded(&[br#"{"\u001b[2J\u202e":1}"#, br#"{"secs":"it's"}"#]);
    let mut framed = Framed::new(Script::stream().arriving([&wire[..]]), Json::default());
    for said in [
        r"unknown field `\u{1b}[2J\u{202e}`, expected `secs` or `nanos`",
        r#"invalid type: string "it's", expected u64"#,
    ] {
        let error = framed.recv_json::<Duration>().await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(said), "{text:?}");
    }
}

#[tokio::test]
async fn a_frame_error_keeps_the_secret_of_its_endpoint() {
    let (ours, _theirs) = tokio::io::duplex(16);
    let info = info("ssh://me:hunter2@host:22");
    let mut framed = Framed::new(FromIo::from_io(ours, info), Line::new());
    let error = framed.send(b"two\nlines").await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

/// A codec that gives the same answer to everything, a thousand times.
#[derive(Clone)]
struct Liar(Decoded, Arc<AtomicUsize>);

impl Liar {
    fn new(lie: Decoded) -> Self {
        Liar(lie, Arc::default())
    }
}

impl Codec for Liar {
    fn decode(&mut self, _: &[u8], _: End) -> Result<Decoded, CodecError> {
        let asked = self.1.fetch_add(1, Ordering::Relaxed);
        Ok(if asked < 1000 {
            self.0
        } else {
            Decoded::Need(1)
        })
    }
    fn encode(&mut self, _: &[u8], _: &mut BytesMut) -> Result<(), CodecError> {
        Ok(())
    }
    fn at_boundary(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_codec_that_makes_no_progress_in_a_datagram_is_an_error() {
    let lie = Decoded::Frame {
        start: 0,
        end: 0,
        consumed: 0,
    };
    let socket = Script::datagrams(100).arriving([&b"abc"[..]]).open();
    let mut framed = Framed::new(socket, Liar::new(lie));
    assert!(framed.recv().await.is_err());
}

#[test]
fn a_codec_that_makes_no_progress_does_not_spin_a_reader() {
    let codec = Liar::new(Decoded::Skip(0));
    let mut reader = Reader::new(codec.clone());
    reader.push(b"abc");
    let _answer = reader.next_frame().map(|frame| frame.is_some());
    assert!(codec.1.load(Ordering::Relaxed) < 10);
}

#[test]
fn a_codec_that_lies_does_not_panic_a_reader() {
    let lie = Decoded::Frame {
        start: 0,
        end: 99,
        consumed: 99,
    };
    let mut reader = Reader::new(Liar::new(lie));
    reader.push(b"abc");
    let asked = std::panic::catch_unwind(move || reader.next_frame().is_ok());
    assert!(asked.is_ok());
}

/// A third party's "no limit". `TextSocket` and the sessions' pump bound their buffers, `Framed`
/// does not.
#[tokio::test]
async fn datagrams_without_a_limit_are_received() {
    let socket = Script::datagrams(usize::MAX).arriving([&b"abc"[..]]).open();
    let mut framed = Framed::new(socket, Raw);
    assert_eq!(framed.recv().await.unwrap().unwrap(), b"abc");
}

#[tokio::test]
async fn closing_a_sink_again_is_harmless() {
    let mut framed = Framed::new(Script::stream(), Struct::default());
    SinkExt::<Bytes>::close(&mut framed).await.unwrap();
    framed.finish().await.unwrap();
    SinkExt::<Bytes>::close(&mut framed).await.unwrap();
}

/// `Sender` ends then. `Framed` would take it for the error of one datagram, for ever.
#[tokio::test]
async fn sending_over_a_session_that_has_ended_is_fatal() {
    let mut server = listen("udp://127.0.0.1:0?peer_idle=20ms").await.unwrap();
    let mut client = Framed::new(connect(server.local()).await.unwrap(), Raw);
    client.send(b"x").await.unwrap();
    let mut session = Framed::new(server.accept().await.unwrap(), Raw);
    while session.recv().await.unwrap().is_some() {}
    let error = session.send(b"y").await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::Io(_)), "{error}");
    assert!(error.is_fatal(), "{error}");
}

/// The buffer is as large as one read, twice the bytes that have arrived, or the largest frame of
/// this peer, whichever is most.
#[tokio::test]
async fn the_receive_buffer_keeps_to_its_law() {
    for (before, claimed, arrived) in [
        (0, 70_000, 60_000),
        (0, 1_000_000, 100_000),
        (1_000_000, 1_000_000, 600),
    ] {
        let mut wire = Vec::new();
        if before > 0 {
            wire.extend(encoded(&[&vec![0; before]]));
        }
        wire.extend(u32::try_from(claimed).unwrap().to_le_bytes());
        wire.resize(wire.len() + arrived, 0);
        let socket = Script::stream().arriving(wire.chunks(65_536)).open();
        let mut framed = Framed::new(socket, Struct::default());
        if before > 0 {
            framed.recv().await.unwrap().unwrap();
        }
        assert_pending!(task::spawn(framed.recv()).poll());
        // A read after the largest frame had room for the bytes that had arrived then, and the
        // buffer keeps that size.
        let law = 65_536.max(2 * (arrived + 4)).max(before + 4 + 65_536);
        let holds = framed.into_parts().unwrap().received.capacity();
        assert!(holds <= law, "{holds} bytes of room, {law} allowed");
    }
}

/// The time also runs while the application does not receive, when the peer could not send on.
#[tokio::test(start_paused = true)]
async fn a_peer_is_not_late_because_the_application_did_not_receive() {
    let (socket, mut peer) = duplex(1024);
    let mut framed = Framed::new(socket, Line::new());
    tokio::spawn(async move {
        peer.write_all(&[b'x'; 8000]).await.unwrap();
        peer.write_all(b"\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    tokio::task::yield_now().await;
    assert_pending!(task::spawn(framed.recv()).poll());
    tokio::time::sleep(Duration::from_secs(31)).await;
    assert_eq!(framed.recv().await.unwrap().unwrap().len(), 8000);
}

/// But the peer is late if it has sent too little, or sends a byte just when its time is up.
#[tokio::test(start_paused = true)]
async fn a_peer_gains_no_time_by_bytes_at_the_deadline() {
    let millis = Duration::from_millis;
    for (behind, sends, late) in [
        (millis(0), true, true),
        (millis(100), true, true),
        (millis(101), true, false),
        (millis(5000), true, false),
        (millis(5000), false, true),
    ] {
        let (socket, mut peer) = duplex(1024);
        let mut framed = Framed::new(socket, Line::new()).frame_time(Some(millis(3000)));
        peer.write_all(b"begun").await.unwrap();
        assert_pending!(task::spawn(framed.recv()).poll());
        tokio::time::advance(millis(3000) + behind).await;
        if sends {
            peer.write_all(b"more").await.unwrap();
        }
        let answer = task::spawn(framed.recv())
            .poll()
            .map(|frame| frame.is_err());
        let expected = if late {
            Poll::Ready(true)
        } else {
            Poll::Pending
        };
        assert_eq!(answer, expected, "{behind:?} {sends}");
    }
}

/// `finish` flushed anew at each poll, and had to wait anew each time.
#[tokio::test]
async fn finishing_comes_to_its_end_on_a_socket_that_waits_once_at_each_call() {
    let script = Script::stream();
    let plan = Faults::none().with(Fault::Pending, 1000);
    let mut framed = Framed::new(plan.over(script.clone()), Line::new());
    framed.feed(b"bye").await.unwrap();
    let finished = timeout(Duration::from_secs(10), framed.finish()).await;
    finished.expect("it waits for ever").unwrap();
    assert_eq!(script.written(), b"bye\n");
}
