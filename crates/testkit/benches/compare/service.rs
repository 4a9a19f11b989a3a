//! Requests and answers of 64 B over TCP with `nodelay`: a server and its client, each on a thread
//! with a runtime of its own.
//!
//! * *1 caller*: one request after another. *by hand* is a loop over a `TcpStream` at each end.
//!   *client by hand* is our server with that client, *server by hand* the other way round.
//! * *64 callers*: as many tasks share one connection, and each makes one request after another.
//!   *mutex and map* is tokio-util's `Framed` with an id before each request, its sink behind a
//!   mutex and the callers in a map. *tarpc* sends JSON.
//! * *observed*: the client by hand, and a server without an observer, with one that counts frames,
//!   and with one that records metrics.
//! * *storm*: the 99th percentile of 100 clients that ask once in 10 ms, alone and while 20,000
//!   others connect and are refused, 64 at once; and the latest word to one of those. It has a
//!   target for the ratio: alone, it is at least a third of that in the storm.
//! * *10,000*: as many clients by hand (or as the limit of descriptors allows) ask once a second
//!   for 30 s, and each has its answer: the 99th percentile. `--processes 1 --rounds 1` take two
//!   minutes.

mod crowd;
mod mutexed;
mod ours;
mod tarpc;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::contest::{Contest, Unit, Work};
use crate::stream::Found;
use crate::trip::raw;

/// Ends a server.
type Over = oneshot::Receiver<()>;

const TRIPS: usize = 20_000;
/// The callers that share a connection, and what each asks.
const CALLERS: usize = 64;
const EACH: usize = 1_000;
/// A request's length.
const FRAME: usize = 64;

pub(crate) fn contests() -> Vec<Contest> {
    let alone = Contest::new("service", "tcp 64 B, 1 caller", Unit::Trips)
        .side("ours", side(ours::serve, ours::call))
        .side("by hand", side(by_hand, raw::ask_tcp))
        .side("client by hand", side(ours::serve, raw::ask_tcp))
        .side("server by hand", side(by_hand, ours::call))
        .target("ours", "by hand", 0.97)
        .target("client by hand", "by hand", 0.97);
    let shared = Contest::new("service", "tcp 64 B, 64 callers", Unit::Trips)
        .side("ours", shared(ours::serve, ours::call_many))
        .side("mutex and map", shared(mutexed::serve, mutexed::call_many))
        .side("tarpc", shared(tarpc::serve, tarpc::call_many))
        .target("ours", "mutex and map", 2.0)
        .target("ours", "tarpc", 5.0);
    let observed = Contest::new("service", "tcp 64 B, observed", Unit::Trips)
        .side("off", side(ours::serve, raw::ask_tcp))
        .side("counted", side(ours::serve_counted, raw::ask_tcp))
        .side("metrics", side(ours::serve_metrics, raw::ask_tcp))
        .target("counted", "off", 0.98)
        .target("metrics", "off", 0.98);
    vec![alone, shared, observed, storm(), many()]
}

fn storm() -> Contest {
    Contest::new("service", "storm, p99", Unit::Micros)
        .weighed("alone", crowd::quiet)
        .weighed("in the storm", || crowd::storm().p99)
        .weighed("the latest word", || crowd::storm().told)
        .target("alone", "in the storm", 1.0 / 3.0)
        .limit("the latest word", 100_000.0)
}

fn many() -> Contest {
    let label = format!("{} clients, p99", crowd::connections());
    Contest::new("service", label, Unit::Micros)
        .weighed("ours", crowd::many_ours)
        .weighed("by hand", crowd::many_raw)
        .target("by hand", "ours", 0.5)
}

/// The loop by hand ends when its client does.
fn by_hand(found: Found, _: Over) {
    raw::echo_tcp(found);
}

/// A server that reports its address and runs until it is over, and a client that makes so
/// many round trips and reports when it began.
fn side(serve: fn(Found, Over), ask: fn(&str, usize) -> Instant) -> impl FnMut() -> Work {
    move || {
        let (found, place) = mpsc::channel();
        let (end, over) = oneshot::channel();
        let server = thread::spawn(move || serve(found, over));
        let begun = ask(&place.recv().unwrap(), TRIPS);
        let elapsed = begun.elapsed();
        drop(end);
        server.join().unwrap();
        work(TRIPS, elapsed)
    }
}

/// The same with a client that reports how long all calls took.
fn shared(serve: fn(Found, Over), call: fn(&str) -> Duration) -> impl FnMut() -> Work {
    move || {
        let (found, place) = mpsc::channel();
        let (end, over) = oneshot::channel();
        let server = thread::spawn(move || serve(found, over));
        let elapsed = call(&place.recv().unwrap());
        drop(end);
        server.join().unwrap();
        work(CALLERS * EACH, elapsed)
    }
}

fn work(trips: usize, elapsed: Duration) -> Work {
    Work {
        amount: trips as f64,
        elapsed,
    }
}

/// Runs [`CALLERS`] tasks, each of which calls [`EACH`] times, one after another.
async fn callers<F: Future<Output = ()> + Send + 'static>(
    mut call: impl FnMut() -> F + Clone + Send + 'static,
) -> Duration {
    // What is made for the first call is not measured.
    call().await;
    let begun = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let mut call = call.clone();
        tasks.spawn(async move {
            for _ in 0..EACH {
                call().await;
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    begun.elapsed()
}
