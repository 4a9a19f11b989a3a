//! CBOR and MessagePack against other implementations: Python's `cbor2` and `msgpack`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use socketry_codec::{FrameError, Framed, Pack, Struct, Typed, Unpack};
use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, Listener, listen};
use tokio::process::Command;

use super::formats::{Cbor, MessagePack};
use super::{Message, tools};

/// A message as Python reads it: maps, lists and numbers.
#[derive(Serialize, Deserialize)]
struct Seen {
    /// In JSON.
    shown: String,
}

fn messages() -> Vec<Message> {
    let tags = BTreeMap::from([
        ("least".to_owned(), i32::MIN),
        ("most".to_owned(), i32::MAX),
    ]);
    let record = |within| Message::Record {
        id: u64::MAX,
        name: Some("sch\u{f6}n \u{1f980}".to_owned()),
        data: vec![0, 127, 128, 255],
        scores: vec![0.5, -1e300, 1.1],
        tags: tags.clone(),
        within,
    };
    vec![
        Message::Ping,
        Message::Text(String::new()),
        Message::Pair(i64::MIN, u64::MAX),
        record(None),
        record(Some(Box::new(Message::Ping))),
    ]
}

/// Each message is sent to Python, which prints how it reads the message, and sends it back as it
/// writes it.
async fn law<F>(format: &str)
where
    F: Pack<Message> + Unpack<Message> + Unpack<Seen>,
{
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let local = SocketAddr::try_from(listener.local()).unwrap();
    let port = local.port().to_string();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/typed/peer.py");
    let mut python = Command::new("python3");
    python
        .args([script, format, &port])
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let mut python = python.spawn().unwrap();
    let accepted = in_time("Python", listener.accept()).await.unwrap();
    let framed = Framed::new(accepted, Struct::new(">I".parse().unwrap()));
    let mut typed = framed.typed::<Message, F>();
    for message in messages() {
        typed.send(&message).await.unwrap();
        let seen = in_time("what it saw", heard::<Seen, F>(&mut typed)).await;
        let seen: Value = serde_json::from_str(&seen.unwrap().shown).unwrap();
        assert_eq!(seen, serde_json::to_value(&message).unwrap());
        let back = in_time("the same", heard::<Message, F>(&mut typed)).await;
        assert_eq!(back.unwrap(), message);
    }
    // Python then sends two values, half of one, another type, and a last message.
    for wrong in ["two values", "half of one", "another type"] {
        let error = in_time(wrong, typed.recv()).await.unwrap_err();
        assert!(
            !error.is_fatal() && error.frame().is_some(),
            "{wrong}: {error}"
        );
    }
    let last = in_time("the last", typed.recv()).await.unwrap();
    assert_eq!(last, Some(Message::Text("last".to_owned())));
    assert_eq!(typed.recv().await.unwrap(), None);
    typed.close().await.unwrap();
    assert!(in_time("its end", python.wait()).await.unwrap().success());
}

async fn heard<T, F: Unpack<T>>(
    typed: &mut Typed<BoxSocket, Struct, Message, F>,
) -> Result<T, FrameError> {
    let frame = typed.get_mut().recv().await?.unwrap();
    Ok(F::unpack(frame).unwrap())
}

#[tokio::test]
async fn python_speaks_the_same_cbor() {
    if tools::has_module("cbor2") {
        law::<Cbor>("cbor").await;
    }
}

#[tokio::test]
async fn python_speaks_the_same_messagepack() {
    if tools::has_module("msgpack") {
        law::<MessagePack>("msgpack").await;
    }
}
