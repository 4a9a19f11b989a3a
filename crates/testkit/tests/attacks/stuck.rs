//! Readers that never read.

use std::time::{Duration, Instant};

use socketry_apps::matrix::App;
use socketry_apps::{chat, file};
use socketry_codec::{Framed, Struct};
use socketry_testkit::{Places, in_time};
use socketry_transport::{SendExt, Socket};

use crate::served::Served;
use crate::victims::{REMOTE, STREAMS, connect, free, pair, service};

/// In ssh-chat all users waited five seconds for each user that did not read. Here they wait
/// [`chat::limits::PATIENCE`], once, and the server holds no more than may wait for one user.
#[tokio::test]
async fn chat_is_held_up_once_and_holds_little() {
    for scheme in REMOTE {
        chat_is_held_up_once(scheme).await;
    }
}

async fn chat_is_held_up_once(scheme: &str) {
    let root = tempfile::tempdir().unwrap();
    let served = Served::start(App::Chat, scheme, "struct", root.path()).await;
    let mut stuck = Vec::new();
    for _ in 0..20 {
        let mut socket = connect(&served.at).await.unwrap();
        socket.send_all(b"\x01\0\0\0x").await.unwrap();
        stuck.push(socket);
    }
    let mut bob = chat::Client::connect(&served.service, &served.at, None)
        .await
        .unwrap();
    let mut ann = chat::Client::connect(&served.service, &served.at, None)
        .await
        .unwrap();
    let text = "x".repeat(60_000);
    let (mut longest, mut waits) = (Duration::ZERO, 0);
    for number in 0..200 {
        let begun = Instant::now();
        let text = format!("{number} {text}");
        ann.send(&text).await.unwrap();
        while in_time(&format!("bob hears {number} over {scheme}"), bob.recv())
            .await
            .unwrap()
            .unwrap()
            .text
            != text
        {}
        longest = longest.max(begun.elapsed());
        waits += usize::from(begun.elapsed() >= chat::limits::PATIENCE * 9 / 10);
    }
    // Not five seconds, and not once for each: they are noticed as their kernel buffers fill up,
    // most of them at once.
    assert!(longest < Duration::from_secs(5), "{scheme}: {longest:?}");
    assert!(waits <= 5, "{scheme}: {waits} messages had to wait");
    let grown = served.grown();
    assert!(
        grown < 40 << 20,
        "{scheme}: {grown} bytes more for 20 who do not read"
    );
}

/// A download that its client does not read. The file is not read ahead of it.
#[tokio::test]
async fn a_file_that_its_client_does_not_read_is_not_buffered() {
    for scheme in REMOTE {
        a_file_is_not_buffered(scheme).await;
    }
}

async fn a_file_is_not_buffered(scheme: &str) {
    let root = tempfile::tempdir().unwrap();
    let huge = std::fs::File::create(root.path().join("huge")).unwrap();
    huge.set_len(1 << 30).unwrap();
    std::fs::write(root.path().join("small"), "small").unwrap();
    let served = Served::start(App::File, scheme, "json", root.path()).await;
    let mut stuck = Vec::new();
    for _ in 0..20 {
        let mut framed = Framed::new(
            connect(&served.at).await.unwrap(),
            service("json").codec.build().unwrap(),
        );
        framed
            .send(br#"{"opt":"download","filename":"huge"}"#)
            .await
            .unwrap();
        in_time("the header", framed.recv()).await.unwrap().unwrap();
        stuck.push(framed);
    }
    let to = root.path().join("fetched");
    let mut client = file::Client::connect(&served.service, &served.at)
        .await
        .unwrap();
    let got = in_time("another client", client.get("small", &to, |_, _| ()))
        .await
        .unwrap();
    assert_eq!(got.bytes, 5);
    let grown = served.grown();
    assert!(
        grown < 40 << 20,
        "{scheme}: {grown} bytes more for 20 who do not read"
    );
}

/// However much is fed, no more waits than the limit. A task that sends to other peers goes on.
#[tokio::test]
async fn a_sender_holds_no_more_than_its_limit() {
    let places = Places::new();
    for scheme in STREAMS {
        let (_stuck, victim) = pair(&free(&places, scheme)).await;
        let (_, send) = victim.split();
        let sender = Framed::new(send, Struct::default()).into_sender_with(64 << 10);
        let (other, good) = pair(&free(&places, scheme)).await;
        let (_, send) = good.split();
        let fine = Framed::new(send, Struct::default()).into_sender_with(64 << 10);
        let mut hearing = Framed::new(other, Struct::default());
        let frame = [7; 1_000];
        let mut refused = 0;
        // Until its own buffers and those of the system are full, and then far more.
        while refused < 10_000 {
            refused += usize::from(!sender.try_send(&frame).unwrap());
            if refused % 1_000 == 1 {
                fine.send(&frame).await.unwrap();
                let heard = in_time("who reads", hearing.recv()).await.unwrap();
                assert_eq!(heard.unwrap(), frame);
            }
            tokio::task::yield_now().await;
        }
        assert!(!sender.is_closed(), "{scheme}");
        sender.abort();
    }
}
