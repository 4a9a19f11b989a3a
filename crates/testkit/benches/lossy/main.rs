//! A file over a network that loses, delays and reorders packets: the file app over QUIC, and over
//! the kernel's TCP.
//!
//! Both go through the same network: a device (TUN) in a network namespace of this process, and a
//! program (`link.py`) that gives each packet back, with the ends swapped, unless it loses it. So a
//! packet from 10.9.0.1 to 10.9.0.2 comes to this machine as one from 10.9.0.2 to 10.9.0.1. The
//! dice have a seed. Loss and delay are those of one direction. `cubic` and `bbr` are the rules by
//! which the rate follows the network: `cubic` is the default of quinn and of Linux.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    dead_code,
    reason = "a bench, and a harness of which it need not use all"
)]

mod file;
#[path = "../harness/mod.rs"]
mod harness;
mod link;

use std::env;
use std::process::{Command, ExitCode};

use harness::contest::{Contest, Unit};
use link::Link;

/// Is set in the namespace.
const INSIDE: &str = "SOCKETRY_LOSSY";

/// The network, and the bytes of the file.
const RUNS: [(&str, Link, usize); 3] = [
    ("2 %", Link::losing(20).within(0), 64 << 20),
    ("2 %, 1 ms", Link::losing(20).within(1), 64 << 20),
    ("2 %, 10 ms", Link::losing(20).within(10), 4 << 20),
];

fn main() -> ExitCode {
    if env::var_os(INSIDE).is_none() {
        return in_a_namespace();
    }
    harness::run(RUNS.into_iter().map(contest).collect());
    ExitCode::SUCCESS
}

/// Runs this program again, with a network of its own.
fn in_a_namespace() -> ExitCode {
    let ran = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net"])
        .arg(env::current_exe().unwrap())
        .args(env::args_os().skip(1))
        .env(INSIDE, "yes")
        .status();
    match ran {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        other => {
            eprintln!("no network namespace, or a failure in it: {other:?}");
            ExitCode::FAILURE
        }
    }
}

fn contest((label, link, size): (&'static str, Link, usize)) -> Contest {
    let over = |scheme, congestion| move || file::sent(scheme, congestion, link, size);
    Contest::new("file lossy", label, Unit::Bytes)
        .side("quic, cubic", over("quic", "cubic"))
        .side("quic, bbr", over("quic", "bbr"))
        .side("tcp, cubic", over("tcp", "cubic"))
        .side("tcp, bbr", over("tcp", "bbr"))
        .target("quic, cubic", "tcp, cubic", 1.0)
        .target("quic, bbr", "tcp, cubic", 3.0)
}
