//! Calls that are given up: their answers come late, and are never another call's.

use socketry_service::{Call, CallError, Client, ClientLimits};
use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};

use crate::steps::{SECOND, accept, answer, hear, pair, pair_with_ids, say, with_id};

#[tokio::test]
async fn in_order_a_late_answer_is_not_the_next_calls() {
    let (client, mut peer, _listener) = pair().await;
    let gone = tokio::spawn(client.call("gone"));
    assert_eq!(hear(&mut peer).await, b"gone");
    gone.abort();
    assert!(gone.await.is_err());
    let server = async {
        assert_eq!(hear(&mut peer).await, b"next");
        say(&mut peer, "late").await;
        say(&mut peer, "right").await;
    };
    let (next, ()) = tokio::join!(answer(client.call("next")), server);
    assert_eq!(next.unwrap(), "right");
}

#[tokio::test]
async fn by_id_a_late_answer_is_not_the_next_calls_nor_a_push() {
    let (client, mut peer, _listener) = pair_with_ids().await;
    let mut pushes = client.pushes();
    let gone = tokio::spawn(client.call(with_id("gone")));
    let late = hear(&mut peer).await;
    gone.abort();
    assert!(gone.await.is_err());
    let server = async {
        let next = hear(&mut peer).await;
        assert_ne!(late[..2], next[..2]);
        say(&mut peer, late).await;
        say(&mut peer, next).await;
    };
    let (next, ()) = tokio::join!(answer(client.call(with_id("next"))), server);
    assert_eq!(next.unwrap()[2..], *b"next");
    client.close().await;
    assert_eq!(in_time("the end", pushes.recv()).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_at_its_time_and_says_whether_it_was_sent() {
    let (client, mut peer, _listener) = pair().await;
    let error = client.call(Call::new("slow").within(5 * SECOND)).await;
    let error = error.unwrap_err();
    assert!(
        matches!(error, CallError::TimedOut { after, sent: true } if after == 5 * SECOND),
        "{error}"
    );
    assert!(error.may_be_done());
    let begun = tokio::time::Instant::now();
    let by_default = client.call("slow, too").await.unwrap_err();
    assert_eq!(begun.elapsed(), 30 * SECOND);
    assert!(by_default.may_be_done());
    let server = async {
        assert_eq!(hear(&mut peer).await, b"slow");
        assert_eq!(hear(&mut peer).await, b"slow, too");
        assert_eq!(hear(&mut peer).await, b"quick");
        for answer in ["late", "late, too", "in time"] {
            say(&mut peer, answer).await;
        }
    };
    let (quick, ()) = tokio::join!(client.call("quick"), server);
    assert_eq!(quick.unwrap(), "in time");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_never_sent_says_so_and_is_not_sent_later() {
    let mut listener = listen("mem://*").await.unwrap();
    let at = listener.local().clone();
    let first = Client::builder(&at).unwrap().start().unwrap();
    drop(accept(&mut listener).await);
    drop(listener);
    crate::steps::lost(&first).await;
    let call = first.call(Call::new("never").within(SECOND));
    let error = call.await.unwrap_err();
    assert!(
        matches!(error, CallError::TimedOut { sent: false, .. }),
        "{error}"
    );
    assert!(!error.may_be_done());
    assert!(error.to_string().contains("was not sent"), "{error}");

    let mut listener = listen(&at).await.unwrap();
    let call = tokio::spawn(first.call("now"));
    let mut peer = accept(&mut listener).await;
    assert_eq!(hear(&mut peer).await, b"now");
    say(&mut peer, "then").await;
    assert_eq!(call.await.unwrap().unwrap(), "then");
}

#[tokio::test]
async fn calls_that_are_given_up_free_their_places() {
    let limits = ClientLimits {
        waiting_requests: 4,
        waiting_bytes: 40,
        ..ClientLimits::default()
    };
    // Nobody listens there.
    let gone = listen("mem://*").await.unwrap().local().clone();
    let builder = Client::builder(&gone).unwrap();
    let client = builder.limits(limits).start().unwrap();
    for _ in 0..1000 {
        let calls: Vec<_> = (0..4)
            .map(|_| tokio::spawn(client.call("0123456789")))
            .collect();
        tokio::task::yield_now().await;
        for call in &calls {
            assert!(!call.is_finished(), "it waits");
            call.abort();
        }
        for call in calls {
            assert!(call.await.is_err());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_never_come_by_id_leave_no_place_taken() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let limits = ClientLimits {
        in_flight: 2,
        ..ClientLimits::default()
    };
    let builder = builder.correlate(crate::steps::ids()).limits(limits);
    let client = builder.start().unwrap();
    let mut peer = accept(&mut listener).await;
    for _ in 0..10 {
        let error = client.call(Call::new(with_id("lost")).within(SECOND)).await;
        assert!(error.unwrap_err().may_be_done());
        hear(&mut peer).await;
    }
    let server = async {
        let request = hear(&mut peer).await;
        say(&mut peer, request).await;
    };
    let (answered, ()) = tokio::join!(client.call(with_id("kept")), server);
    assert_eq!(answered.unwrap()[2..], *b"kept");
}
