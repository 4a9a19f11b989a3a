//! Answers, in order and by id.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use socketry_codec::{Framed, Json, Struct};
use socketry_service::{Call, CallError, Client, JsonField};
use socketry_testkit::{Places, in_time};
use socketry_transport::{Listener, listen};
use tokio::task::JoinSet;

use crate::steps::{
    STREAMS, accept, answer, client, hear, ids, listening, pair, pair_with_ids, say, shout, with_id,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_share_one_connection_and_each_gets_its_own_answer() {
    let places = Places::new();
    for scheme in STREAMS {
        let mut listener = listening(&places, scheme).await;
        let client = client(listener.local());
        let accepted = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&accepted);
        let server = tokio::spawn(async move {
            loop {
                let peer = accept(&mut listener).await;
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(shout(peer));
            }
        });
        let mut callers = JoinSet::new();
        for caller in 0..64 {
            let client = client.clone();
            callers.spawn(async move {
                for round in 0..50 {
                    let request = format!("caller {caller} round {round}");
                    let wanted = request.to_ascii_uppercase();
                    assert_eq!(answer(client.call(request)).await.unwrap(), wanted);
                }
            });
        }
        in_time("all callers", callers.join_all()).await;
        assert_eq!(accepted.load(Ordering::SeqCst), 1, "{scheme}");
        server.abort();
    }
}

#[tokio::test]
async fn answers_with_ids_may_come_in_any_order_also_in_datagrams() {
    let places = Places::new();
    for scheme in Places::SCHEMES {
        let mut listener = listening(&places, scheme).await;
        let builder = Client::builder(listener.local()).unwrap();
        let client = builder.correlate(ids()).start().unwrap();
        let server = tokio::spawn(async move {
            let socket = listener.accept().await.unwrap();
            let mut peer = Framed::new(socket, Struct::default());
            let mut frames = Vec::new();
            while frames.len() < 20 {
                frames.push(hear(&mut peer).await);
            }
            for frame in frames.iter().rev() {
                say(&mut peer, frame).await;
            }
            (peer, listener)
        });
        let mut calls = JoinSet::new();
        for number in 0..20 {
            let call = client.call(with_id(&format!("{number}")));
            calls.spawn(async move { (number, answer(call).await.unwrap()) });
        }
        for (number, answer) in in_time("all calls", calls.join_all()).await {
            assert_eq!(answer[2..], *number.to_string().as_bytes(), "{scheme}");
        }
        drop(server.await.unwrap());
    }
}

