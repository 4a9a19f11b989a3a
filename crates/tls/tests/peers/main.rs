//! TLS with the programs of others, in both roles and both versions.

#![allow(clippy::unwrap_used, reason = "tests")]

mod alerts;
#[path = "../common/mod.rs"]
mod common;
mod curl;
mod failures;
mod openssl;
mod process;
mod programs;
mod scripts;
mod surprises;
#[path = "../../../testkit/tests/tools/mod.rs"]
mod tools;

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use common::{Authority, Files};
use rustls::ProtocolVersion;
use socketry_tls::{Tls, TlsInfo, rustls};
use socketry_transport::{
    BoxListener, BoxSocket, Half, Received, RecvExt, RecvHalf, Registry, SendExt, Socket,
};
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(60);
const COUNT: usize = 1_000_000;

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::named("The authority"));
static SERVER: LazyLock<Files> = LazyLock::new(|| AUTHORITY.sign("server.example"));
static CLIENT: LazyLock<Files> = LazyLock::new(|| AUTHORITY.sign("client.example"));

fn pattern() -> Vec<u8> {
    (0..=250).cycle().take(COUNT).collect()
}

fn ca() -> String {
    format!("ca={}", AUTHORITY.file().display())
}

/// A listener with the server's certificate, at `tls://127.0.0.1`.
async fn listen(tls: Tls, query: &str) -> BoxListener {
    listen_as(&SERVER, tls, query).await
}

/// One with another certificate.
async fn listen_as(files: &Files, tls: Tls, query: &str) -> BoxListener {
    let registry = tls.register(Registry::standard()).unwrap();
    let url = format!("tls://127.0.0.1:0?{}&{query}", files.query());
    registry.listen(url.as_str()).await.unwrap()
}

/// A client that trusts the authority.
async fn connect(port: u16, query: &str) -> socketry_transport::Result<BoxSocket> {
    let registry = Tls::new().register(Registry::standard())?;
    let url = format!("tls://127.0.0.1:{port}?name=server.example&{query}");
    timeout(DEADLINE, registry.connect(url.as_str()))
        .await
        .unwrap()
}

fn has_version(socket: &BoxSocket, version: &str) {
    let expected = match version {
        "1.2" => ProtocolVersion::TLSv1_2,
        _ => ProtocolVersion::TLSv1_3,
    };
    let tls: &TlsInfo = socket.info().get().unwrap();
    assert_eq!(tls.version(), Some(expected));
}

/// All that comes until the end.
async fn read_all(recv: &mut impl RecvHalf) -> Vec<u8> {
    let (mut all, mut buf) = (Vec::new(), vec![0; 65_536]);
    loop {
        match recv.recv(&mut buf).await.unwrap() {
            (len, Received::Data) => all.extend_from_slice(&buf[..len]),
            (_, received) => {
                assert_eq!(received, Received::End);
                return all;
            }
        }
    }
}

/// Our side of a job, in which the peer does what its name says.
async fn work(job: &str, mut socket: BoxSocket) {
    let done = async {
        match job {
            "echo" => {
                let (mut recv, mut send) = socket.split();
                let sending = async {
                    send.send_all(&pattern()).await.unwrap();
                    send.finish().await.unwrap();
                };
                let ((), echoed) = tokio::join!(sending, read_all(&mut recv));
                assert!(echoed == pattern(), "{} bytes came back", echoed.len());
            }
            // The end comes after the last byte is back.
            "talk" => {
                let (mut recv, mut send) = socket.split();
                let (bytes, mut back) = (pattern(), vec![0; COUNT]);
                let reading = async {
                    let mut at = 0;
                    while at < COUNT {
                        let (len, _) = recv.recv(&mut back[at..]).await.unwrap();
                        assert!(len > 0, "it ended after {at} bytes");
                        at += len;
                    }
                };
                let sending = async { send.send_all(&bytes).await.unwrap() };
                tokio::join!(sending, reading);
                assert!(back == bytes);
                send.finish().await.unwrap();
                assert!(read_all(&mut recv).await.is_empty());
            }
            "send" => {
                let come = read_all(&mut socket).await;
                assert!(come == pattern(), "{} bytes came", come.len());
            }
            "sink" => {
                socket.send_all(&pattern()).await.unwrap();
                let close = socketry_transport::close(socket, 65_536, DEADLINE);
                close.await.unwrap();
            }
            "ask" => {
                let come = read_all(&mut socket).await;
                assert!(come == pattern(), "{} bytes came", come.len());
                socket.send_all(&pattern()).await.unwrap();
                socket.finish().await.unwrap();
                assert!(read_all(&mut socket).await.is_empty());
            }
            other => panic!("there is no job {other}"),
        }
    };
    timeout(DEADLINE, done).await.unwrap();
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
