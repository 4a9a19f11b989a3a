//! Many clients, each of which asks by hand, and how long their answers take.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socketry_codec::FrameError;
use socketry_service::{Limits, Server};
use socketry_transport::{Listener, TcpTransport, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval_at, sleep};

use super::{FRAME, Over};
use crate::stream::{Found, block_on};
use crate::tally::frame;

const WHOLE: usize = 4 + FRAME;
/// Descriptors that are not connections.
const OTHERS: u64 = 200;
/// Clients that connect at once.
const AT_ONCE: usize = 64;

/// The clients of the storm, beside those that work.
const STORM: usize = 20_000;
const WORKING: usize = 100;
/// How often each of those asks.
const PACE: Duration = Duration::from_millis(10);

/// How long each of ten thousand asks once a second.
const LONG: Duration = Duration::from_secs(30);

/// A run of the storm: the 99th percentile of those that work, and the latest word to one that was
/// refused, both in µs.
pub(super) struct Stormed {
    pub(super) p99: f64,
    pub(super) told: f64,
}

/// The 99th percentile, in µs, of clients that work while nothing else happens.
pub(super) fn quiet() -> f64 {
    served_by(
        |found, over| serve(found, over, WORKING),
        |at| {
            let ending = async || sleep(Duration::from_secs(2)).await;
            block_on(p99(at, WORKING, PACE, ending))
        },
    )
}

/// The same while others connect, and are refused.
pub(super) fn storm() -> Stormed {
    served_by(
        |found, over| serve(found, over, WORKING),
        |at| {
            let (told, answer) = oneshot::channel();
            let (begin, begun) = mpsc::channel();
            let stormers = thread::spawn(move || {
                begun.recv().unwrap();
                told.send(block_on(refused(at))).unwrap();
            });
            let mut told = Duration::ZERO;
            let ending = async || {
                begin.send(()).unwrap();
                told = answer.await.unwrap();
            };
            let p99 = block_on(p99(at, WORKING, PACE, ending));
            stormers.join().unwrap();
            Stormed {
                p99,
                told: micros(told),
            }
        },
    )
}

/// The 99th percentile, in µs, of ten thousand clients that ask once a second.
pub(super) fn many_ours() -> f64 {
    many(|found, over| serve(found, over, usize::MAX))
}

/// The same with a loop by hand for each, and a buffer for two frames.
pub(super) fn many_raw() -> f64 {
    many(serve_raw)
}

fn many(serve: impl FnOnce(Found, Over) + Send + 'static) -> f64 {
    let connections = connections();
    let ending = async || sleep(LONG).await;
    served_by(serve, move |at| {
        block_on(p99(at, connections, Duration::from_secs(1), ending))
    })
}

/// 10,000, or as many as the limit of descriptors allows: both ends are in this process.
pub(super) fn connections() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    maximum.map_or(10_000, |most| ((most - OTHERS) / 2).min(10_000) as usize)
}

/// Runs `ask` with the address of a server in another thread, which ends after it.
fn served_by<T>(
    serve: impl FnOnce(Found, Over) + Send + 'static,
    ask: impl FnOnce(SocketAddr) -> T,
) -> T {
    let (found, place) = mpsc::channel();
    let (end, over) = oneshot::channel();
    let server = thread::spawn(move || serve(found, over));
    let place: String = place.recv().unwrap();
    let asked = ask(place.trim_start_matches("tcp://").parse().unwrap());
    drop(end);
    server.join().unwrap();
    asked
}

fn serve(found: Found, over: Over, most: usize) {
    block_on(async {
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let listener = TcpTransport::default().listen(&at).await.unwrap();
        found.send(listener.local().to_string()).unwrap();
        let limits = Limits {
            connections: most,
            per_peer: usize::MAX,
            requests: usize::MAX,
            ..Limits::default()
        };
        let server = Server::new(listener).limits(limits);
        tokio::select! {
            ended = server.answer(async |request| Ok::<_, FrameError>(request.frame)) => {
                panic!("{ended:?}")
            }
            _ = over => {}
        }
    });
}

fn serve_raw(found: Found, over: Over) {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        found.send(at).unwrap();
        let accept = async {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::spawn(async move {
                    let mut buffer = [0; WHOLE];
                    while stream.read_exact(&mut buffer).await.is_ok() {
                        stream.write_all(&buffer).await.unwrap();
                    }
                });
            }
        };
        tokio::select! {
            () = accept => {}
            _ = over => {}
        }
    });
}

/// The 99th percentile of the answers to `clients`, each of which asks once in each `pace`, until
/// `ending` ends. Each answer has to come, and to be right.
async fn p99(at: SocketAddr, clients: usize, pace: Duration, ending: impl AsyncFnOnce()) -> f64 {
    let mut streams = Vec::with_capacity(clients);
    while streams.len() < clients {
        let mut connecting = JoinSet::new();
        for _ in 0..AT_ONCE.min(clients - streams.len()) {
            connecting.spawn(TcpStream::connect(at));
        }
        while let Some(connected) = connecting.join_next().await {
            let mut stream = connected.unwrap().unwrap();
            stream.set_nodelay(true).unwrap();
            // It is served from now on.
            trip(&mut stream).await;
            streams.push(stream);
        }
    }
    let (over, _) = tokio::sync::watch::channel(false);
    let mut tasks = JoinSet::new();
    for (number, mut stream) in streams.into_iter().enumerate() {
        let mut over = over.subscribe();
        let first = pace.mul_f64(number as f64 / clients as f64);
        tasks.spawn(async move {
            let mut taken = Vec::new();
            let mut ticks = interval_at((Instant::now() + first).into(), pace);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => taken.push(trip(&mut stream).await),
                    _ = over.changed() => return taken,
                }
            }
        });
    }
    ending().await;
    over.send(true).unwrap();
    let mut all: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    all.sort_unstable();
    micros(all[all.len() * 99 / 100])
}

/// How long one request took.
async fn trip(stream: &mut TcpStream) -> Duration {
    let mut question = (FRAME as u32).to_le_bytes().to_vec();
    question.extend(frame(FRAME));
    let begun = Instant::now();
    stream.write_all(&question).await.unwrap();
    let mut answer = [0; WHOLE];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(question, answer);
    begun.elapsed()
}

/// Connects [`STORM`] clients, each of which has to be refused. Gives the latest word to one, from
/// the begin of its connecting.
async fn refused(at: SocketAddr) -> Duration {
    let mut stormers = JoinSet::new();
    for _ in 0..AT_ONCE {
        stormers.spawn(async move {
            let mut latest = Duration::ZERO;
            for _ in 0..STORM / AT_ONCE {
                let begun = Instant::now();
                if let Ok(mut stream) = TcpStream::connect(at).await {
                    let read = stream.read(&mut [0]).await;
                    assert!(read.is_err(), "a reset, and not {read:?}");
                }
                latest = latest.max(begun.elapsed());
            }
            latest
        });
    }
    stormers.join_all().await.into_iter().max().unwrap()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
