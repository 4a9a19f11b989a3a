//! What a connection takes while nothing happens: 10,000 of them in one task each, that has received one frame of 64 B and waits for
//! the next; or has three bytes of its header.
//!
//! The server is a process of its own. What its connections take is how much memory of its own it has more with all of them than
//! before the first: what the allocator wastes counts too, and the tasks, and what the runtime has for each socket. What
//! the kernel holds does not.

mod held;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use clap::ValueEnum;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::contest::{Contest, Unit};
use crate::tally::frame;
pub(crate) use held::Server;

const CONNECTIONS: usize = 10_000;
/// Descriptors that are not connections.
const OTHERS: usize = 100;
/// How many are connected before the server has to say that it has their frames: fewer than its backlog.
const STEP: usize = 50;

pub(crate) fn contests() -> Vec<Contest> {
    let all = connections();
    let header = &[64, 0, 0][..];
    let idle = Contest::new("memory", format!("{all} idle"), Unit::BytesEach)
        .weighed("ours", move || each(Server::Ours, all, &[]))
        .weighed("tokio-util", move || each(Server::Util, all, &[]))
        .limit("ours", 1024.0);
    let stalled = Contest::new("memory", format!("{all} stalled"), Unit::BytesEach)
        .weighed("ours", move || each(Server::Ours, all, header))
        .weighed("tokio-util", move || each(Server::Util, all, header))
        .limit("ours", 4096.0);
    vec![idle, stalled]
}

/// As many as there may be descriptors in a process.
fn connections() -> usize {
    let most = getrlimit(Resource::Nofile).maximum;
    let most = most.map_or(CONNECTIONS, |most| most as usize - OTHERS);
    CONNECTIONS.min(most) / STEP * STEP
}

/// For so many connections.
fn raise_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, all).unwrap();
}

/// How many bytes each connection takes that was sent a frame and then `rest`.
fn each(server: Server, connections: usize, rest: &[u8]) -> f64 {
    raise_limit();
    let mut process = Process::start(server);
    let place = process.line();
    let whole = [&64_u32.to_le_bytes(), &frame(64)[..]].concat();
    let mut peers = Vec::new();
    while peers.len() < connections {
        for _ in 0..STEP {
            let mut peer = TcpStream::connect(&place).unwrap();
            peer.write_all(&whole).unwrap();
            peers.push(peer);
        }
        process.line();
    }
    for peer in &mut peers {
        peer.write_all(rest).unwrap();
    }
    process.grown() / connections as f64
}

/// The server, and what it says.
struct Process {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Process {
    fn start(server: Server) -> Self {
        let server = server.to_possible_value().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--hold", server.get_name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Process { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.lines.read_line(&mut line).unwrap() > 0);
        line.trim_end().to_owned()
    }

    /// By how many bytes it has grown, which it says when it is left alone.
    fn grown(mut self) -> f64 {
        drop(self.child.stdin.take());
        let grown = self.line().parse().unwrap();
        assert!(self.child.wait().unwrap().success());
        grown
    }
}
