//! QUIC with aioquic, in both roles.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::at;
use socketry_quic::{Quic, QuicConnection, QuicListener};
use socketry_tls::{Identity, Pin, Tls, TlsInfo, Trust};
use socketry_transport::{
    Closed, Connection, MuxListener, MuxTransport, Received, RecvExt, SendExt, SendHalf,
    StreamReset,
};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);
const ALPN: &str = "socketry/1";

/// aioquic, until this is dropped.
struct Peer {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Peer {
    fn start(words: &[&str]) -> Self {
        let script = format!("{}/tests/aioquic_peer.py", env!("CARGO_MANIFEST_DIR"));
        let mut child = Command::new("python3")
            .arg(script)
            .args(words)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Peer {
            lines,
            _child: child,
        }
    }

    async fn next(&mut self) -> String {
        let next = timeout(DEADLINE, self.lines.next_line()).await.unwrap();
        next.unwrap().unwrap_or_default()
    }
}

/// A key in files, as both ends read it.
struct Files {
    folder: TempDir,
    identity: Identity,
}

impl Files {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let identity = Identity::kept_in(folder.path(), ["localhost"]).unwrap();
        Files { folder, identity }
    }

    fn path(&self, name: &str) -> String {
        Path::join(self.folder.path(), name).display().to_string()
    }
}

/// A server of aioquic, and a connection of ours to it.
async fn connected(query: &str) -> (Peer, Result<QuicConnection, socketry_transport::Error>) {
    let files = Files::new();
    let (cert, key) = (files.path("cert.pem"), files.path("key.pem"));
    let mut peer = Peer::start(&["server", &cert, &key, ALPN]);
    let port = peer.next().await;
    let trust = Trust::pin(files.identity.pin().unwrap());
    let quic = Quic::new().tls(Tls::new().trust(trust));
    let to = at(&format!("quic://127.0.0.1:{port}?{query}"));
    let connected = timeout(DEADLINE, quic.connect(&to)).await.unwrap();
    (peer, connected)
}

/// A listener of ours, and a client of aioquic that does `job` there.
async fn listening(alpn: &str, job: &str) -> (Files, QuicListener, Peer) {
    let files = Files::new();
    let quic = Quic::new().tls(Tls::new().identity(files.identity.clone()));
    let listener = quic.listen(&at("quic://127.0.0.1:0")).await.unwrap();
    let port = listener.local().port().unwrap().to_string();
    let peer = Peer::start(&["client", &port, &files.path("cert.pem"), alpn, job]);
    (files, listener, peer)
}

/// Sends `words` on a stream of its own.
async fn says(connection: &mut QuicConnection, words: &[u8]) -> socketry_quic::QuicStream {
    let mut stream = connection.open().await.unwrap();
    stream.send_all(words).await.unwrap();
    stream
}

async fn until_it_fails(stream: &mut socketry_quic::QuicStream) -> std::io::Error {
    loop {
        match timeout(DEADLINE, stream.recv(&mut [0; 1000]))
            .await
            .unwrap()
        {
            Ok((_, Received::Data)) => {}
            Ok((_, other)) => panic!("it reads as {other:?}"),
            Err(error) => return error,
        }
    }
}

#[tokio::test]
async fn a_server_of_aioquic_carries_streams_and_datagrams() {
    if !tools::has_module("aioquic") {
        return;
    }
    let (_peer, connection) = connected("").await;
    let mut connection = connection.unwrap();
    let tls: &TlsInfo = connection.info().get().unwrap();
    assert_eq!(tls.alpn(), Some(ALPN.as_bytes()));
    assert!(tls.export(b"a label").is_ok());

    let mut datagrams = connection.datagrams().unwrap();
    datagrams.send(b"a datagram").await.unwrap();
    let mut buf = vec![0; 65_536];
    let received = timeout(DEADLINE, datagrams.recv(&mut buf)).await.unwrap();
    assert_eq!(received.unwrap(), (10, Received::Data));

    for _ in 0..3 {
        let mut stream = connection.open().await.unwrap();
        stream.send_all(&[7; 1_000_000]).await.unwrap();
        stream.finish().await.unwrap();
        let mut heard = 0;
        loop {
            match timeout(DEADLINE, stream.recv(&mut buf))
                .await
                .unwrap()
                .unwrap()
            {
                (len, Received::Data) => heard += len,
                (_, end) => break assert_eq!(end, Received::End),
            }
        }
        assert_eq!(heard, 1_000_000);
    }
}

