//! Servers that say nothing.

use socketry_codec::Json;
use socketry_service::{Call, CallError, Client, JsonField, Lost};
use socketry_transport::{ErrorKind, Listener, listen};
use tokio::time::{Instant, sleep};

use crate::steps::{Peer, SECOND, accept, hear_end, ids, pair, say, with_id};

/// The next request. The clock may move by hours until it comes.
async fn hear(peer: &mut Peer) -> Vec<u8> {
    let frame = peer.recv().await.unwrap();
    frame.expect("a frame, and not the end").to_vec()
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_given_up_within_the_interval_and_the_timeout() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let client = builder.probe("PING").start().unwrap();
    let mut peer = accept(&mut listener).await;
    let begun = Instant::now();
    let once = tokio::spawn(client.call(Call::new("once").within(None)));
    let again = tokio::spawn(client.call(Call::new("again").idempotent().within(None)));
    assert_eq!(hear(&mut peer).await, b"once");
    assert_eq!(hear(&mut peer).await, b"again");
    assert_eq!(hear(&mut peer).await, b"PING");
    assert_eq!(begun.elapsed().as_secs(), 30);
    let error = once.await.unwrap().unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 40);
    assert!(
        matches!(error, CallError::MaybeDone(Lost::Silent(_))),
        "{error}"
    );
    let mut next = accept(&mut listener).await;
    assert_eq!(hear(&mut next).await, b"again");
    say(&mut next, "at last").await;
    assert_eq!(again.await.unwrap().unwrap(), "at last");
}

/// Answers all probes for an hour, and one call at its end.
async fn kept(with_ids: bool) {
    let mut listener = listen("mem://*").await.unwrap();
    let mut builder = Client::builder(listener.local()).unwrap();
    if with_ids {
        builder = builder.correlate(ids());
    }
    let client = builder.probe("\0\0PING").start().unwrap();
    let mut pushes = client.pushes();
    let mut peer = accept(&mut listener).await;
    let server = async {
        let mut probes = 0;
        loop {
            let frame = hear(&mut peer).await;
            let call = frame.ends_with(b"call");
            say(&mut peer, frame).await;
            if call {
                return probes;
            }
            probes += 1;
        }
    };
    let caller = async {
        sleep(3600 * SECOND).await;
        client.call(with_id("call")).await.unwrap()
    };
    let (probes, answer) = tokio::join!(server, caller);
    assert!(answer.ends_with(b"call"));
    assert!((118..=120).contains(&probes), "{probes}");
    client.close().await;
    assert_eq!(pushes.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_probes_is_kept() {
    kept(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_probes_with_ids_is_kept() {
    kept(true).await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_that_arrives_slowly_is_a_sign_of_life() {
    let mut listener = listen("mem://*").await.unwrap();
    let limits = socketry_service::ClientLimits {
        whole_frame: None,
        ..Default::default()
    };
    let builder = Client::builder(listener.local()).unwrap().limits(limits);
    let client = builder.probe("PING").start().unwrap();
    let peer = accept(&mut listener).await;
    let mut socket = peer.into_socket();
    let server = async {
        let wire = [&100_u32.to_le_bytes()[..], &[b'x'; 100]].concat();
        for byte in wire.chunks(1) {
            sleep(25 * SECOND).await;
            socketry_transport::SendExt::send_all(&mut socket, byte)
                .await
                .unwrap();
        }
        socket
    };
    let call = client.call(Call::new("slow").within(None));
    let (answer, _socket) = tokio::join!(call, server);
    assert_eq!(answer.unwrap(), vec![b'x'; 100]);
}

#[tokio::test(start_paused = true)]
async fn without_a_probe_an_idle_client_sends_nothing() {
    let (client, mut peer, _listener) = pair().await;
    sleep(24 * 3600 * SECOND).await;
    assert!(client.state().borrow().is_connected());
    drop(client);
    hear_end(&mut peer).await;
}

#[tokio::test]
async fn a_probe_that_can_never_be_sent_is_refused_at_the_start() {
    let builder = Client::builder("mem://x").unwrap().codec(Json::default());
    let error = builder.probe("PING").start().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("probe"), "{error}");
    let builder = Client::builder("mem://x").unwrap();
    let builder = builder.correlate(JsonField::rpc()).probe(r#"{"id":1}"#);
    assert_eq!(builder.start().unwrap_err().kind(), ErrorKind::Unsupported);
}
