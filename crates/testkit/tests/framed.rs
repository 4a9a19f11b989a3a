//! `Framed` over every transport and codec: sent frames arrive, whole and in order.
#![allow(clippy::unwrap_used, reason = "tests")]

use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::{Places, in_time};
use socketry_transport::{BoxSocket, Endpoint, Listener, connect, listen};

const CODECS: [&str; 7] = [
    "raw",
    "line",
    "line:crlf",
    "struct",
    "struct:>H",
    "json",
    "json:bare",
];

fn codec(name: &str) -> BoxCodec {
    name.parse().unwrap()
}

async fn pair(at: &Endpoint, name: &str) -> (Framed<BoxSocket>, Framed<BoxSocket>) {
    let mut listener = listen(at).await.unwrap();
    let mut client = Framed::new(connect(listener.local()).await.unwrap(), codec(name));
    // A datagram listener knows a peer by its first datagram.
    client.send(b"{\"hello\":1}").await.unwrap();
    let mut server = Framed::new(listener.accept().await.unwrap(), codec(name));
    assert_eq!(server.recv().await.unwrap().unwrap(), b"{\"hello\":1}");
    (client, server)
}

#[tokio::test]
async fn every_codec_over_every_transport() {
    let places = Places::new();
    for name in CODECS {
        for at in places.all() {
            let talk = async {
                let (mut client, mut server) = pair(&at, name).await;
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
            in_time(&format!("{at} {name}"), talk).await;
        }
    }
}

#[tokio::test]
async fn large_frames_and_bodies_both_ways() {
    let (mut client, mut server) = pair(&Places::new().free("tcp"), "struct").await;
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
    let (client, mut server) = pair(&Places::new().free("tcp"), "struct").await;
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
