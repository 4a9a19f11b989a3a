//! What a client may hold.

use socketry_service::{CallError, Client, ClientLimits};
use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};
use tokio::task::JoinSet;

use crate::steps::{accept, hear, say, shout};

fn limited(limits: ClientLimits) -> Client {
    // Nobody listens there.
    let builder = Client::builder("mem://nobody-is-here").unwrap();
    builder.limits(limits).start().unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_100_000_calls_without_a_server_all_beyond_the_limit_fail_at_once() {
    let client = limited(ClientLimits::default());
    let mut calls = JoinSet::new();
    for _ in 0..100_000 {
        calls.spawn(client.call("x"));
    }
    let begun = tokio::time::Instant::now();
    let (mut full, mut late) = (0, 0);
    while let Some(call) = calls.join_next().await {
        match call.unwrap().unwrap_err() {
            CallError::Full(1024) => {
                assert_eq!(begun.elapsed().as_secs(), 0);
                full += 1;
            }
            CallError::TimedOut { sent: false, .. } => late += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!((full, late), (100_000 - 1024, 1024));
}

#[tokio::test]
async fn bytes_are_bounded_too_and_one_request_always_fits() {
    let client = limited(ClientLimits {
        waiting_bytes: 100,
        ..ClientLimits::default()
    });
    let large = tokio::spawn(client.call(vec![0; 1000]));
    tokio::task::yield_now().await;
    let error = client.notify(vec![0; 1]).unwrap_err();
    assert!(matches!(error, CallError::TooManyBytes(1000)), "{error}");
    assert!(!error.may_be_done());
    large.abort();
    assert!(large.await.is_err());
    for _ in 0..10 {
        client.notify(vec![0; 10]).unwrap();
    }
    assert!(client.notify(vec![0; 1]).is_err());
}

#[tokio::test]
async fn no_more_requests_than_may_are_in_flight() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let limits = ClientLimits {
        in_flight: 3,
        ..ClientLimits::default()
    };
    let client = builder.limits(limits).start().unwrap();
    let mut peer = accept(&mut listener).await;
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        calls.spawn(client.call("x"));
    }
    for _ in 0..3 {
        hear(&mut peer).await;
    }
    for _ in 0..7 {
        // The fourth request comes only after the first answer.
        tokio::task::yield_now().await;
        assert!(futures_util::FutureExt::now_or_never(peer.recv()).is_none());
        say(&mut peer, "y").await;
        hear(&mut peer).await;
    }
    for _ in 0..3 {
        say(&mut peer, "y").await;
    }
    for answer in in_time("all", calls.join_all()).await {
        assert_eq!(answer.unwrap(), "y");
    }
}

#[tokio::test]
async fn both_may_send_more_than_the_transport_holds() {
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let client = crate::steps::client(listener.local());
    tokio::spawn(shout(accept(&mut listener).await));
    let mut calls = JoinSet::new();
    for _ in 0..4 {
        calls.spawn(client.call(vec![b'a'; 1 << 20]));
    }
    for answer in in_time("all", calls.join_all()).await {
        assert_eq!(answer.unwrap(), vec![b'A'; 1 << 20]);
    }
}
