//! `Sender`: which frames it accepts, when it reports errors, and how it ends.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, ErrorKind, IoSlice};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use socketry_codec::{Codec, CodecError, Decoded, End, FrameFault, Framed, Line, Raw};
use socketry_testkit::Script;
use socketry_transport::{Aborted, FromIo, Half, Info, SendHalf, Shape};
use tokio::io::{AsyncReadExt, DuplexStream};
use tokio::time::{sleep, timeout};
use tokio_test::{assert_pending, task};

/// A socket that refuses datagrams that begin with `!`, and records the first bytes of all others.
#[derive(Clone)]
struct Picky {
    info: Info,
    refusal: ErrorKind,
    taken: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Picky {
    fn new(shape: Shape, refusal: ErrorKind) -> Self {
        let at = || "mem://picky".parse().unwrap();
        Picky {
            info: Info::new(shape, at(), at()),
            refusal,
            taken: Arc::default(),
        }
    }

    fn datagrams(refusal: ErrorKind) -> Self {
        Picky::new(Shape::Datagram { max_len: 100 }, refusal)
    }

    fn taken(&self) -> Vec<Vec<u8>> {
        self.taken.lock().unwrap().clone()
    }
}

impl Half for Picky {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl SendHalf for Picky {
    fn poll_send(&mut self, _: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let len = parts.iter().map(|part| part.len()).sum();
        let first = parts.first().map_or(&[][..], |part| part);
        if first.starts_with(b"!") {
            return Poll::Ready(Err(self.refusal.into()));
        }
        let head = first[..first.len().min(20)].to_vec();
        self.taken.lock().unwrap().push(head);
        Poll::Ready(Ok(len))
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Ok(Aborted::quiet(self.shape()))
    }
}

/// Our end, and the peer's plain end, with `buffer` bytes between them.
fn duplex(buffer: usize) -> (FromIo<DuplexStream>, DuplexStream) {
    let (ours, theirs) = tokio::io::duplex(buffer);
    let at = || "mem://x".parse().unwrap();
    (
        FromIo::from_io(ours, Info::new(Shape::Stream, at(), at())),
        theirs,
    )
}

#[tokio::test]
async fn a_refused_datagram_is_reported_once_by_the_next_flush() {
    let socket = Picky::datagrams(ErrorKind::ConnectionRefused);
    let sender = Framed::new(socket.clone(), Raw).into_sender();
    for datagram in [&b"one"[..], b"!two", b"three"] {
        sender.send(datagram).await.unwrap();
    }
    let error = sender.flush().await.unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    let kind = io::Error::from(error).kind();
    assert_eq!(kind, ErrorKind::ConnectionRefused);
    assert_eq!(socket.taken(), [&b"one"[..], b"three"]);
    assert!(!sender.is_closed());
    sender.flush().await.unwrap();
    sender.send(b"four").await.unwrap();
    sender.finish().await.unwrap();
    assert_eq!(socket.taken().last().unwrap(), b"four");
}

#[tokio::test]
async fn a_session_that_has_ended_ends_its_sender() {
    let socket = Picky::datagrams(ErrorKind::BrokenPipe);
    let sender = Framed::new(socket.clone(), Raw).into_sender();
    for datagram in [&b"one"[..], b"!two", b"three"] {
        sender.send(datagram).await.unwrap();
    }
    let error = sender.closed().await.unwrap_err();
    assert!(error.is_fatal(), "{error}");
    assert_eq!(io::Error::from(error).kind(), ErrorKind::BrokenPipe);
    assert_eq!(socket.taken(), [b"one"]);
    assert!(sender.is_closed());
}

/// The same without a `Sender`: the error is about one datagram, or about the whole session.
#[tokio::test]
async fn a_refused_datagram_is_lost_and_the_next_is_sent() {
    let socket = Picky::datagrams(ErrorKind::ConnectionRefused);
    let mut framed = Framed::new(socket.clone(), Raw);
    framed.feed(b"!one").await.unwrap();
    let error = framed.flush().await.unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    framed.send(b"two").await.unwrap();
    assert_eq!(socket.taken(), [b"two"]);

    let socket = Picky::datagrams(ErrorKind::BrokenPipe);
    let mut framed = Framed::new(socket.clone(), Raw);
    assert!(framed.send(b"!one").await.unwrap_err().is_fatal());
    let error = framed.send(b"two").await.unwrap_err();
    assert!(matches!(error.fault(), FrameFault::Over), "{error}");
}

#[tokio::test]
async fn an_encoded_frame_is_bounded_by_the_datagram() {
    let socket = Script::datagrams(5);
    let sender = Framed::new(socket.clone(), Line::new()).into_sender();
    let error = sender.send_encoded(b"sixsix").await.unwrap_err();
    assert!(!error.is_fatal(), "{error}");
    let text = error.to_string();
    assert!(
        text.ends_with("a frame of 6 bytes is above the limit of 5"),
        "{text}"
    );
    sender.send_encoded(b"five!").await.unwrap();
    sender.send_encoded(b"").await.unwrap();
    sender.finish().await.unwrap();
    assert_eq!(socket.writes(), [&b"five!"[..], b""]);
}

#[tokio::test]
async fn a_sender_holds_256_kib_by_default() {
    let sender = Framed::new(Script::stream(), Raw).into_sender();
    let mut taken = 0;
    // The writer does not run meanwhile, since this task does not wait.
    while taken < 1000 && sender.try_send_encoded(&[0; 1024]).unwrap() {
        taken += 1;
    }
    assert_eq!(taken, 256);
    assert!(!sender.try_send(b"").unwrap());
    sender.flush().await.unwrap();
    assert!(sender.try_send_encoded(&[0; 1024]).unwrap());
}

#[tokio::test]
async fn one_byte_of_room_is_room_for_a_frame() {
    let sender = Framed::new(Script::stream(), Raw).into_sender_with(100);
    assert!(sender.try_send(&[0; 99]).unwrap());
    assert!(sender.try_send(&[0; 1000]).unwrap());
    assert!(!sender.try_send(b"x").unwrap());
}

#[tokio::test]
async fn a_sender_of_a_finished_socket_is_closed_from_the_start() {
    let socket = Script::stream();
    let mut framed = Framed::new(socket.clone(), Line::new());
    framed.finish().await.unwrap();
    let sender = framed.into_sender();
    assert!(sender.is_closed());
    assert!(sender.send(b"late").await.unwrap_err().is_fatal());
    assert!(socket.writes().is_empty());
}

#[tokio::test]
async fn fed_frames_go_out_first_and_a_flush_waits_for_them() {
    for socket in [Script::stream(), Script::datagrams(100)] {
        let mut framed = Framed::new(socket.clone(), Line::new());
        framed.feed(b"fed").await.unwrap();
        let sender = framed.into_sender();
        let mut flushing = task::spawn(sender.flush());
        assert_pending!(flushing.poll());
        flushing.await.unwrap();
        assert_eq!(socket.written(), b"fed\n");
        sender.send(b"sent").await.unwrap();
        sender.flush().await.unwrap();
        assert_eq!(socket.writes(), [b"fed\n".to_vec(), b"sent\n".to_vec()]);
    }
}

/// Such a frame has no bytes on the wire, so there is nothing to wait for.
#[tokio::test]
async fn a_flush_does_not_wait_for_a_frame_of_no_bytes() {
    let socket = Script::stream();
    let sender = Framed::new(socket.clone(), Raw).into_sender();
    for frames in [&[&b""[..]][..], &[b"", b"x"], &[b"y", b"", b""]] {
        for frame in frames {
            sender.send(frame).await.unwrap();
        }
        let flushed = timeout(Duration::from_secs(10), sender.flush()).await;
        flushed.expect("nothing waits").unwrap();
    }
    // It was not written, whatever the error is once the sender has ended.
    sender.send(b"never").await.unwrap();
    sender.abort();
    assert!(sender.flush().await.unwrap_err().is_fatal());
    assert_eq!(socket.written(), b"xy");
}

/// Waiting frames are dropped, and so is the socket, although the writer has not started.
#[tokio::test]
async fn a_sender_that_is_aborted_at_once_writes_nothing() {
    let (socket, mut peer) = duplex(100);
    let (recv, send) = Framed::new(socket, Line::new()).split();
    let sender = send.into_sender();
    sender.send(b"never").await.unwrap();
    sender.abort();
    drop(recv);
    let mut read = Vec::new();
    let end = timeout(Duration::from_secs(10), peer.read_to_end(&mut read));
    end.await.expect("the socket is gone").unwrap();
    assert!(read.is_empty(), "{read:?}");
    for error in [sender.closed().await, sender.send(b"late").await] {
        let error = io::Error::from(error.unwrap_err());
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    }
}

#[tokio::test]
async fn a_task_that_waits_for_room_learns_that_the_sender_has_ended() {
    let (socket, _peer) = duplex(16);
    let (_recv, send) = Framed::new(socket, Line::new()).split();
    let sender = send.into_sender_with(10);
    sender.send(&[b'x'; 100]).await.unwrap();
    tokio::task::yield_now().await;
    sender.send(&[b'y'; 100]).await.unwrap();
    let mut waiting = task::spawn(sender.send(b"z"));
    assert_pending!(waiting.poll());
    sender.abort();
    assert!(waiting.is_woken());
    assert!(waiting.await.unwrap_err().is_fatal());
}

/// It goes on as long as the peer takes some bytes. A slow peer is not a dead one, however long it
/// takes.
#[tokio::test(start_paused = true)]
async fn a_sender_that_was_dropped_waits_for_a_peer_that_reads_slowly() {
    let (socket, mut peer) = duplex(16);
    let (recv, send) = Framed::new(socket, Line::new()).split();
    let sender = send.into_sender();
    sender.send(&[b'x'; 200]).await.unwrap();
    drop((recv, sender));
    let mut read = Vec::new();
    let mut some = [0; 16];
    while read.len() < 201 {
        sleep(Duration::from_secs(20)).await;
        let bytes = peer.read(&mut some).await.unwrap();
        assert!(bytes > 0, "cut after {} bytes", read.len());
        read.extend_from_slice(&some[..bytes]);
    }
    assert_eq!(read.last(), Some(&b'\n'));
}

#[tokio::test(start_paused = true)]
async fn finishing_waits_for_a_peer_that_reads_slowly_and_no_longer_than_it_reads() {
    let (socket, mut peer) = duplex(16);
    let (_recv, send) = Framed::new(socket, Line::new()).split();
    let sender = send.into_sender();
    sender.send(&[b'x'; 200]).await.unwrap();
    let finishing = tokio::spawn({
        let sender = sender.clone();
        async move { sender.finish().await }
    });
    for _ in 0..5 {
        sleep(Duration::from_secs(20)).await;
        assert!(!finishing.is_finished());
        peer.read_exact(&mut [0; 16]).await.unwrap();
    }
    let since = tokio::time::Instant::now();
    let error = finishing.await.unwrap().unwrap_err();
    assert_eq!(io::Error::from(error).kind(), ErrorKind::TimedOut);
    let patience = since.elapsed().as_secs();
    assert!((30..=60).contains(&patience), "{patience} s");
}

/// An idle connection does not keep the memory of a burst.
#[test]
fn an_idle_sender_gives_the_room_of_a_burst_back() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let socket = Picky::new(Shape::Stream, ErrorKind::BrokenPipe);
    let sender = runtime.block_on(async { Framed::new(socket, Line::new()).into_sender() });
    let burst = vec![b'x'; 1 << 20];
    let held = allocation_counter::measure(|| {
        runtime.block_on(async {
            sender.send(&burst).await.unwrap();
            sender.flush().await.unwrap();
            tokio::task::yield_now().await;
        });
    });
    assert!(held.bytes_max >= 1 << 20);
    assert!(
        held.bytes_current < 64 << 10,
        "{} bytes",
        held.bytes_current
    );
}

/// Frames of one byte, and a panic half-way through others.
#[derive(Clone)]
struct Short;

impl Codec for Short {
    fn decode(&mut self, _: &[u8], _: End) -> Result<Decoded, CodecError> {
        unreachable!("it only sends")
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        out.extend_from_slice(frame);
        assert!(frame.len() == 1, "{frame:?} is too long");
        Ok(())
    }
    fn at_boundary(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn a_task_whose_codec_panics_leaves_no_half_frame_to_the_others() {
    for shape in [Shape::Stream, Shape::Datagram { max_len: 100 }] {
        let socket = Picky::new(shape, ErrorKind::BrokenPipe);
        let sender = Framed::new(socket.clone(), Short).into_sender();
        sender.send(b"1").await.unwrap();
        let other = sender.clone();
        let panicked = tokio::spawn(async move { other.send(b"half").await }).await;
        assert!(panicked.unwrap_err().is_panic());
        sender.send(b"2").await.unwrap();
        sender.finish().await.unwrap();
        assert_eq!(socket.taken().concat(), b"12", "{shape:?}");
    }
}
