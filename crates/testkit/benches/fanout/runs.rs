//! The runs: bursts, and messages at a pace.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::crowd::Crowd;
use crate::server::{Kind, Server};

const LENGTH: usize = 128;
const BURST: usize = 1000;
/// How many deliveries a run of bursts makes, and one of a server that is far behind.
const DELIVERIES: usize = 1_000_000;
const FEW_DELIVERIES: usize = 200_000;
/// How long a paced run takes.
const PACED: Duration = Duration::from_secs(2);

fn text() -> Vec<u8> {
    vec![b'x'; LENGTH]
}

/// A server, its subscribers, and its publisher.
struct Stage {
    server: Server,
    crowd: Crowd,
    publisher: TcpStream,
}

impl Stage {
    fn set(kind: Kind, size: usize) -> Self {
        let server = Server::start(kind);
        let crowd = Crowd::join(server.at, size, &server.subscription());
        let mut publisher = TcpStream::connect(server.at).unwrap();
        publisher.set_nodelay(true).unwrap();
        publisher.write_all(&server.introduction()).unwrap();
        // Redis answers each command, and nobody has to look.
        let mut answers = publisher.try_clone().unwrap();
        thread::spawn(move || {
            let mut buf = [0; 4096];
            while answers.read(&mut buf).is_ok_and(|len| len > 0) {}
        });
        let mut stage = Stage {
            server,
            crowd,
            publisher,
        };
        stage.settle();
        stage
    }

    /// Everybody has subscribed when everybody gets something.
    fn settle(&mut self) {
        let hello = self.server.publication(b"hello");
        loop {
            self.publisher.write_all(&hello).unwrap();
            let until = Instant::now() + Duration::from_millis(50);
            while Instant::now() < until {
                self.crowd.read(Duration::from_millis(10), |_, _| {});
            }
            if self.crowd.is_reached() {
                break;
            }
        }
        self.crowd.settle();
    }
}

/// Deliveries a second.
pub(crate) fn burst(kind: Kind, size: usize) -> f64 {
    let mut stage = Stage::set(kind, size);
    let burst = stage.server.publication(&text()).repeat(BURST);
    let each = stage.server.delivered(LENGTH) * BURST;
    let deliveries = match kind {
        Kind::Broadcast => FEW_DELIVERIES,
        _ => DELIVERIES,
    };
    let bursts = deliveries.div_ceil(BURST * size);
    let begun = Instant::now();
    for count in 1..=bursts {
        let mut publisher = stage.publisher.try_clone().unwrap();
        let burst = &burst;
        thread::scope(|scope| {
            scope.spawn(move || publisher.write_all(burst).unwrap());
            stage.crowd.read_until(count * each, |_, _| {});
        });
    }
    (bursts * BURST * size) as f64 / begun.elapsed().as_secs_f64()
}

/// The result of a run at a pace.
pub(crate) struct Paced {
    pub(crate) deliveries_for_a_second_of_processor: f64,
    /// Sorted, in nanoseconds.
    delays: Vec<u64>,
}

impl Paced {
    /// The delay, in seconds, that this part of the deliveries does not exceed.
    pub(crate) fn at(&self, part: f64) -> f64 {
        let place = (self.delays.len() - 1) as f64 * part;
        self.delays[place as usize] as f64 / 1e9
    }
}

/// `rate` messages a second to readers, beside some that have stopped.
pub(crate) fn paced(kind: Kind, size: usize, stopped: usize, rate: u32) -> Paced {
    let mut stage = Stage::set(kind, size);
    let _stopped = stop(&mut stage, stopped);
    let message = stage.server.publication(&text());
    let each = stage.server.delivered(LENGTH);
    let count = (PACED.as_secs_f64() * f64::from(rate)) as usize;
    let begun = Instant::now();
    let sent: Arc<[AtomicU64]> = (0..count).map(|_| AtomicU64::new(0)).collect();
    let before = stage.server.processor_time();
    let mut delays = Vec::with_capacity(count * size);
    let mut publisher = stage.publisher.try_clone().unwrap();
    let clock = move || begun.elapsed().as_nanos() as u64;
    thread::scope(|scope| {
        let sent = &sent;
        scope.spawn(move || {
            for (index, time) in sent.iter().enumerate() {
                let due = begun + Duration::from_secs(1) / rate * index as u32;
                thread::sleep(due.saturating_duration_since(Instant::now()));
                time.store(clock(), Ordering::Release);
                publisher.write_all(&message).unwrap();
            }
        });
        stage.crowd.read_until(count * each, |had, has| {
            let now = clock();
            for index in had / each..has / each {
                delays.push(now - sent[index].load(Ordering::Acquire));
            }
        });
    });
    let processor = stage.server.processor_time() - before;
    delays.sort_unstable();
    Paced {
        deliveries_for_a_second_of_processor: delays.len() as f64 / processor.as_secs_f64(),
        delays,
    }
}

/// Readers that have stopped: all buffers on the way to them are full.
fn stop(stage: &mut Stage, count: usize) -> Vec<TcpStream> {
    let join = |_| {
        let mut stream = TcpStream::connect(stage.server.at).unwrap();
        stream.write_all(&stage.server.subscription()).unwrap();
        stream
    };
    let stopped: Vec<_> = (0..count).map(join).collect();
    if count > 0 {
        thread::sleep(Duration::from_millis(200));
        let flood = stage.server.publication(&[b'f'; 60_000]);
        for _ in 0..200 {
            stage.publisher.write_all(&flood).unwrap();
            stage.crowd.read(Duration::from_millis(5), |_, _| {});
        }
        // Longer than any server waits for a reader that has stopped.
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            stage.crowd.read(Duration::from_millis(10), |_, _| {});
        }
    }
    stage.crowd.settle();
    stopped
}
