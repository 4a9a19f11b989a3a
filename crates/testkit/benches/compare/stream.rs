//! Frames over a stream: one sender and one receiver, each on a thread with a runtime of its own,
//! so that neither waits for the other's worker. The clock runs from the first frame until the
//! receiver has seen the end.

mod asynchronous;
mod lines;
mod message_io;
pub(crate) mod ours;
pub(crate) mod raw;
pub(crate) mod util;

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use crate::contest::{Contest, Unit, Work};
use crate::memory::bytes;
use crate::tally::{Tally, frame, text};

/// The frames of one run.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) frame: Vec<u8>,
    pub(crate) count: usize,
}

pub(crate) fn contests() -> Vec<Contest> {
    let sizes = [16, 64, 256, 1 << 10, 16 << 10, 64 << 10, 1 << 20];
    let mut all: Vec<_> = sizes.into_iter().zip(TCP).map(tcp).collect();
    all.extend([64, 1 << 10, 64 << 10].map(unix));
    all.push(lines(64));
    all
}

/// The targets of our side: against tokio-util with its defaults, tokio-util tuned, raw blocking
/// sockets, and boxed against static; then with many frames a call, against raw blocking sockets,
/// and boxed against static. 0 is no target.
const TCP: [[f64; 6]; 7] = [
    [5.0, 4.0, 0.72, 0.0, 1.0, 0.0],
    [3.0, 2.5, 0.92, 0.85, 1.05, 0.95],
    [2.2, 1.0, 0.95, 0.0, 0.95, 0.0],
    [2.2, 1.0, 1.0, 0.97, 1.0, 0.97],
    [1.4, 1.0, 1.0, 0.97, 1.0, 0.97],
    [1.1, 1.0, 1.0, 0.97, 1.0, 0.97],
    [1.4, 1.4, 1.0, 0.97, 1.0, 0.97],
];

fn tcp((size, targets): (usize, [f64; 6])) -> Contest {
    let (load, unit) = (load(size), unit(size));
    let contest = Contest::new("framed tcp", bytes(size), unit)
        .carrying(size)
        .side("ours", side(unit, &load, ours::tcp, ours::send))
        .side(
            "ours, many",
            side(unit, &load, ours::tcp_many, ours::send_many),
        )
        .side(
            "ours, boxed",
            side(unit, &load, ours::boxed, ours::send_boxed),
        )
        .side(
            "ours, boxed many",
            side(unit, &load, ours::boxed_many, ours::send_boxed_many),
        )
        .side("tokio-util", side(unit, &load, util::receive, util::send))
        .side(
            "tokio-util, tuned",
            side(unit, &load, util::receive_tuned, util::send_tuned),
        )
        .side("raw, blocking", side(unit, &load, raw::receive, raw::send));
    let pairs = [
        ("ours", "tokio-util"),
        ("ours", "tokio-util, tuned"),
        ("ours", "raw, blocking"),
        ("ours, boxed", "ours"),
        ("ours, many", "raw, blocking"),
        ("ours, boxed many", "ours, many"),
    ];
    let targets = pairs.into_iter().zip(targets);
    let contest = targets
        .filter(|(_, least)| *least > 0.0)
        .fold(contest, |contest, ((side, against), least)| {
            contest.target(side, against, least)
        });
    match size {
        64 => more(contest, unit, &load, 10.0),
        65_536 => more(contest, unit, &load, 1.5),
        _ => contest,
    }
}

/// The sides that run with two lengths of frames only, and the target against message-io.
fn more(contest: Contest, unit: Unit, load: &Load, least: f64) -> Contest {
    contest
        .side(
            "raw tokio",
            side(unit, load, raw::receive_tokio, raw::send_tokio),
        )
        .side(
            "message-io",
            side(unit, load, message_io::receive, message_io::send),
        )
        .side(
            "asynchronous-codec",
            side(unit, load, asynchronous::receive, asynchronous::send),
        )
        .target("ours", "message-io", least)
}

fn unix(size: usize) -> Contest {
    let (load, unit) = (load(size), unit(size));
    Contest::new("framed unix", bytes(size), unit)
        .carrying(size)
        .side("ours", side(unit, &load, ours::unix, ours::send_unix))
        .side(
            "ours, many",
            side(unit, &load, ours::unix_many, ours::send_unix_many),
        )
        .side(
            "raw tokio",
            side(unit, &load, raw::receive_unix, raw::send_unix),
        )
        .target("ours", "raw tokio", 0.9)
        .target("ours, many", "raw tokio", 1.0)
}

fn lines(size: usize) -> Contest {
    let (mut load, unit) = (load(size), unit(size));
    load.frame = text(size);
    Contest::new("framed lines tcp", bytes(size), unit)
        .side("ours", side(unit, &load, lines::receive, lines::send))
        .side(
            "tokio-util",
            side(unit, &load, lines::receive_util, lines::send_util),
        )
}

pub(crate) fn unit(size: usize) -> Unit {
    if size <= 1024 {
        Unit::Frames
    } else {
        Unit::Bytes
    }
}

pub(crate) fn load(size: usize) -> Load {
    let total = match size {
        0..128 => 64 << 20,
        128..4096 => 256 << 20,
        _ => 512 << 20,
    };
    Load {
        frame: frame(size),
        count: total / size,
    }
}

/// The address of the receiver, once it listens.
pub(crate) type Found = mpsc::Sender<String>;

/// A side: a receiver that reports its address and its count, and a sender that reports when it was
/// connected.
pub(crate) fn side<S: Fn(&str, &Load) -> Instant>(
    unit: Unit,
    load: &Load,
    receive: fn(Found) -> Tally,
    send: S,
) -> impl FnMut() -> Work + use<S> {
    let load = load.clone();
    move || {
        let (found, place) = mpsc::channel();
        // The names help with profiling.
        let receiver = thread::Builder::new()
            .name("receiver".to_owned())
            .spawn(move || (receive(found), Instant::now()))
            .unwrap();
        let begun = send(&place.recv().unwrap(), &load);
        let (tally, over) = receiver.join().unwrap();
        assert_eq!(tally, Tally::of(&load.frame, load.count));
        let each = match unit {
            Unit::Bytes => load.frame.len(),
            _ => 1,
        };
        Work {
            amount: (load.count * each) as f64,
            elapsed: over - begun,
        }
    }
}

/// Runs it on this thread alone.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}
