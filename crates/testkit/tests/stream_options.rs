//! The laws of stream transports for sockets that options open in another way: MPTCP, and TCP Fast
//! Open with a cookie. Each runs in a network of its own, where the system allows both.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::poll_fn;
use std::io::IoSlice;
use std::path::Path;

#[path = "../../transport/tests/network/alone.rs"]
mod alone;
mod tools;

use alone::alone;
use socketry_testkit::stream::{Subject, laws};
use socketry_transport::{
    Endpoint, Error, Keys, NameListener, OsListener, OsSocket, Result, SendHalf, SocketOptions,
    TcpTransport, Transport, async_trait,
};

const ALLOWED: &str = "echo 3 > /proc/sys/net/ipv4/tcp_fastopen";
/// Earlier kernels lack this, and parts of MPTCP that the laws ask for.
const LATE_ENOUGH: &str = "/proc/sys/net/mptcp/close_timeout";

/// What Linux does otherwise over MPTCP, and a program learns from no call.
const OTHERWISE_OVER_MPTCP: [(&str, &str); 4] = [
    ("a_send_to_a_closed_peer_fails", "after a minute"),
    ("a_send_to_a_closed_peer_raises_no_signal", "after a minute"),
    (
        "an_abort_after_finish_is_seen_as_answered",
        "an end or a reset",
    ),
    ("a_finish_after_an_abort_fails", "an end or a reset"),
];

/// TCP whose clients make their first call at once. A server sees a client that opens fast with
/// that call, and the laws accept a client before it has made one.
struct Called(TcpTransport);

#[async_trait]
impl Transport for Called {
    type Socket = OsSocket;
    type Listener = NameListener<OsListener>;

    fn keys(&self) -> Keys {
        self.0.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        let mut socket = self.0.connect(to).await?;
        let called = poll_fn(|cx| socket.poll_send(cx, &[IoSlice::new(&[])])).await;
        called.map_err(|error| Error::io("connect to", to, error))?;
        Ok(socket)
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        self.0.listen(at).await
    }
}

fn subject(options: &SocketOptions) -> Subject<Called> {
    let subject = Subject::new(
        Called(TcpTransport::new(options.clone())),
        "tcp://127.0.0.1:0",
    )
    .without_listener_at("tcp://127.0.0.1:1")
    .reads_back(&[("nodelay", "false"), ("keepalive", "9s")], |socket| {
        SocketOptions::read_back(socket)
    });
    let subject = match options.fastopen {
        Some(true) => subject.except(
            "a_connect_timeout_fires",
            "the first call waits, and not connecting",
        ),
        _ => subject,
    };
    let laws = match options.mptcp {
        Some(true) => OTHERWISE_OVER_MPTCP.as_slice(),
        _ => &[],
    };
    laws.iter().fold(subject, |subject, (law, reason)| {
        subject.except(law, reason)
    })
}

/// Runs each law twice: after the first time the client has a cookie, if it asks for one.
fn keeps_all(options: &SocketOptions) {
    let mut broken = Vec::new();
    for law in laws::<Called>() {
        for turn in ["first", "second"] {
            if let Err(words) = law.check(&subject(options)) {
                broken.push(format!("{} ({turn} time): {words}", law.name()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

async fn all_laws(options: SocketOptions) {
    let running = tokio::task::spawn_blocking(move || keeps_all(&options));
    running.await.unwrap();
}

fn there_is_mptcp() -> bool {
    tools::may("MPTCP of Linux 6.12", Path::new(LATE_ENOUGH).exists())
}

#[test]
fn fast_open_keeps_the_laws_of_streams() {
    let name = "fast_open_keeps_the_laws_of_streams";
    let options = SocketOptions {
        fastopen: Some(true),
        ..SocketOptions::default()
    };
    alone(name, ALLOWED, all_laws(options));
}

#[test]
fn mptcp_keeps_the_laws_of_streams() {
    let name = "mptcp_keeps_the_laws_of_streams";
    let options = SocketOptions {
        mptcp: Some(true),
        ..SocketOptions::default()
    };
    if there_is_mptcp() {
        alone(name, ALLOWED, all_laws(options));
    }
}

#[test]
fn both_together_keep_the_laws_of_streams() {
    let name = "both_together_keep_the_laws_of_streams";
    let options = SocketOptions {
        mptcp: Some(true),
        fastopen: Some(true),
        ..SocketOptions::default()
    };
    if there_is_mptcp() {
        alone(name, ALLOWED, all_laws(options));
    }
}
