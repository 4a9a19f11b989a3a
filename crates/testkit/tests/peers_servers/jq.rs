//! `json-seq` with jq, which writes each text on several lines.

use serde_json::{Value, json};
use socketry_codec::Reader;
use socketry_testkit::in_time;

use crate::daemon::{Daemon, command, directory};
use crate::{Live, codec, live, tools};

/// jq that gives back what it reads. Its log stands in the directory.
fn jq(name: &str) -> Option<(Daemon, tempfile::TempDir, Live)> {
    if !tools::has("jq") {
        return None;
    }
    let directory = directory();
    let mut command = command("jq", &["--seq", "--unbuffered", "."]);
    let (daemon, pipes) = Daemon::piped(&mut command, directory.path());
    Some((daemon, directory, live(name, pipes, "json-seq")))
}

async fn heard(peer: &mut Live) -> Value {
    let text = in_time("a text", peer.recv()).await.unwrap();
    serde_json::from_slice(text.unwrap()).unwrap()
}

#[tokio::test]
async fn jq_answers_each_text_at_once() {
    let Some((_daemon, _directory, mut peer)) = jq("jq") else {
        return;
    };
    let values = [
        json!({ "a": [1, { "b": "}\n\u{1e}\"" }], "größe": null }),
        json!(12),
        json!(true),
        json!([]),
        json!("x".repeat(100_000)),
    ];
    for value in &values {
        for text in [format!("{value}"), format!("{value:#}")] {
            peer.send(text.as_bytes()).await.unwrap();
            assert_eq!(heard(&mut peer).await, *value);
        }
    }
    // A pipe ends when it is dropped.
    let (mut texts, pipe) = peer.split();
    drop(pipe);
    assert_eq!(in_time("the end", texts.recv()).await.unwrap(), None);
}

/// It drops what we report as errors, and finds what we find.
#[tokio::test]
async fn jq_loses_the_same_texts() {
    let Some((mut daemon, _directory, peer)) = jq("jq-cut") else {
        return;
    };
    let wire = b"\x1e12\x1e34 \x1etrue\x1e{\"a\":\x1e\"b\\\x1e\x1e[5]\x1e{}\x1e6\n";
    let mut peer = peer.with_codec(codec("raw")).unwrap();
    peer.send(wire).await.unwrap();
    let (mut texts, pipe) = peer.with_codec(codec("json-seq")).unwrap().split();
    drop(pipe);
    let mut theirs: Vec<Value> = Vec::new();
    while let Some(text) = in_time("a text", texts.recv()).await.unwrap() {
        theirs.push(serde_json::from_slice(text).unwrap());
    }
    let mut reader = Reader::new(codec("json-seq"));
    reader.push(wire);
    let (mut ours, mut lost) = (Vec::<Value>::new(), 0);
    loop {
        match reader.next_frame() {
            Ok(Some(text)) => ours.push(serde_json::from_slice(text).unwrap()),
            Ok(None) => break,
            Err(_) => lost += 1,
        }
    }
    assert_eq!(theirs, ours);
    assert_eq!(
        (ours, lost),
        (vec![json!(34), json!([5]), json!({}), json!(6)], 4)
    );
    let ignored = |text: &str| text.matches("ignoring parse error").count() == lost;
    daemon.printed(ignored).await;
}