#[tokio::test]
async fn a_server_of_aioquic_resets_stops_and_closes() {
    if !tools::has_module("aioquic") {
        return;
    }
    let (_peer, connection) = connected("").await;
    let mut connection = connection.unwrap();
    let mut reset = says(&mut connection, b"reset").await;
    let error = until_it_fails(&mut reset).await;
    assert_eq!(StreamReset::of(&error), Some(&StreamReset::new(77)));

    let mut stopped = says(&mut connection, b"stop").await;
    let error = loop {
        match stopped.send(&[0; 1000]).await {
            Err(error) => break error,
            Ok(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(StreamReset::of(&error), Some(&StreamReset::new(78)));

    let mut closed = says(&mut connection, b"close").await;
    let error = until_it_fails(&mut closed).await;
    assert_eq!(
        Closed::of(&error),
        Some(&Closed::by_peer(79, "as you like it"))
    );
}

#[tokio::test]
async fn a_server_of_aioquic_with_another_key_or_protocol_is_refused_in_one_line() {
    if !tools::has_module("aioquic") {
        return;
    }
    let wrong: Pin = Identity::made(["localhost"]).unwrap().pin().unwrap();
    let (_peer, connection) = connected(&format!("pin={wrong}")).await;
    let error = connection.unwrap_err().to_string();
    assert!(error.contains(&wrong.to_string()), "{error}");

    let (_peer, connection) = connected("alpn=other/2").await;
    let error = connection.unwrap_err().to_string();
    assert!(error.contains("other/2"), "{error}");
}

#[tokio::test]
async fn a_client_of_aioquic_gets_streams_and_datagrams() {
    if !tools::has_module("aioquic") {
        return;
    }
    let (_files, mut listener, mut peer) = listening(ALPN, "echo").await;
    let mut connection = listener.accept().await.unwrap();
    let mut stream = connection.accept().await.unwrap().unwrap();
    let mut buf = vec![0; 65_536];
    while let (len, Received::Data) = stream.recv(&mut buf).await.unwrap() {
        stream.send_all(&buf[..len]).await.unwrap();
    }
    stream.finish().await.unwrap();
    assert_eq!(peer.next().await, "echo 1000000 True");

    let (_files, mut listener, mut peer) = listening(ALPN, "datagram").await;
    let connection = listener.accept().await.unwrap();
    let mut datagrams = connection.datagrams().unwrap();
    let (len, _) = datagrams.recv(&mut buf).await.unwrap();
    datagrams.send(&buf[..len]).await.unwrap();
    assert_eq!(peer.next().await, "datagram a datagram");
}

#[tokio::test]
async fn a_client_of_aioquic_sees_aborts_and_closes_and_aborts_itself() {
    if !tools::has_module("aioquic") {
        return;
    }
    let mut buf = [0; 100];
    let (_files, mut listener, mut peer) = listening(ALPN, "aborted").await;
    let mut connection = listener.accept().await.unwrap();
    let mut stream = connection.accept().await.unwrap().unwrap();
    let _ = stream.recv(&mut buf).await.unwrap();
    let _ = stream.abort(42).unwrap();
    assert_eq!(peer.next().await, "aborted 42 42");

    let (_files, mut listener, mut peer) = listening(ALPN, "closed").await;
    let mut connection = listener.accept().await.unwrap();
    let mut stream = connection.accept().await.unwrap().unwrap();
    let _ = stream.recv(&mut buf).await.unwrap();
    connection.close(43, "enough");
    assert_eq!(peer.next().await, "closed 43 enough");

    let (_files, mut listener, _peer) = listening(ALPN, "aborts").await;
    let mut connection = listener.accept().await.unwrap();
    let mut stream = connection.accept().await.unwrap().unwrap();
    let _ = stream.recv(&mut buf).await.unwrap();
    stream.send_all(b"go on").await.unwrap();
    let error = until_it_fails(&mut stream).await;
    assert_eq!(StreamReset::of(&error), Some(&StreamReset::new(77)));
}

#[tokio::test]
async fn a_client_of_aioquic_with_another_protocol_is_refused() {
    if !tools::has_module("aioquic") {
        return;
    }
    let (_files, listener, mut peer) = listening("other/2", "echo").await;
    // no_application_protocol is alert 120 (RFC 7301), and QUIC adds 0x100.
    let line = peer.next().await;
    assert!(line.starts_with("refused 0x178"), "{line}");
    assert_eq!(listener.stats().done, 0);
}
