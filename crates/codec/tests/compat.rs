//! The same codecs under `tokio_util`'s `Framed`.
#![cfg(feature = "tokio-util")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::io::ErrorKind;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use socketry_codec::{CodecError, Compat, Fault};
use tokio::io::AsyncWriteExt;
use tokio_util::codec::{Framed, FramedRead};

#[tokio::test]
async fn frames_there_and_back() {
    for name in &common::NAMES[1..] {
        let (here, there) = tokio::io::duplex(7);
        let send = tokio::spawn(async move {
            let mut framed = Framed::new(here, Compat::new(common::codec(name)));
            for frame in ["{}", "{\"a\":1}"] {
                framed.send(frame).await.unwrap();
            }
        });
        let mut framed = Framed::new(there, Compat::new(common::codec(name)));
        let read: Vec<_> = StreamExt::collect(&mut framed).await;
        let read: Vec<Bytes> = read
            .into_iter()
            .map(|item| item.unwrap().unwrap())
            .collect();
        assert_eq!(read, ["{}", "{\"a\":1}"], "{name}");
        send.await.unwrap();
    }
}

async fn items(name: &str, wire: &[u8]) -> Vec<Result<Result<Bytes, CodecError>, ErrorKind>> {
    let (mut here, there) = tokio::io::duplex(3);
    let wire = wire.to_vec();
    let send = tokio::spawn(async move { here.write_all(&wire).await });
    let codec = socketry_codec::CodecSpec::new(name);
    let codec = socketry_codec::CodecSpec {
        max_frame: Some(4),
        max_discard: Some(40),
        ..codec
    };
    let read = FramedRead::new(there, Compat::new(codec.build().unwrap()));
    let items = read.map(|item| item.map_err(|error| error.kind()));
    let items = items.collect().await;
    // After a fatal error the rest is not read.
    let _ = send.await.unwrap();
    items
}

#[tokio::test]
async fn an_error_that_can_be_skipped_is_an_item() {
    for (name, wire) in [
        ("struct:B", &b"\x0912345\n789\x02ok\x05a"[..]),
        ("line", b"123456789\nok\na"),
    ] {
        let items = items(name, wire).await;
        let [Ok(Err(long)), Ok(Ok(ok)), Ok(Err(last))] = &items[..] else {
            panic!("{name}: {items:?}");
        };
        assert!(matches!(long.fault, Fault::TooLong { .. }));
        assert_eq!(ok, "ok");
        assert!(!last.is_fatal());
    }
}

#[tokio::test]
async fn a_fatal_error_is_the_last_item() {
    let items = items("struct:b", b"\x02ok\xff\x02ok").await;
    assert_eq!(items, [Ok(Ok("ok".into())), Err(ErrorKind::InvalidData)]);
}
