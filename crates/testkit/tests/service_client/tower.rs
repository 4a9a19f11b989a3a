//! Clients below the layers of tower.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use socketry_service::{Call, CallError, Client, ClientLimits, ClientService};
use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};
use tokio::task::JoinSet;
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PendingRequests};
use tower::retry::Policy;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::steps::{accept, client, hear, pair, say};

/// Retries what was not done, at most three times.
#[derive(Clone)]
struct Unharmed(usize);

impl Policy<Call, bytes::Bytes, CallError> for Unharmed {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Call,
        result: &mut Result<bytes::Bytes, CallError>,
    ) -> Option<Ready<()>> {
        let again = matches!(result, Err(error) if !error.may_be_done());
        self.0 = self.0.checked_sub(1)?;
        again.then(|| ready(()))
    }

    fn clone_request(&mut self, call: &Call) -> Option<Call> {
        Some(call.clone())
    }
}

fn few(waiting_requests: usize, in_flight: usize) -> ClientLimits {
    ClientLimits {
        waiting_requests,
        in_flight,
        ..ClientLimits::default()
    }
}

#[tokio::test]
async fn it_is_ready_when_one_more_request_may_wait() {
    let mut listener = listen("mem://*").await.unwrap();
    let builder = Client::builder(listener.local()).unwrap();
    let client = builder.limits(few(1, 1)).start().unwrap();
    let mut peer = accept(&mut listener).await;
    let (mut one, mut two) = (client.service(), client.service());
    let sent = one.ready().await.unwrap().call(Call::new("sent"));
    let sent = tokio::spawn(sent);
    assert_eq!(hear(&mut peer).await, b"sent");
    let waiting = one.ready().await.unwrap().call(Call::new("waits"));
    // The place is kept until the future is done with it.
    assert!(two.ready().now_or_never().is_none());
    let waiting = tokio::spawn(waiting);
    tokio::task::yield_now().await;
    assert!(two.ready().now_or_never().is_none());
    assert!(matches!(
        client.call("no place").await,
        Err(CallError::Full(1))
    ));
    say(&mut peer, "one").await;
    assert_eq!(hear(&mut peer).await, b"waits");
    in_time("it is ready", two.ready()).await.unwrap();
    say(&mut peer, "two").await;
    assert_eq!(sent.await.unwrap().unwrap(), "one");
    assert_eq!(waiting.await.unwrap().unwrap(), "two");
}

#[tokio::test]
async fn a_service_of_a_closed_client_says_so() {
    let (client, mut peer, _listener) = pair().await;
    let mut service = client.service();
    let closing = tokio::spawn(async move { client.close().await });
    crate::steps::hear_end(&mut peer).await;
    drop(peer);
    in_time("the close", closing).await.unwrap();
    let error = service.ready().await.unwrap_err();
    assert!(matches!(error, CallError::Closed(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn limits_timeouts_and_retries_wrap_a_client() {
    let (client, mut peer, _listener) = pair().await;
    let mut service = ServiceBuilder::new()
        .concurrency_limit(2)
        .timeout(Duration::from_secs(5))
        .service(client.service());
    let calls = ["one", "two"].map(|word| {
        let ready = service.ready().now_or_never().expect("ready").unwrap();
        tokio::spawn(ready.call(Call::new(word)))
    });
    assert!(service.ready().now_or_never().is_none(), "two are called");
    assert_eq!(peer.recv().await.unwrap(), Some(&b"one"[..]));
    assert_eq!(peer.recv().await.unwrap(), Some(&b"two"[..]));
    say(&mut peer, "first").await;
    let [one, two] = calls;
    assert_eq!(one.await.unwrap().unwrap(), "first");
    let late = two.await.unwrap().unwrap_err();
    assert!(late.is::<tower::timeout::error::Elapsed>(), "{late}");

    let retrying = ServiceBuilder::new()
        .retry(Unharmed(3))
        .service(client.service());
    let next = tokio::spawn(retrying.oneshot(Call::new("next")));
    assert_eq!(peer.recv().await.unwrap(), Some(&b"next"[..]));
    for answer in ["late", "right"] {
        say(&mut peer, answer).await;
    }
    assert_eq!(next.await.unwrap().unwrap(), "right");
}

#[tokio::test]
async fn a_retry_calls_again_what_was_not_sent() {
    let builder = Client::builder("mem://nobody-is-at-home").unwrap();
    let client = builder.limits(few(1, 1)).start().unwrap();
    let waits = tokio::spawn(client.call("waits"));
    tokio::task::yield_now().await;
    let (client, tries) = (client.clone(), Arc::new(AtomicUsize::new(0)));
    let tried = Arc::clone(&tries);
    let counted = tower::service_fn(move |call: Call| {
        tried.fetch_add(1, Ordering::SeqCst);
        client.call(call)
    });
    let retrying = ServiceBuilder::new().retry(Unharmed(3)).service(counted);
    let error = retrying.oneshot(Call::new("no place")).await.unwrap_err();
    assert!(matches!(error, CallError::Full(1)), "{error}");
    assert_eq!(tries.load(Ordering::SeqCst), 4);
    waits.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_are_balanced_over_several_servers() {
    let mut services = Vec::new();
    for name in ["A", "B", "C"] {
        let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
        let service: ClientService = client(listener.local()).service();
        tokio::spawn(async move {
            let mut peer = accept(&mut listener).await;
            while let Ok(Some(_)) = peer.recv().await {
                say(&mut peer, name).await;
            }
        });
        services.push(PendingRequests::new(service, CompleteOnResponse::default()));
    }
    let mut balance = Balance::new(ServiceList::new(services));
    let mut calls = JoinSet::new();
    for _ in 0..300 {
        let ready = in_time("a server is ready", balance.ready()).await.unwrap();
        calls.spawn(ready.call(Call::new("who?")));
    }
    let mut answers = HashMap::<_, usize>::new();
    for answer in in_time("all", calls.join_all()).await {
        *answers.entry(answer.unwrap()).or_default() += 1;
    }
    assert_eq!(answers.len(), 3, "{answers:?}");
}
