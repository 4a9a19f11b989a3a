//! Several connections to one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use socketry_codec::FrameError;
use socketry_service::{CallError, ClientState, Lost, Pool, PoolLimits, Server};
use socketry_testkit::{Places, in_time};
use socketry_transport::{Listener, SendHalf};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PendingRequestsDiscover};
use tower::{Service, ServiceExt};

use crate::steps::{
    SECOND, STREAMS, accept, answer, builder, hear, hear_end, listen, listening, reaches, say,
};

fn limits(connections: usize) -> PoolLimits {
    PoolLimits {
        connections,
        ..PoolLimits::default()
    }
}

async fn in_memory(limits: PoolLimits) -> (Pool, socketry_transport::BoxListener) {
    let listener = listen("mem://*").await.unwrap();
    let pool = builder(listener.local()).pool(limits).unwrap();
    (pool, listener)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_connections_are_made_than_may_be() {
    let places = Places::new();
    for scheme in STREAMS {
        let listener = listening(&places, scheme).await;
        let pool = builder(listener.local()).pool(limits(3)).unwrap();
        let server = Server::new(listener);
        let stopper = server.stopper();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let peak = Arc::clone(&most);
        let serving = tokio::spawn(server.answer(move |request| {
            let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
            async move {
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, FrameError>(request.frame)
            }
        }));
        let mut calls = JoinSet::new();
        for number in 0..200 {
            let pool = pool.clone();
            let number = number.to_string();
            calls.spawn(async move {
                let answered = answer(pool.call(number.clone())).await;
                assert_eq!(answered.unwrap(), number);
            });
        }
        in_time("all", calls.join_all()).await;
        assert!(most.load(Ordering::SeqCst) <= 3, "over {scheme}");
        in_time("the end", pool.close()).await;
        stopper.stop();
        let summary = serving.await.unwrap().unwrap();
        assert!(summary.served <= 3, "{summary:?} over {scheme}");
    }
}

#[tokio::test]
async fn users_get_connections_in_the_order_in_which_they_came() {
    let (pool, mut listener) = in_memory(limits(1)).await;
    let first = pool.client().await.unwrap();
    let waiting = tokio::spawn(async move {
        let (one, two, three) = (pool.call("1"), pool.call("2"), pool.call("3"));
        tokio::join!(one, two, three)
    });
    let mut peer = accept(&mut listener).await;
    tokio::task::yield_now().await;
    drop(first);
    for wanted in ["1", "2", "3"] {
        let asked = hear(&mut peer).await;
        assert_eq!(asked, wanted.as_bytes());
        say(&mut peer, asked).await;
    }
    let (one, two, three) = waiting.await.unwrap();
    assert_eq!([one, two, three].map(Result::unwrap), ["1", "2", "3"]);
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_are_bounded_in_number_and_time() {
    let bounds = PoolLimits {
        waiting: 1,
        wait: Some(5 * SECOND),
        ..limits(1)
    };
    let (pool, _listener) = in_memory(bounds).await;
    let kept = pool.client().await.unwrap();
    let begun = Instant::now();
    let (waits, refused) = tokio::join!(pool.call("a"), pool.call("b"));
    let refused = refused.unwrap_err();
    assert!(matches!(refused, CallError::Full(1)), "{refused}");
    let late = waits.unwrap_err();
    assert!(
        matches!(late, CallError::TimedOut { sent: false, .. }),
        "{late}"
    );
    assert_eq!(begun.elapsed(), 5 * SECOND);
    // One that gives up leaves its place to others.
    let given_up = tokio::time::timeout(SECOND, pool.client()).await;
    assert!(given_up.is_err());
    drop(kept);
    assert!(pool.client().await.is_ok());
}

#[tokio::test]
async fn a_connection_that_was_lost_is_not_the_choice() {
    let (pool, mut listener) = in_memory(limits(2)).await;
    let (one, two) = tokio::join!(pool.client(), pool.client());
    let (one, two) = (one.unwrap(), two.unwrap());
    let (mut first, mut second) = (accept(&mut listener).await, accept(&mut listener).await);
    for client in [&one, &two] {
        in_time("a connection", client.connected()).await.unwrap();
    }
    let state = one.state();
    drop((one, two));
    // Nobody accepts any more, so one of both is lost for good.
    drop(listener);
    let _ = first.socket_mut().abort(0).unwrap();
    drop(first);
    let mut states = state;
    let lost = |state: &ClientState| !state.is_connected();
    reaches(&mut states, lost).await;
    for _ in 0..5 {
        let call = answer(pool.call("x"));
        let server = async {
            let asked = hear(&mut second).await;
            say(&mut second, asked).await;
        };
        let (answer, ()) = tokio::join!(call, server);
        assert_eq!(answer.unwrap(), "x");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_user_is_closed_after_the_idle_time() {
    let (pool, mut listener) = in_memory(limits(2)).await;
    let (kept, brief) = (pool.client().await.unwrap(), pool.client().await.unwrap());
    let mut peers = [accept(&mut listener).await, accept(&mut listener).await];
    sleep(300 * SECOND).await;
    assert_eq!(pool.connections(), 2, "both are in use");
    drop(brief);
    sleep(59 * SECOND).await;
    assert_eq!(pool.connections(), 2);
    sleep(2 * SECOND).await;
    assert_eq!(pool.connections(), 1, "one is in use");
    hear_end(&mut peers[1]).await;
    drop(kept);
    sleep(61 * SECOND).await;
    assert_eq!(pool.connections(), 0);
    hear_end(&mut peers[0]).await;
    // The next one is made anew.
    let call = pool.call("again");
    let server = async {
        let mut peer = accept(&mut listener).await;
        let asked = hear(&mut peer).await;
        say(&mut peer, asked).await;
    };
    assert_eq!(tokio::join!(call, server).0.unwrap(), "again");
}

#[tokio::test]
async fn a_pool_that_is_dropped_closes_its_connections_in_order() {
    let (pool, mut listener) = in_memory(limits(2)).await;
    let client = pool.client().await.unwrap();
    let mut peer = accept(&mut listener).await;
    in_time("a connection", client.connected()).await.unwrap();
    drop(pool);
    let call = client.call("last");
    let server = async {
        let asked = hear(&mut peer).await;
        say(&mut peer, asked).await;
    };
    assert_eq!(tokio::join!(call, server).0.unwrap(), "last");
    drop(client);
    hear_end(&mut peer).await;
}

#[tokio::test]
async fn a_closed_pool_lends_no_more() {
    let (pool, _listener) = in_memory(limits(2)).await;
    let client = pool.client().await.unwrap();
    in_time("the end", pool.close()).await;
    let error = pool.call("x").await.unwrap_err();
    assert!(matches!(error, CallError::Closed(Lost::Closed)), "{error}");
    let error = client.call("x").await.unwrap_err();
    assert!(matches!(error, CallError::Closed(_)), "{error}");
}

#[tokio::test]
async fn a_pool_that_can_never_connect_says_so() {
    let pool = |url: &str| builder(&url.parse().unwrap()).pool(limits(1));
    assert!(pool("nowhere://x").is_err());
    let pool = pool("tcp://127.0.0.1:1?no_such_option=1").unwrap();
    for _ in 0..2 {
        let error = answer(pool.call("x")).await.unwrap_err();
        assert!(matches!(error, CallError::Closed(_)), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tower_balances_over_pools() {
    let (mut pools, mut counts) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let listener = listen("tcp://127.0.0.1:0").await.unwrap();
        let pool = builder(listener.local()).pool(limits(2)).unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        counts.push(Arc::clone(&count));
        tokio::spawn(Server::new(listener).answer(move |request| {
            count.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, FrameError>(request.frame) }
        }));
        pools.push(pool.service());
    }
    let services = PendingRequestsDiscover::new(
        ServiceList::new::<socketry_service::Call>(pools),
        CompleteOnResponse::default(),
    );
    let mut balanced = Balance::new(services);
    let mut calls = JoinSet::new();
    for number in 0..100 {
        let ready = in_time("room", balanced.ready()).await.unwrap();
        let call = ready.call(number.to_string().into());
        calls.spawn(async move { assert_eq!(call.await.unwrap(), number.to_string()) });
    }
    in_time("all", calls.join_all()).await;
    let counts = counts.iter().map(|count| count.load(Ordering::SeqCst));
    let counts: Vec<_> = counts.collect();
    assert_eq!(counts.iter().sum::<usize>(), 100);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}
