//! What a [`Meter`] hears: each frame once, in whatever way it is received or sent, each error, and
//! all buffers until they are gone.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use socketry_codec::{BoxCodec, Codec, FrameError, Framed, Meter, Raw, Struct};
use socketry_testkit::Script;
use socketry_transport::{BoxSocket, Listener, connect, listen};

#[derive(Default)]
struct Gauge {
    received: AtomicUsize,
    sent: AtomicUsize,
    failed: AtomicUsize,
    held: AtomicUsize,
    most: AtomicUsize,
    full: AtomicBool,
}

impl Meter for Gauge {
    fn frames_received(&self, count: usize) {
        self.received.fetch_add(count, SeqCst);
    }
    fn frames_sent(&self, count: usize) {
        self.sent.fetch_add(count, SeqCst);
    }
    fn failed(&self, _: &FrameError) {
        self.failed.fetch_add(1, SeqCst);
    }
    fn buffer(&self, before: usize, after: usize) -> io::Result<()> {
        if after > before && self.full.load(SeqCst) {
            return Err(io::Error::new(io::ErrorKind::OutOfMemory, "full"));
        }
        let held = self.held.fetch_add(after, SeqCst) + after;
        self.most.fetch_max(held, SeqCst);
        self.held.fetch_sub(before, SeqCst);
        Ok(())
    }
}

impl Gauge {
    fn received(&self) -> usize {
        self.received.swap(0, SeqCst)
    }
    fn sent(&self) -> usize {
        self.sent.swap(0, SeqCst)
    }
    fn held(&self) -> usize {
        self.held.load(SeqCst)
    }
}

type Pair<C> = (Framed<BoxSocket, C>, Framed<BoxSocket, C>);

async fn pair<C: Codec + Clone>(at: &str, codec: C) -> Pair<C> {
    let mut listener = listen(at).await.unwrap();
    let client = connect(listener.local()).await.unwrap();
    // Over datagrams there is no client before its first.
    let mut client = Framed::new(client, codec.clone());
    client.send(b"hello").await.unwrap();
    let mut accepted = Framed::new(listener.accept().await.unwrap(), codec);
    accepted.recv().await.unwrap();
    (client, accepted)
}

async fn every_frame_is_heard_once<C: Codec + Clone>(at: &str, codec: C) {
    let gauge = Arc::new(Gauge::default());
    let (mut client, accepted) = pair(at, codec).await;
    let mut accepted = accepted.metered(Arc::clone(&gauge) as _);
    let mut five = async || {
        client.feed_many(["a"; 5]).await.unwrap();
        client.flush().await.unwrap();
    };

    five().await;
    accepted.recv().await.unwrap();
    accepted.recv_bytes().await.unwrap();
    accepted.next().await.unwrap().unwrap();
    let mut some = Vec::new();
    let mut cut = 0;
    while cut < 2 {
        cut += accepted.recv_many_bytes(&mut some, 2 - cut).await.unwrap();
    }
    assert_eq!(gauge.received(), 5);

    five().await;
    let mut looped = 0;
    while looped < 5 {
        let frames = accepted.recv_many(5 - looped).await.unwrap().unwrap();
        for _ in frames {
            looped += 1;
        }
    }
    assert_eq!(gauge.received(), 5);

    five().await;
    let mut folded = 0;
    while folded < 5 {
        let frames = accepted.recv_many(5 - folded).await.unwrap().unwrap();
        frames.for_each(|_| folded += 1);
    }
    assert_eq!(gauge.received(), 5);

    five().await;
    // A frame of the batch that is not given out is heard when it is.
    let mut left = 5;
    while left > 0 {
        let mut frames = accepted.recv_many(5).await.unwrap().unwrap();
        frames.next().unwrap();
        left -= 1;
    }
    assert_eq!(gauge.received(), 5);
    assert_eq!(gauge.sent(), 0);
}

#[tokio::test]
async fn every_received_frame_is_heard_once() {
    for at in ["tcp://127.0.0.1:0", "mem://*", "udp://127.0.0.1:0"] {
        every_frame_is_heard_once(at, Struct::default()).await;
        let boxed: BoxCodec = Box::<Struct>::default();
        every_frame_is_heard_once(at, boxed).await;
    }
}

