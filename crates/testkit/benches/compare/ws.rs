//! Messages over WebSocket: ours, and the crates for the protocol over tokio's sockets, each with
//! its defaults. None of the others begins with a handshake, which no side has on the clock: their
//! two ends take a TCP connection for a WebSocket. A message is binary and has one frame, and the
//! client masks it.

mod fast;
mod ours;
mod tungstenite;
mod websockets;

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::contest::{Contest, Unit, Work};
use crate::memory::bytes;
use crate::stream::{Found, Load, load, side, unit};

/// The lengths of messages.
const SIZES: [usize; 2] = [64, 64 << 10];
/// The crates that ours is compared with.
const OTHERS: [&str; 3] = ["tokio-tungstenite", "tokio-websockets", "fastwebsockets"];

pub(crate) fn contests() -> Vec<Contest> {
    SIZES
        .into_iter()
        .flat_map(|size| [one_way(size), there_and_back(size)])
        .collect()
}

fn against_others(contest: Contest) -> Contest {
    OTHERS
        .into_iter()
        .fold(contest, |contest, other| contest.target("ours", other, 1.0))
}

fn one_way(size: usize) -> Contest {
    let unit = unit(size);
    let mut load = load(size);
    load.count /= 4;
    let contest = Contest::new("messages ws", bytes(size), unit)
        .carrying(size)
        .side("ours", side(unit, &load, ours::receive, ours::send))
        .side(
            "ours, many",
            side(unit, &load, ours::receive_many, ours::send_many),
        )
        .side(
            "ours, a flush for each",
            side(unit, &load, ours::receive, ours::send_each),
        )
        .side(
            "tokio-tungstenite",
            side(unit, &load, tungstenite::receive, tungstenite::send),
        )
        .side(
            "tokio-websockets",
            side(unit, &load, websockets::receive, websockets::send),
        )
        .side(
            "fastwebsockets",
            side(unit, &load, fast::receive, fast::send),
        );
    match size {
        // A flush is a system call, which costs as much as many short messages.
        64 => against_others(contest).target("ours, many", "ours, a flush for each", 3.0),
        _ => against_others(contest),
    }
}

fn there_and_back(size: usize) -> Contest {
    let mut load = load(size);
    load.count = if size <= 1024 { 20_000 } else { 5_000 };
    let contest = Contest::new("round trip ws", bytes(size), Unit::Trips)
        .side("ours", trip(&load, ours::echo, ours::ask))
        .side(
            "tokio-tungstenite",
            trip(&load, tungstenite::echo, tungstenite::ask),
        )
        .side(
            "tokio-websockets",
            trip(&load, websockets::echo, websockets::ask),
        )
        .side("fastwebsockets", trip(&load, fast::echo, fast::ask));
    against_others(contest)
}

/// A server that reports its address and echoes until the end, and a client that asks it so often
/// and reports when it began.
pub(crate) fn trip(
    load: &Load,
    echo: fn(Found),
    ask: fn(&str, &Load) -> Instant,
) -> impl FnMut() -> Work + use<> {
    let load = load.clone();
    move || {
        let (found, place) = mpsc::channel();
        let server = thread::spawn(move || echo(found));
        let begun = ask(&place.recv().unwrap(), &load);
        let elapsed = begun.elapsed();
        server.join().unwrap();
        Work {
            amount: load.count as f64,
            elapsed,
        }
    }
}
