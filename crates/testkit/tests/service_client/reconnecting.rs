//! Servers that die, end, and come back.

use std::collections::HashMap;

use socketry_service::{Call, CallError, Client, Lost};
use socketry_testkit::{Places, in_time};
use socketry_transport::{BoxListener, Listener, SendExt, SendHalf, listen};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::steps::{
    STREAMS, accept, answer, client, hear, listening, listening_again, lost, pair, say,
    shout_to_all,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_dies_and_comes_back_is_called_again() {
    let places = Places::new();
    for scheme in STREAMS {
        let at = listening(&places, scheme).await.local().clone();
        let client = client(&at);
        let runtime = tokio::runtime::Builder::new_current_thread;
        for life in 0..2 {
            // A server in a runtime of its own, so that all its connections die with it.
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let at = at.clone();
            let server = std::thread::spawn(move || {
                runtime().enable_all().build().unwrap().block_on(async {
                    let listener = listening_again(&at).await;
                    tokio::spawn(shout_to_all(listener));
                    let _ = stopped.await;
                });
            });
            // It waits until the server is there.
            let request = format!("{scheme} {life}");
            let wanted = request.to_ascii_uppercase();
            assert_eq!(answer(client.call(request)).await.unwrap(), wanted);
            drop(stop);
            server.join().unwrap();
            lost(&client).await;
        }
    }
}

/// Answers `most` requests of each connection and then ends it in order, though more requests have
/// arrived. Tells which it did.
fn serve_few(mut listener: BoxListener, most: usize, did: mpsc::UnboundedSender<Vec<u8>>) {
    tokio::spawn(async move {
        loop {
            let mut peer = accept(&mut listener).await;
            let did = did.clone();
            tokio::spawn(async move {
                for _ in 0..most {
                    let Ok(Some(frame)) = peer.recv_bytes().await else {
                        return;
                    };
                    did.send(frame.to_vec()).unwrap();
                    if peer.send(&frame).await.is_err() {
                        return;
                    }
                }
                let _ = peer.close().await;
            });
        }
    });
}

fn counts(mut did: mpsc::UnboundedReceiver<Vec<u8>>) -> HashMap<Vec<u8>, usize> {
    let mut counts = HashMap::new();
    while let Ok(frame) = did.try_recv() {
        *counts.entry(frame).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn a_server_that_ends_after_100_answers_answers_1000_idempotent_calls() {
    let places = Places::new();
    for scheme in STREAMS {
        let (did, done) = mpsc::unbounded_channel();
        let listener = listening(&places, scheme).await;
        let client = client(listener.local());
        serve_few(listener, 100, did);
        let mut calls = JoinSet::new();
        for number in 0..1000 {
            let call = client.call(Call::new(format!("{number}")).idempotent());
            calls.spawn(async move { (number, answer(call).await.unwrap()) });
        }
        for (number, answer) in in_time("all", calls.join_all()).await {
            assert_eq!(answer, number.to_string(), "{scheme}");
        }
        let counts = counts(done);
        assert_eq!(counts.len(), 1000);
    }
}

#[tokio::test]
async fn what_is_not_idempotent_is_never_done_twice() {
    let places = Places::new();
    for scheme in STREAMS {
        let (did, done) = mpsc::unbounded_channel();
        let listener = listening(&places, scheme).await;
        let client = client(listener.local());
        serve_few(listener, 10, did);
        let mut calls = JoinSet::new();
        for number in 0..1000 {
            let call = client.call(format!("{number}"));
            calls.spawn(async move { (number, answer(call).await) });
        }
        let (mut answered, mut unknown) = (0, 0);
        let calls = in_time("all", calls.join_all()).await;
        let counts = counts(done);
        for (number, answer) in calls {
            let times = counts.get(number.to_string().as_bytes());
            match answer {
                Ok(answer) => {
                    assert_eq!((answer, times), (number.to_string().into(), Some(&1)));
                    answered += 1;
                }
                Err(CallError::MaybeDone(_)) => {
                    assert!(times.is_none_or(|times| *times == 1));
                    unknown += 1;
                }
                Err(other) => panic!("{scheme}: {other}"),
            }
        }
        // 256 are in flight at a time, and 10 of them are done.
        assert!(answered >= 30 && unknown > 500, "{answered} {unknown}");
    }
}

#[tokio::test]
async fn an_error_in_the_middle_says_that_it_may_have_been_done() {
    let places = Places::new();
    for scheme in STREAMS {
        let mut listener = listening(&places, scheme).await;
        let client = client(listener.local());
        let mut peer = accept(&mut listener).await;
        let once = tokio::spawn(client.call("once"));
        assert_eq!(hear(&mut peer).await, b"once");
        let again = tokio::spawn(client.call(Call::new("again").idempotent()));
        assert_eq!(hear(&mut peer).await, b"again");
        let _ = peer.socket_mut().abort(0).unwrap();
        drop(peer);
        let error = in_time("an error", once).await.unwrap().unwrap_err();
        assert!(matches!(&error, CallError::MaybeDone(_)), "{error}");
        assert!(error.to_string().contains("may have been done"), "{error}");
        assert!(error.may_be_done());

        let mut peer = accept(&mut listener).await;
        assert_eq!(hear(&mut peer).await, b"again");
        say(&mut peer, "done").await;
        assert_eq!(again.await.unwrap().unwrap(), "done");
    }
}

#[tokio::test]
async fn requests_that_were_not_sent_wait_for_the_next_connection() {
    let mut listener = listen("mem://*").await.unwrap();
    let client = client(listener.local());
    let mut peer = accept(&mut listener).await;
    // The server reads nothing: what the pipe does not hold is not sent.
    let mut calls = JoinSet::new();
    for number in 0..200_u8 {
        let call = client.call(vec![number; 10_000]);
        calls.spawn(async move { (number, answer(call).await) });
    }
    assert_eq!(hear(&mut peer).await, vec![0; 10_000]);
    drop(peer);
    let mut peer = accept(&mut listener).await;
    let heard = async {
        let first = hear(&mut peer).await;
        say(&mut peer, &first).await;
        for number in first[0] + 1..200 {
            let frame = hear(&mut peer).await;
            assert_eq!(frame, vec![number; 10_000], "in their order, without a gap");
            say(&mut peer, &frame).await;
        }
        first[0]
    };
    let (first, calls) = tokio::join!(heard, in_time("all", calls.join_all()));
    assert!((1..100).contains(&first), "{first}");
    for (number, answer) in calls {
        match answer {
            Ok(answer) => assert!(number >= first && answer[0] == number),
            Err(error) => assert!(number < first && error.may_be_done(), "{number}: {error}"),
        }
    }
}

#[tokio::test]
async fn answers_that_arrived_before_the_end_count() {
    let places = Places::new();
    for scheme in STREAMS {
        let mut listener = listening(&places, scheme).await;
        let client = client(listener.local());
        let mut peer = accept(&mut listener).await;
        let calls: Vec<_> = (0..3).map(|_| tokio::spawn(client.call("x"))).collect();
        for _ in 0..3 {
            hear(&mut peer).await;
        }
        for answer in ["one", "two"] {
            peer.feed(answer.as_bytes()).await.unwrap();
        }
        let _ = in_time("the close", peer.close()).await;
        let mut answers = Vec::new();
        for call in calls {
            answers.push(in_time("an answer", call).await.unwrap());
        }
        assert_eq!(answers[0].as_ref().unwrap(), "one");
        assert_eq!(answers[1].as_ref().unwrap(), "two");
        let error = answers[2].as_ref().unwrap_err();
        assert!(
            matches!(error, CallError::MaybeDone(Lost::Ended)),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_that_ends_inside_an_answer_is_lost_and_not_wrong() {
    let places = Places::new();
    for scheme in STREAMS {
        let mut listener = listening(&places, scheme).await;
        let client = client(listener.local());
        let mut peer = accept(&mut listener).await;
        let again = tokio::spawn(client.call(Call::new("again").idempotent()));
        assert_eq!(hear(&mut peer).await, b"again");
        let once = tokio::spawn(client.call("once"));
        assert_eq!(hear(&mut peer).await, b"once");
        let mut socket = peer.into_socket();
        socket.send_all(&[9, 0, 0, 0, b'x']).await.unwrap();
        socket.finish().await.unwrap();
        let error = in_time("an error", once).await.unwrap().unwrap_err();
        assert!(
            matches!(error, CallError::MaybeDone(Lost::Failed(_))),
            "{error}"
        );
        let mut peer = accept(&mut listener).await;
        assert_eq!(hear(&mut peer).await, b"again");
        say(&mut peer, "whole").await;
        assert_eq!(again.await.unwrap().unwrap(), "whole");
    }
}

#[tokio::test]
async fn a_notification_is_sent_at_most_once() {
    let (client, mut peer, mut listener) = pair().await;
    client.notify("one").unwrap();
    assert_eq!(hear(&mut peer).await, b"one");
    drop(peer);
    lost_or_back(&client).await;
    client.notify("two").unwrap();
    let mut peer = accept(&mut listener).await;
    assert_eq!(hear(&mut peer).await, b"two");
}

/// Waits until the client has noticed that its connection is lost.
async fn lost_or_back(client: &Client) {
    let connected = |state: &socketry_service::ClientState| !state.is_connected();
    crate::steps::reaches(&mut client.state(), connected).await;
}