#[tokio::test]
async fn every_sent_frame_is_heard_once() {
    for at in ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"] {
        let gauge = Arc::new(Gauge::default());
        let (client, mut accepted) = pair(at, Struct::default()).await;
        let mut client = client.metered(Arc::clone(&gauge) as _);
        client.send(b"one").await.unwrap();
        client.feed(b"two").await.unwrap();
        client.feed_many(["three", "four"]).await.unwrap();
        SinkExt::<Bytes>::send(&mut client, "five".into())
            .await
            .unwrap();
        assert_eq!(gauge.sent(), 5);
        let sender = client.into_sender();
        sender.send(b"six").await.unwrap();
        sender.flush().await.unwrap();
        assert_eq!(gauge.sent(), 1);
        for _ in 0..6 {
            accepted.recv().await.unwrap().unwrap();
        }
        assert_eq!((gauge.received(), gauge.held()), (0, 0));
    }
}

#[tokio::test]
async fn a_large_frame_is_heard_and_its_room_given_back() {
    const LEN: usize = 1 << 20;
    let gauge = Arc::new(Gauge::default());
    let (client, accepted) = pair("tcp://127.0.0.1:0", Struct::default()).await;
    let mut accepted = accepted.metered(Arc::clone(&gauge) as _);
    let mut client = client.metered(Arc::clone(&gauge) as _);
    let frame = vec![7; LEN];
    let (sent, received) = tokio::join!(client.send(&frame), accepted.recv());
    sent.unwrap();
    assert_eq!(received.unwrap().map(<[u8]>::len), Some(LEN));
    assert_eq!((gauge.sent(), gauge.received()), (1, 1));
    assert!(gauge.most.load(SeqCst) >= LEN);
    client.send(b"small").await.unwrap();
    accepted.recv().await.unwrap();
    // It waits, and so gives its buffer back.
    assert!(futures_util::poll!(Box::pin(accepted.recv())).is_pending());
    assert!(gauge.held() < 8 << 10, "{}", gauge.held());
    drop((client, accepted));
    assert_eq!(gauge.held(), 0);
}

#[tokio::test]
async fn a_buffer_that_may_not_grow_is_a_fatal_error_on_both_sides() {
    let gauge = Arc::new(Gauge::default());
    gauge.full.store(true, SeqCst);
    let (mut client, accepted) = pair("tcp://127.0.0.1:0", Struct::default()).await;
    client.send(b"hello").await.unwrap();
    let mut accepted = accepted.metered(Arc::clone(&gauge) as _);
    let error = accepted.recv().await.unwrap_err();
    assert!(
        error.is_fatal() && error.to_string().contains("full"),
        "{error}"
    );
    assert_eq!(accepted.recv().await.unwrap(), None);

    let mut client = client.metered(Arc::clone(&gauge) as _);
    let error = client.feed(&[0; 10_000]).await.unwrap_err();
    assert!(
        error.is_fatal() && error.to_string().contains("full"),
        "{error}"
    );
    assert_eq!(gauge.failed.load(SeqCst), 2);
    drop((client, accepted));
    assert_eq!(gauge.held(), 0);
}

/// A socket of messages has to be given room for the longest before any byte is here.
#[tokio::test]
async fn a_short_message_holds_no_room_for_the_longest() {
    const LONGEST: usize = 1 << 20;
    let long = vec![7; LONGEST];
    let arriving = [&b"short"[..], &long, b"short", b""];
    for shape in [Script::messages(LONGEST), Script::datagrams(LONGEST)] {
        let gauge = Arc::new(Gauge::default());
        let mut framed = Framed::new(shape.arriving(arriving), Raw).metered(gauge.clone() as _);
        for due in arriving {
            assert_eq!(framed.recv().await.unwrap().unwrap(), due);
            let held = gauge.held();
            let most = due.len().max(64 << 10) + 1024;
            assert!(
                (due.len()..=most).contains(&held),
                "{held} for {}",
                due.len()
            );
        }
    }
}

#[tokio::test]
async fn a_message_of_a_body_holds_no_room_for_the_longest() {
    let gauge = Arc::new(Gauge::default());
    let socket = Script::messages(1 << 20).arriving([&b"header"[..], b"four"]);
    let mut framed = Framed::new(socket, Raw).metered(gauge.clone() as _);
    framed.recv().await.unwrap();
    let mut body = framed.body(4).unwrap();
    assert_eq!(body.chunk().await.unwrap().unwrap(), b"four");
    assert!(gauge.held() <= 64 << 10, "{}", gauge.held());
}