#[tokio::test]
async fn json_objects_find_their_callers_by_a_field() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let builder = builder.codec(Json::default()).correlate(JsonField::rpc());
    let client = builder.start().unwrap();
    let server = async {
        let mut peer = Framed::new(listener.accept().await.unwrap(), Json::default());
        let first = peer.recv_bytes().await.unwrap().unwrap();
        let second = peer.recv_bytes().await.unwrap().unwrap();
        for frame in [second, first] {
            let text = String::from_utf8(frame.to_vec()).unwrap();
            peer.send(text.replace("method", "result").as_bytes())
                .await
                .unwrap();
        }
        peer
    };
    let add = client.call(r#"{"method":"add"}"#);
    let del = client.call(r#"{"method":"del"}"#);
    let (add, del, _peer) = tokio::join!(answer(add), answer(del), server);
    assert_eq!(add.unwrap(), r#"{"id":1,"result":"add"}"#);
    assert_eq!(del.unwrap(), r#"{"id":2,"result":"del"}"#);
    let refused = answer(client.call(r#"{"id":5}"#)).await.unwrap_err();
    assert!(matches!(refused, CallError::Refused(_)), "{refused}");
    assert!(!refused.may_be_done());
}

#[tokio::test]
async fn requests_leave_in_the_order_of_their_calls_with_notifications_between() {
    let (client, mut peer, _listener) = pair().await;
    let (one, two) = (client.call("1"), client.call("3"));
    let (one, two) = (tokio::spawn(one), async {
        client.notify("2").unwrap();
        answer(two).await
    });
    tokio::task::yield_now().await;
    let server = async {
        let heard: Vec<_> = [
            hear(&mut peer).await,
            hear(&mut peer).await,
            hear(&mut peer).await,
        ]
        .concat();
        say(&mut peer, "to 1").await;
        say(&mut peer, "to 3").await;
        heard
    };
    let (two, heard) = tokio::join!(two, server);
    assert_eq!(heard, b"123");
    assert_eq!(one.await.unwrap().unwrap(), "to 1");
    assert_eq!(two.unwrap(), "to 3");
}

#[tokio::test]
async fn a_request_that_cannot_be_sent_fails_alone() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let client = builder
        .codec(Struct::default().max_frame(10))
        .start()
        .unwrap();
    tokio::spawn(shout(accept(&mut listener).await));
    let long = client.call("much longer than ten bytes");
    let (long, short) = tokio::join!(answer(long), answer(client.call("short")));
    let refused = long.unwrap_err();
    assert!(matches!(refused, CallError::Refused(_)), "{refused}");
    assert!(refused.to_string().contains("limit of 10"), "{refused}");
    assert_eq!(short.unwrap(), "SHORT");
}

#[tokio::test]
async fn an_answer_that_is_no_frame_fails_its_own_call() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let client = builder
        .codec(Struct::default().max_frame(10))
        .start()
        .unwrap();
    let mut peer = accept(&mut listener).await;
    let calls = async { tokio::join!(answer(client.call("one")), answer(client.call("two"))) };
    let server = async {
        assert_eq!(hear(&mut peer).await, b"one");
        assert_eq!(hear(&mut peer).await, b"two");
        say(&mut peer, "an answer that is too long").await;
        say(&mut peer, "fits").await;
    };
    let ((one, two), ()) = tokio::join!(calls, server);
    let error = one.unwrap_err();
    assert!(matches!(error, CallError::BadAnswer(_)), "{error}");
    assert!(error.may_be_done());
    assert_eq!(two.unwrap(), "fits");
}

#[tokio::test]
async fn frames_that_answer_nothing_are_pushes() {
    let (client, mut peer, _listener) = pair_with_ids().await;
    let (mut early, call) = (client.pushes(), client.call(with_id("ask")));
    let server = async {
        let request = hear(&mut peer).await;
        say(&mut peer, with_id("unasked")).await;
        say(&mut peer, "\u{7f}\u{7f}an id that was never given").await;
        say(&mut peer, request).await;
    };
    let (answered, ()) = tokio::join!(answer(call), server);
    assert_eq!(answered.unwrap()[2..], *b"ask");
    let push = in_time("a push", early.recv()).await;
    assert_eq!(push.as_deref(), Some(&b"\0\0unasked"[..]));
    client.close().await;
    assert_eq!(in_time("the end", early.recv()).await, None);
}

#[tokio::test]
async fn a_greeting_is_heard_and_a_slow_listener_is_told_how_many_it_missed() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let (client, mut pushes) = builder.start_listening().unwrap();
    let mut peer = accept(&mut listener).await;
    for number in 0..100 {
        say(&mut peer, format!("push {number}")).await;
    }
    let (answered, ()) = tokio::join!(answer(client.call("now")), async {
        let request = hear(&mut peer).await;
        say(&mut peer, request).await;
    });
    assert_eq!(answered.unwrap(), "now");
    let mut heard = Vec::new();
    client.close().await;
    while let Some(push) = in_time("a push", pushes.recv()).await {
        heard.push(push);
    }
    let wanted: Vec<_> = (36..100)
        .map(|n| Bytes::from(format!("push {n}")))
        .collect();
    assert_eq!((heard, pushes.missed()), (wanted, 36));
}

#[tokio::test]
async fn ids_of_one_byte_are_used_again_only_when_they_are_free() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let limits = socketry_service::ClientLimits {
        in_flight: 1000,
        ..Default::default()
    };
    let builder = builder.correlate(socketry_service::IntegerField::<u8>::at(0));
    let client = builder.limits(limits).start().unwrap();
    let mut peer = accept(&mut listener).await;
    let mut calls = JoinSet::new();
    for number in 0..600_u32 {
        let frame = [&b"\0"[..], &number.to_be_bytes()].concat();
        let call = client.call(Call::new(frame));
        calls.spawn(async move { (number, answer(call).await.unwrap()) });
    }
    let server = async {
        for most in [255, 255, 90] {
            let (mut frames, mut ids) = (Vec::new(), HashSet::new());
            while frames.len() < most {
                let frame = hear(&mut peer).await;
                assert!(ids.insert(frame[0]), "id {} is in use", frame[0]);
                frames.push(frame);
            }
            for frame in frames.iter().rev() {
                say(&mut peer, frame).await;
            }
        }
    };
    let (calls, ()) = tokio::join!(in_time("all", calls.join_all()), server);
    for (number, answer) in calls {
        assert_eq!(answer[1..], number.to_be_bytes());
    }
}
