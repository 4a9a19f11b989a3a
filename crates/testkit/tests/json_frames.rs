//! JSON frames as values: a frame of another type is not lost.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use bytes::BytesMut;
use socketry_codec::{BareJson, Codec, FrameFault, Framed, Json, Line};
use socketry_testkit::Script;

fn framed<C: Codec>(mut codec: C, frames: &[&str]) -> Framed<Script, C> {
    let mut wire = BytesMut::new();
    for frame in frames {
        codec.encode(frame.as_bytes(), &mut wire).unwrap();
    }
    Framed::new(Script::stream().arriving([&wire[..]]), codec)
}

async fn heard<C: Codec>(codec: C) {
    let other = r#"{"another":"kind"}"#;
    let mut framed = framed(codec, &[other, r#"{"secs":1,"nanos":2}"#]);
    let error = framed.recv_json::<Duration>().await.unwrap_err();
    assert!(!error.is_fatal());
    assert_eq!(error.frame().unwrap(), other);
    assert_eq!(
        error.to_string(),
        "cannot understand a frame from mem://script: \
         unknown field `another`, expected `secs` or `nanos` at line 1 column 10"
    );
    let value: serde_json::Value = serde_json::from_slice(error.frame().unwrap()).unwrap();
    assert_eq!(value["another"], "kind");
    let next: Duration = framed.recv_json().await.unwrap().unwrap();
    assert_eq!(next, Duration::new(1, 2));
    assert!(framed.recv_json::<Duration>().await.unwrap().is_none());
}

#[tokio::test]
async fn a_frame_of_another_type_is_in_the_error_and_the_next_one_follows() {
    heard(Json::default()).await;
    heard(BareJson::new()).await;
    heard(Line::new()).await;
}

#[tokio::test]
async fn so_is_one_that_is_no_json() {
    let mut framed = framed(Line::new(), &["hello"]);
    let error = framed.recv_json::<Duration>().await.unwrap_err();
    assert_eq!(error.frame().unwrap(), "hello");
}

/// Nothing was received that could be lost.
#[tokio::test]
async fn other_errors_hold_no_frame() {
    let mut framed = framed(Line::new(), &[]);
    let error = framed.send(b"a\nb").await.unwrap_err();
    assert_eq!(error.frame(), None);
    let keys = std::collections::HashMap::from([((1, 2), 3)]);
    let error = framed.send_json(&keys).await.unwrap_err();
    assert_eq!(error.frame(), None);
    assert!(
        error.to_string().starts_with("cannot write a frame for "),
        "{error}"
    );
}

/// One task passes the error that ended a conversation to another task in it.
#[tokio::test]
async fn an_error_can_be_cloned_and_is_the_same() {
    let mut framed = framed(Line::new(), &["hello"]);
    let error = framed.recv_json::<Duration>().await.unwrap_err();
    let same = error.clone();
    assert_eq!(same.to_string(), error.to_string());
    assert_eq!(same.frame(), error.frame());
    assert!(same.get_ref().unwrap().is::<serde_json::Error>());

    let reset = Script::stream().failing(std::io::ErrorKind::ConnectionReset);
    let error = Framed::new(reset, Line::new()).recv().await.unwrap_err();
    let same = error.clone();
    let FrameFault::Io(inner) = same.into_fault() else {
        panic!("{error}")
    };
    assert_eq!(inner.kind(), std::io::ErrorKind::ConnectionReset);
}
