//! The memory of an idle connection. There are 10,000 of them, each in a task of its own. A task
//! has received one frame of 64 B and waits for the next, or has received three bytes of its
//! header.
//!
//! An allocator counts the live bytes on the server's thread: sockets, tasks, buffers, and the
//! runtime's memory for each of them. It does not count the kernel's memory, nor what an allocator
//! wastes between its blocks. The peers are in another process, since a process may not have enough
//! descriptors for both. If it has too few for 10,000, there are fewer connections. *raw tokio* is
//! a task with a `TcpStream` and no buffer at all, which is the least possible.
//!
//! The users of a chat have joined, and say nothing.
//!
//! It is a bench of its own, since its allocator would slow down every other measurement.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::cast_possible_truncation,
    dead_code,
    reason = "a bench, and a harness of which it need not use all"
)]

mod chat;
#[path = "../harness/mod.rs"]
mod harness;
mod peers;
mod servers;
mod tls;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use harness::contest::{Contest, Unit};

/// Descriptors that are not connections.
const OTHERS: u64 = 100;

/// A frame, and the first bytes of the next.
#[derive(Clone, Copy)]
enum Sent {
    Whole,
    AndPartOfAHeader,
}

fn main() {
    let connections = connections();
    let mut words = std::env::args()
        .skip_while(|word| word != "--peers")
        .skip(1);
    if let Some(place) = words.next() {
        return peers::run(&place, words.next());
    }
    harness::run(vec![
        contest("idle", connections, Sent::Whole, 1024.0),
        contest("stalled", connections, Sent::AndPartOfAHeader, 4096.0),
        served(connections),
        tls(connections.min(TLS)),
        chat(connections.min(CHAT)),
    ]);
}

fn contest(label: &str, connections: usize, sent: Sent, most: f64) -> Contest {
    let label = format!("{connections} {label}");
    Contest::new("connections", label, Unit::BytesEach)
        .weighed("ours", move || servers::ours(connections, sent))
        .weighed("tokio-util", move || servers::util(connections, sent))
        .weighed("raw tokio", move || servers::raw(connections, sent))
        .limit("ours", most)
}

/// Connections that a `Server` serves, with all its limits.
fn served(connections: usize) -> Contest {
    let label = format!("{connections} idle and served");
    Contest::new("connections", label, Unit::BytesEach)
        .weighed("ours", move || servers::served(connections))
        .weighed("answered", move || servers::answered(connections))
        .weighed("raw tokio", move || servers::raw(connections, Sent::Whole))
        .limit("ours", 1536.0)
        .limit("answered", 1536.0)
}

/// Connections over TLS have their handshakes one after another, which takes a while.
const TLS: usize = 1000;

/// The limit is 1.3 times what the bare connection of tokio-rustls holds.
fn tls(connections: usize) -> Contest {
    let label = format!("{connections} idle over tls");
    Contest::new("connections", label, Unit::BytesEach)
        .weighed("ours", move || tls::ours(connections))
        .weighed("tokio-rustls", move || tls::bare(connections))
        .limit("ours", BARE * 1.3)
}

/// Users of a chat.
const CHAT: usize = 1000;

fn chat(users: usize) -> Contest {
    let label = format!("{users} chat users");
    Contest::new("connections", label, Unit::BytesEach)
        .weighed("line", move || chat::joined(users, "line"))
        .weighed("json:bare", move || chat::joined(users, "json:bare"))
        .limit("line", 5000.0)
        .limit("json:bare", 5000.0)
}

/// What a connection of tokio-rustls 0.26 with rustls 0.23 was weighed at, in bytes.
const BARE: f64 = 8085.0;

/// 10,000, or as many as the limit of descriptors allows.
fn connections() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    maximum.map_or(10_000, |most| (most - OTHERS).min(10_000) as usize)
}
