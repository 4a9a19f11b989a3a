//! A thousand busy connections at the stop, over faulty sockets, in virtual time: all requests that
//! the server has taken are answered, no later client is served, and the server ends in time.
//!
//! `SOCKETRY_SEEDS=100` in the environment makes it a hundred runs, which take a minute.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use socketry_codec::{FrameError, Framed, Struct};
use socketry_service::{Limits, Observer, Request, Server};
use socketry_testkit::faulty::for_each_seed;
use socketry_testkit::{Faults, FaultyTransport};
use socketry_transport::{BoxSocket, Listener, MemTransport, Registry};
use tokio::runtime::Builder;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const COMMAND: &str = "cargo test -p socketry-testkit --test service_drain";
const CONNECTIONS: usize = 1_000;
/// The requests of each connection.
const EACH: usize = 3;
const GRACE: Duration = Duration::from_secs(60);

/// What the server took and answered.
#[derive(Clone, Default)]
struct Requests(Arc<[AtomicUsize; 3]>);

impl Observer for Requests {
    fn requested(&self, _: u64, _: usize) {
        self.0[0].fetch_add(1, SeqCst);
    }
    fn answered(&self, _: u64, latency: Option<Duration>) {
        let at = if latency.is_some() { 1 } else { 2 };
        self.0[at].fetch_add(1, SeqCst);
    }
}

impl Requests {
    fn counts(&self) -> [usize; 3] {
        [0, 1, 2].map(|at| self.0[at].load(SeqCst))
    }
}

/// Answers after up to a second.
async fn answer(request: Request, seed: u64) -> Result<bytes::Bytes, FrameError> {
    let number = u64::from(request.frame[0]) + u64::from(request.frame[1]) * 256;
    let mut dice = fastrand::Rng::with_seed(seed ^ (number << 20));
    sleep(Duration::from_millis(dice.u64(0..1_000))).await;
    Ok(request.frame)
}

/// Sends its requests and tells that it is busy. Gives how many answers came, in order, before the
/// orderly end.
async fn ask(socket: BoxSocket, number: usize, busy: Arc<Barrier>) -> usize {
    let mut client = Framed::new(socket, Struct::default());
    let question = |each: usize| [number.to_le_bytes(), each.to_le_bytes()].concat();
    client.feed_many((0..EACH).map(question)).await.unwrap();
    client.flush().await.unwrap();
    busy.wait().await;
    for each in 0..EACH {
        match client.recv().await.unwrap() {
            Some(answer) => assert_eq!(answer, question(each)),
            None => return each,
        }
    }
    assert_eq!(client.recv().await.unwrap(), None);
    EACH
}

async fn drain(seed: u64) {
    let faults = Faults::harmless().seed(seed);
    let faulty = FaultyTransport::new(MemTransport::default(), &faults);
    let registry = Registry::standard().with("mem", faulty);
    let listener = registry.listen("mem://*?backlog=2000").await.unwrap();
    let at = listener.local().clone();
    let limits = Limits {
        connections: 2 * CONNECTIONS,
        per_peer: usize::MAX,
        requests_per_connection: 2,
        // Most of them wait for their turn.
        requests: 500,
        grace: Some(GRACE),
        ..Limits::default()
    };
    let requests = Requests::default();
    let server = Server::new(listener).limits(limits);
    let server = server.observer(requests.clone());
    let stopper = server.stopper();
    let serving = tokio::spawn(server.answer(move |request| answer(request, seed)));

    let busy = Arc::new(Barrier::new(CONNECTIONS + 1));
    let mut clients = JoinSet::new();
    for number in 0..CONNECTIONS {
        let socket = registry.connect(at.clone()).await.unwrap();
        clients.spawn(ask(socket, number, Arc::clone(&busy)));
    }
    busy.wait().await;
    // At another moment in each run: few are answered, or many.
    let moment = fastrand::Rng::with_seed(seed).u64(0..1_500);
    sleep(Duration::from_millis(moment)).await;
    stopper.stop();
    let stopped = Instant::now();
    tokio::task::yield_now().await;
    if let Ok(late) = registry.connect(at.clone()).await {
        let mut late = Framed::new(late, Struct::default());
        let _ = late.send(b"late").await;
        assert!(!matches!(late.recv().await, Ok(Some(_))), "a late answer");
    }
    let answers: usize = clients.join_all().await.into_iter().sum();
    let summary = serving.await.unwrap().unwrap();
    assert!(stopped.elapsed() < GRACE, "{:?}", stopped.elapsed());
    assert_eq!(summary.served, CONNECTIONS as u64);
    assert_eq!(summary.cut, 0);
    // A pause may keep a request in its socket, so that it had not arrived at the stop.
    let [taken, answered, given_up] = requests.counts();
    assert_eq!((answers, answered, given_up), (taken, taken, 0));
    assert!(taken >= CONNECTIONS * (EACH - 1), "only {taken} were taken");
}

#[test]
fn a_thousand_busy_connections_are_drained() {
    for_each_seed(COMMAND, 3, |seed| {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let long = Duration::from_secs(3_600);
        let drained = runtime.block_on(async { timeout(long, drain(seed)).await });
        drained.expect("it hangs");
    });
}
