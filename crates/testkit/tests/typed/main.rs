//! Frames as values: in every format, with every way to send and receive them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod conversations;
mod formats;
mod python;
mod round_trips;
#[path = "../tools/mod.rs"]
mod tools;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use socketry_codec::{Codec, Framed};
use socketry_transport::{BoxSocket, Listener, connect, listen};

/// A message with every shape of serde's data model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Message {
    Ping,
    Text(String),
    Pair(i64, u64),
    Record {
        id: u64,
        name: Option<String>,
        data: Vec<u8>,
        scores: Vec<f64>,
        tags: BTreeMap<String, i32>,
        within: Option<Box<Message>>,
    },
}

/// Two ends of one conversation, over memory.
async fn pair<C: Codec + Clone>(codec: C) -> (Framed<BoxSocket, C>, Framed<BoxSocket, C>) {
    let mut listener = listen("mem://*").await.unwrap();
    let client = connect(listener.local()).await.unwrap();
    let server = listener.accept().await.unwrap();
    (
        Framed::new(client, codec.clone()),
        Framed::new(server, codec),
    )
}
