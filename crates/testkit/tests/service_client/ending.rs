//! How a client ends.

use bytes::BytesMut;
use socketry_codec::{Codec, CodecError, Decoded, End, Struct};
use socketry_service::{CallError, Client, ClientState, Lost};
use socketry_testkit::{Places, in_time};
use socketry_transport::{Listener, listen};

use crate::steps::{
    STREAMS, accept, answer, client, hear, hear_end, listening, pair, reaches, say,
};

#[tokio::test]
async fn dropping_the_last_handle_sends_what_waits_and_ends_in_order() {
    let places = Places::new();
    for scheme in STREAMS {
        let mut listener = listening(&places, scheme).await;
        let client = client(listener.local());
        let mut peer = accept(&mut listener).await;
        in_time("connected", client.connected()).await.unwrap();
        for number in 0..100 {
            client.notify(format!("{number}")).unwrap();
        }
        let other = client.clone();
        drop(client);
        other.notify("last").unwrap();
        let mut state = other.state();
        drop(other);
        for number in 0..100 {
            assert_eq!(hear(&mut peer).await, number.to_string().as_bytes());
        }
        assert_eq!(hear(&mut peer).await, b"last");
        hear_end(&mut peer).await;
        drop(peer);
        reaches(&mut state, ClientState::is_closed).await;
    }
}

#[tokio::test]
async fn a_call_holds_its_client() {
    let mut listener = listen("mem://*").await.unwrap();
    let call = tokio::spawn(client(listener.local()).call("alone"));
    let mut peer = accept(&mut listener).await;
    assert_eq!(hear(&mut peer).await, b"alone");
    say(&mut peer, "answered").await;
    assert_eq!(call.await.unwrap().unwrap(), "answered");
    hear_end(&mut peer).await;
}

#[tokio::test]
async fn a_close_waits_for_calls_and_takes_no_more() {
    let (client, mut peer, _listener) = pair().await;
    let call = tokio::spawn(client.call("before"));
    assert_eq!(hear(&mut peer).await, b"before");
    let other = client.clone();
    let closing = tokio::spawn(async move { other.close().await });
    tokio::task::yield_now().await;
    let error = answer(client.call("after")).await.unwrap_err();
    assert!(matches!(error, CallError::Closed(Lost::Closed)), "{error}");
    assert!(!closing.is_finished());
    say(&mut peer, "answered").await;
    hear_end(&mut peer).await;
    drop(peer);
    assert_eq!(call.await.unwrap().unwrap(), "answered");
    in_time("the close", closing).await.unwrap();
    assert!(client.notify("x").is_err());
}

#[tokio::test]
async fn a_client_without_a_server_ends_at_once() {
    let client = Client::builder("mem://nobody").unwrap().start().unwrap();
    client.notify("lost").unwrap();
    crate::steps::lost(&client).await;
    in_time("the close", client.close()).await;
}

/// Panics when it is to encode `panic`.
#[derive(Clone)]
struct Fragile(Struct);

impl Codec for Fragile {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        self.0.decode(input, end)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        if frame == b"panic" {
            std::panic::resume_unwind(Box::new("as the test wants it"));
        }
        self.0.encode(frame, out)
    }
    fn at_boundary(&self) -> bool {
        self.0.at_boundary()
    }
}

#[tokio::test]
async fn a_codec_that_panics_leaves_no_call_waiting() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let client = builder.codec(Fragile(Struct::default())).start().unwrap();
    let mut peer = accept(&mut listener).await;
    let sent = tokio::spawn(client.call("sent"));
    assert_eq!(hear(&mut peer).await, b"sent");
    for call in [tokio::spawn(client.call("panic")), sent] {
        let error = in_time("an error", call).await.unwrap().unwrap_err();
        assert!(error.may_be_done(), "{error}");
    }
    let error = answer(client.call("after")).await.unwrap_err();
    assert!(matches!(error, CallError::Closed(Lost::Closed)), "{error}");
}
