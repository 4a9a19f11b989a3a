//! One message to many: a hub, the chat server, a chat over `tokio::sync::broadcast`, and a real
//! `redis-server` (`PUBLISH`), with equal clients.
//!
//! `cargo bench -p socketry-testkit --bench fanout` compares everything; the harness documents the
//! arguments after `--`. Each server is a process of its own. The clients are plain sockets of one
//! thread in this process, which reads and counts bytes, and one blocking socket that publishes.
//! They are the same for all servers but for the words that they say. Messages have 128 bytes.
//!
//! * *burst*: the publisher writes 1,000 messages at once, and again when everybody has them. The
//!   figure is deliveries a second.
//! * *processor*: 500 or 100 messages a second. The figure is deliveries for each second of the
//!   server's processor time.
//! * *p50*, *p99*: of the time from the write of a message to the read of its last byte, also at
//!   500 or 100 a second; the figure is its reciprocal, so that more is better.
//!
//! Redis listens on a free port of the loopback, in a directory of its own, without persistence and
//! without limits for its subscribers. Without a `redis-server` its sides are left out.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    dead_code,
    reason = "a bench, and a harness of which it need not use all"
)]

mod broadcast;
mod crowd;
#[path = "../harness/mod.rs"]
mod harness;
mod redis;
mod runs;
mod served;
mod server;

use harness::contest::{Contest, Unit};
use runs::{Paced, burst, paced};
use server::Kind;

fn main() {
    let mut words = std::env::args()
        .skip_while(|word| word != "--serve")
        .skip(1);
    if let Some(kind) = words.next() {
        return served::serve(&kind);
    }
    crowd::raise_descriptors();
    let mut all: Vec<_> = [200, 1000].map(bursts).into();
    for (crowd, rate) in [(200, 500), (200, 100), (1000, 100)] {
        all.push(processor(crowd, rate));
        all.push(median(crowd, rate));
    }
    all.push(stopped());
    harness::run(all);
}

const OURS: [(&str, Kind); 2] = [("hub", Kind::Hub), ("chat", Kind::Chat)];

/// Ours, and Redis if it is there.
fn sides(mut contest: Contest, least: f64, run: impl Fn(Kind) -> f64 + Clone + 'static) -> Contest {
    let redis = redis::is_installed();
    for (name, kind) in OURS {
        let run = run.clone();
        contest = contest.weighed(name, move || run(kind));
        if redis {
            contest = contest.target(name, "redis", least);
        }
    }
    if redis {
        contest = contest.weighed("redis", move || run(Kind::Redis));
    } else {
        eprintln!("there is no redis-server: nothing is compared with it");
    }
    contest
}

fn bursts(crowd: usize) -> Contest {
    let contest = Contest::new("fan-out burst", crowd.to_string(), Unit::Frames);
    sides(contest, 1.5, move |kind| burst(kind, crowd))
        .weighed("broadcast", move || burst(Kind::Broadcast, crowd))
        .target("hub", "broadcast", 3.0)
        .target("chat", "broadcast", 3.0)
}

fn processor(crowd: usize, rate: u32) -> Contest {
    let label = format!("{crowd} at {rate}/s");
    let contest = Contest::new("fan-out processor", label, Unit::Frames);
    sides(contest, 1.0, move |kind| {
        paced(kind, crowd, 0, rate).deliveries_for_a_second_of_processor
    })
}

fn median(crowd: usize, rate: u32) -> Contest {
    let label = format!("{crowd} at {rate}/s");
    let contest = Contest::new("fan-out p50", label, Unit::Trips);
    sides(contest, 1.0, move |kind| {
        1.0 / paced(kind, crowd, 0, rate).at(0.5)
    })
}

/// The others' p99 beside readers that have stopped.
fn stopped() -> Contest {
    let p99 = |kind, stopped| 1.0 / Paced::at(&paced(kind, 200, stopped, 500), 0.99);
    Contest::new("fan-out p99", "200 at 500/s", Unit::Trips)
        .weighed("hub", move || p99(Kind::Hub, 0))
        .weighed("hub, 1 stopped", move || p99(Kind::Hub, 1))
        .weighed("hub, 50 stopped", move || p99(Kind::Hub, 50))
        .weighed("chat", move || p99(Kind::Chat, 0))
        .weighed("chat, 1 stopped", move || p99(Kind::Chat, 1))
        .target("hub, 1 stopped", "hub", 0.9)
        .target("hub, 50 stopped", "hub", 0.9)
        .target("chat, 1 stopped", "chat", 0.9)
}
