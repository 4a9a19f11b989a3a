//! Requests with several answers.

use std::time::Duration;

use socketry_service::{Call, CallError};
use socketry_testkit::in_time;

use crate::steps::{SECOND, answer, hear, pair, pair_with_ids, say, with_id};

fn is_last(frame: &[u8]) -> bool {
    frame.ends_with(b".")
}

#[tokio::test]
async fn answers_come_one_by_one_up_to_the_last() {
    let (client, mut peer, _listener) = pair().await;
    let mut answers = client.stream("count", is_last).unwrap();
    let after = tokio::spawn(client.call("after"));
    assert_eq!(hear(&mut peer).await, b"count");
    for number in 0..1000 {
        // Far more than may wait for the reader: none is lost.
        peer.feed(number.to_string().as_bytes()).await.unwrap();
    }
    for answer in ["1000.", "to the other call"] {
        say(&mut peer, answer).await;
    }
    for number in 0..1000 {
        let frame = in_time("an answer", answers.next()).await.unwrap().unwrap();
        assert_eq!(frame, number.to_string());
    }
    assert_eq!(answers.next().await.unwrap().unwrap(), "1000.");
    assert!(answers.next().await.is_none());
    assert!(answers.next().await.is_none());
    assert_eq!(after.await.unwrap().unwrap(), "to the other call");
}

#[tokio::test]
async fn a_stream_that_is_dropped_takes_no_answer_of_another_call() {
    let (client, mut peer, _listener) = pair().await;
    let mut answers = client.stream("count", is_last).unwrap();
    assert_eq!(hear(&mut peer).await, b"count");
    say(&mut peer, "1").await;
    assert_eq!(answers.next().await.unwrap().unwrap(), "1");
    drop(answers);
    let server = async {
        assert_eq!(hear(&mut peer).await, b"next");
        for answer in ["2", "3.", "right"] {
            say(&mut peer, answer).await;
        }
    };
    let (next, ()) = tokio::join!(answer(client.call("next")), server);
    assert_eq!(next.unwrap(), "right");
}

#[tokio::test]
async fn a_reader_that_goes_away_lets_the_others_go_on() {
    let (client, mut peer, _listener) = pair().await;
    let answers = client.stream("count", is_last).unwrap();
    assert_eq!(hear(&mut peer).await, b"count");
    for _ in 0..100 {
        peer.feed(b"more than may wait").await.unwrap();
    }
    peer.flush().await.unwrap();
    let next = tokio::spawn(client.call("next"));
    assert_eq!(hear(&mut peer).await, b"next");
    say(&mut peer, "the last.").await;
    say(&mut peer, "right").await;
    drop(answers);
    assert_eq!(
        answer(async { next.await.unwrap() }).await.unwrap(),
        "right"
    );
}

#[tokio::test]
async fn streams_and_calls_with_ids_are_mixed() {
    let (client, mut peer, _listener) = pair_with_ids().await;
    let mut one = client.stream(with_id("a"), is_last).unwrap();
    let mut two = client.stream(with_id("b"), is_last).unwrap();
    let three = tokio::spawn(client.call(with_id("c")));
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(hear(&mut peer).await[..2].to_vec());
    }
    for (who, word) in [(1, "b1"), (0, "a1"), (2, "c"), (0, "a2."), (1, "b2.")] {
        say(&mut peer, [&ids[who][..], word.as_bytes()].concat()).await;
    }
    let mut heard = Vec::new();
    for answers in [&mut one, &mut two] {
        while let Some(answer) = in_time("an answer", answers.next()).await {
            heard.push(answer.unwrap()[2..].to_vec());
        }
    }
    assert_eq!(heard, [&b"a1"[..], b"a2.", b"b1", b"b2."]);
    assert_eq!(three.await.unwrap().unwrap()[2..], *b"c");
}

#[tokio::test]
async fn a_stream_that_is_cut_ends_with_an_error_and_is_not_called_again() {
    let (client, mut peer, mut listener) = pair().await;
    let call = Call::new("count").idempotent();
    let mut answers = client.stream(call, is_last).unwrap();
    assert_eq!(hear(&mut peer).await, b"count");
    say(&mut peer, "1").await;
    assert_eq!(answers.next().await.unwrap().unwrap(), "1");
    drop(peer);
    let error = in_time("the end", answers.next())
        .await
        .unwrap()
        .unwrap_err();
    assert!(matches!(error, CallError::MaybeDone(_)), "{error}");
    assert!(answers.next().await.is_none());
    let mut peer = crate::steps::accept(&mut listener).await;
    let (next, ()) = tokio::join!(answer(client.call("next")), async {
        assert_eq!(hear(&mut peer).await, b"next");
        say(&mut peer, "right").await;
    });
    assert_eq!(next.unwrap(), "right");
}

#[tokio::test(start_paused = true)]
async fn each_answer_has_its_own_time() {
    let (client, mut peer, _listener) = pair().await;
    let call = Call::new("count").within(10 * SECOND);
    let mut answers = client.stream(call, is_last).unwrap();
    let server = async {
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(8)).await;
            say(&mut peer, "one").await;
        }
        peer
    };
    let reader = async {
        for _ in 0..5 {
            assert_eq!(answers.next().await.unwrap().unwrap(), "one");
        }
        let late = answers.next().await.unwrap().unwrap_err();
        assert!(
            matches!(late, CallError::TimedOut { sent: true, .. }),
            "{late}"
        );
        assert!(answers.next().await.is_none());
    };
    let _ = tokio::join!(server, reader);
}
