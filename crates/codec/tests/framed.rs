//! `Framed` over every transport and codec: what is sent arrives, whole and in order.
#![cfg(feature = "net")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use socketry_codec::{BoxCodec, Framed};
use socketry_transport::{BoxSocket, Listener, connect, listen};
use tokio::time::timeout;

static NEXT: AtomicUsize = AtomicUsize::new(0);

const CODECS: [&str; 7] = [
    "raw",
    "line",
    "line:crlf",
    "struct",
    "struct:>H",
    "json",
    "json:bare",
];

fn urls(directory: &tempfile::TempDir) -> Vec<String> {
    // A session may outlive its listener a little, so each run has a path of its own.
    let path = |name: &str| {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        directory
            .path()
            .join(format!("{name}-{number}"))
            .display()
            .to_string()
    };
    vec![
        "tcp://127.0.0.1:0".to_owned(),
        "udp://127.0.0.1:0".to_owned(),
        format!("unix://{}", path("stream")),
        format!("unix-dgram://{}", path("dgram")),
        "mem://*".to_owned(),
    ]
}

fn codec(name: &str) -> BoxCodec {
    name.parse().unwrap()
}

async fn pair(url: &str, name: &str) -> (Framed<BoxSocket>, Framed<BoxSocket>) {
    let mut listener = listen(url).await.unwrap();
    let mut client = Framed::new(connect(listener.local()).await.unwrap(), codec(name));
    // A datagram listener knows a peer by its first datagram.
    client.send(b"{\"hello\":1}").await.unwrap();
    let mut server = Framed::new(listener.accept().await.unwrap(), codec(name));
    assert_eq!(server.recv().await.unwrap().unwrap(), b"{\"hello\":1}");
    (client, server)
}

#[tokio::test]
async fn every_codec_over_every_transport() {
    let directory = tempfile::tempdir().unwrap();
    for name in CODECS {
        for url in urls(&directory) {
            let talk = async {
                let (mut client, mut server) = pair(&url, name).await;
                for i in 0..50 {
                    let frame = format!("{{\"n\":{i}}}");
                    client.send(frame.as_bytes()).await.unwrap();
                    let echoed = server.recv_bytes().await.unwrap().unwrap();
                    assert_eq!(echoed, frame.as_bytes());
                    server.send(&echoed).await.unwrap();
                    assert_eq!(client.recv().await.unwrap().unwrap(), frame.as_bytes());
                }
                if client.shape().is_stream() {
                    client.finish().await.unwrap();
                    assert!(server.recv().await.unwrap().is_none());
                    assert!(server.recv().await.unwrap().is_none());
                }
            };
            timeout(Duration::from_secs(10), talk)
                .await
                .unwrap_or_else(|_| panic!("{url} {name}"));
        }
    }
}

#[tokio::test]
async fn large_frames_and_bodies_both_ways() {
    let (mut client, mut server) = pair("tcp://127.0.0.1:0", "struct").await;
    let payload: Vec<u8> = (0..3_000_000u32).map(|i| i.to_le_bytes()[1]).collect();
    let expected = payload.clone();
    let sending = tokio::spawn(async move {
        client.send(&payload).await.unwrap();
        client.feed(b"a body follows").await.unwrap();
        let mut body = client.body_writer(payload.len() as u64).unwrap();
        body.write_all(&payload).await.unwrap();
        client.send(b"after").await.unwrap();
        client
    });
    assert!(server.recv().await.unwrap().unwrap() == expected);
    assert_eq!(server.recv().await.unwrap().unwrap(), b"a body follows");
    let mut body = server.body(expected.len() as u64).unwrap();
    let mut arrived = Vec::new();
    while let Some(chunk) = body.chunk().await.unwrap() {
        arrived.extend_from_slice(chunk);
    }
    assert!(arrived == expected);
    assert_eq!(server.recv().await.unwrap().unwrap(), b"after");
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn a_sender_is_shared_by_many_tasks() {
    let (client, mut server) = pair("tcp://127.0.0.1:0", "struct").await;
    let (_recv, send) = client.split();
    let sender = send.into_sender();
    for task in 0..8u32 {
        let sender = sender.clone();
        tokio::spawn(async move {
            for i in 0..1000u32 {
                sender.send(format!("{task} {i}").as_bytes()).await.unwrap();
            }
        });
    }
    let mut next = [0u32; 8];
    for _ in 0..8000 {
        let frame = server.recv().await.unwrap().unwrap();
        let text = std::str::from_utf8(frame).unwrap();
        let (task, i) = text.split_once(' ').unwrap();
        let task: usize = task.parse().unwrap();
        assert_eq!(i.parse::<u32>().unwrap(), next[task]);
        next[task] += 1;
    }
    sender.finish().await.unwrap();
    assert!(server.recv().await.unwrap().is_none());
}
