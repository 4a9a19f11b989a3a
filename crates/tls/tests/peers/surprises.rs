//! Behaviour that good guesses get wrong, against the programs that show it.

use std::future::poll_fn;

use socketry_tls::{Tls, TlsInfo};
use socketry_transport::{ErrorKind, Half, Listener, RecvExt, SendExt, SendHalf, Socket};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::process::Peer;
use super::programs::{is_here, start};
use super::scripts::VERSIONS;
use super::{
    AUTHORITY, CLIENT, COUNT, DEADLINE, SERVER, ca, connect, listen, pattern, read_all, shown,
};

const NAME: &str = "server.example";

fn s_client(port: u16, more: &str) -> String {
    let ca = shown(&AUTHORITY.file());
    format!(
        "openssl s_client -connect 127.0.0.1:{port} -CAfile {ca} -verify_return_error \
         -servername {NAME} {more}"
    )
}

/// With tickets that it never reads, the kernel would answer its close with a reset, and more than
/// half of this would be lost. CPython's `send` in `scripts.rs` is the same.
#[tokio::test]
async fn a_client_that_only_writes_loses_nothing() {
    if !is_here("openssl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("pattern");
    // A `Q` at the beginning of a read would end it.
    let sent = vec![7; COUNT];
    std::fs::write(&file, &sent).unwrap();
    for _ in 0..5 {
        let mut listener = listen(Tls::new(), "").await;
        let line = s_client(listener.local().port().unwrap(), "-quiet -no_ign_eof");
        let line = format!("{line} <{}", file.display());
        let _peer = Peer::start("sh", &["-c".to_owned(), line]);
        let mut socket = timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
        // It has closed its end by the time that we read.
        let come = timeout(DEADLINE, read_all(&mut socket)).await.unwrap();
        assert!(come == sent, "{} bytes came", come.len());
    }
}

/// The key identifiers and usages of a certificate that was made here are those that OpenSSL 3
/// insists on. `scripts.rs` has the same for Python.
#[tokio::test]
async fn openssl_is_strict_about_a_certificate_that_was_made() {
    if !is_here("openssl") {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let registry = Tls::new()
        .register(socketry_transport::Registry::standard())
        .unwrap();
    let url = format!("tls://127.0.0.1:0?identity={}", directory.path().display());
    let mut listener = registry.listen(url.as_str()).await.unwrap();
    let port = listener.local().port().unwrap().to_string();
    let ca = shown(&directory.path().join("cert.pem"));
    for (name, fits) in [("localhost", true), ("other.example", false)] {
        let words = ["client", "1.3", "-", &port, &ca, "-", "-", name];
        let mut peer = start("openssl", words);
        let accepting = async {
            let mut socket = listener.accept().await.unwrap();
            socket.finish().await.unwrap();
            socket
        };
        // Its line is that of its error.
        tokio::select! {
            line = peer.next() => assert!(!fits && line.contains("verify failed"), "{line}"),
            _socket = accepting => {
                assert!(fits);
                assert_eq!(peer.next().await, "");
            }
        }
    }
}

#[tokio::test]
async fn a_client_of_go_with_other_protocols_is_told_with_both_lists() {
    if !is_here("go") {
        return;
    }
    for version in VERSIONS {
        let (line, mut lines) = mpsc::unbounded_channel();
        let tls = Tls::new().on_failure(move |failure| {
            let _ = line.send(failure.to_string());
        });
        let mut listener = listen(tls, "alpn=chat/2,chat/1").await;
        let port = listener.local().port().unwrap().to_string();
        let ca = shown(&AUTHORITY.file());
        let words = ["client", version, "sink", &port, &ca, "-", "-", NAME];
        let mut peer = start("go", words);
        let accepting = tokio::spawn(async move { listener.accept().await.map(drop) });
        let line = timeout(DEADLINE, lines.recv()).await.unwrap().unwrap();
        for part in ["the client offers socketry/1", "we chat/2, chat/1"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(peer.next().await.contains("no application protocol"));
        accepting.abort();
    }
}

#[tokio::test]
async fn a_server_of_go_with_other_protocols_is_told() {
    if !is_here("go") {
        return;
    }
    let (cert, key) = (shown(&SERVER.cert), shown(&SERVER.key));
    for version in VERSIONS {
        let words = ["server", version, "sink", "0", "-", &cert, &key, "-"];
        let mut peer = start("go", words);
        let port = peer.next().await.parse().unwrap();
        let error = connect(port, &format!("{}&alpn=chat/1", ca())).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        assert!(error.to_string().contains("we offer chat/1"), "{error}");
        assert!(peer.next().await.contains("chat/1"));
    }
}

/// The server's alert comes behind the end of our handshake, and a large write fails first.
#[tokio::test]
async fn a_refusal_is_told_though_a_write_fails_first() {
    let (ca_file, cert, key) = (
        shown(&AUTHORITY.file()),
        shown(&SERVER.cert),
        shown(&SERVER.key),
    );
    let other = super::common::Authority::new();
    let stranger = other.sign("client.example");
    // Not OpenSSL's `s_server`: after a failure it reads on for as long as a client writes.
    for kind in ["go", "sync"] {
        if !is_here(kind) {
            continue;
        }
        for (query, words) in [
            (ca(), "requires a client certificate"),
            (
                format!("{}&{}", ca(), stranger.query()),
                "refused our certificate",
            ),
        ] {
            let mut peer = start(
                kind,
                ["server", "1.3", "sink", "0", &ca_file, &cert, &key, "-"],
            );
            let port = peer.next().await.parse().unwrap();
            let mut socket = connect(port, &query).await.unwrap();
            // It has failed, and said so.
            peer.next().await;
            let writing = async {
                loop {
                    if let Err(error) = socket.send_all(&[7; 65_536]).await {
                        break error;
                    }
                }
            };
            let error = timeout(DEADLINE, writing).await.expect(kind);
            assert!(error.to_string().contains(words), "{kind}: {error}");
            let error = socket.recv(&mut [0; 8]).await.unwrap_err();
            assert!(error.to_string().contains(words), "{kind}: {error}");
        }
    }
}

/// OpenSSL's client asks for another handshake at a line `R`. Over 1.2 each is refused, and one
/// that asks again is given up; over 1.3 there is none.
#[tokio::test]
async fn no_client_renegotiates() {
    if !is_here("openssl") {
        return;
    }
    let mut listener = listen(Tls::new(), "").await;
    let more = "-tls1_2 2>&1";
    let line = s_client(listener.local().port().unwrap(), more);
    let mut peer = Peer::start("sh", &["-c".to_owned(), line]);
    let socket = timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
    let (mut recv, mut send) = socket.split();
    let mut stdin = peer.stdin.take().unwrap();
    stdin.write_all(b"R\n").await.unwrap();
    // The refusal leaves with the next flush.
    let sending = async {
        while poll_fn(|cx| send.poll_flush(cx)).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    let receiving = async {
        let mut buf = [0; 64];
        tokio::select! {
            received = recv.recv(&mut buf) => received,
            () = sending => recv.recv(&mut buf).await,
        }
    };
    let mut said = Vec::new();
    let reading = peer.stdout.read_to_end(&mut said);
    let both = timeout(DEADLINE, async { tokio::join!(receiving, reading) });
    let (received, read) = both.await.unwrap();
    assert!(read.is_ok() && !matches!(received, Ok((1.., _))));
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("no renegotiation"), "{said}");
}

/// CPython's `ssl` has no exporter, so that OpenSSL's own client is asked.
#[tokio::test]
async fn openssl_exports_the_same_secret() {
    if !is_here("openssl") {
        return;
    }
    const LABEL: &str = "EXPORTER-socketry-test";
    for version in VERSIONS {
        let mut listener = listen(Tls::new(), "").await;
        let more = format!(
            "-tls{} -keymatexport {LABEL} -keymatexportlen 32 -ign_eof",
            version.replace('.', "_")
        );
        let line = s_client(listener.local().port().unwrap(), &more);
        let mut peer = Peer::start("sh", &["-c".to_owned(), line]);
        let mut socket = timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
        let tls: &TlsInfo = socket.info().get().unwrap();
        let exported = tls.export(LABEL.as_bytes());
        socket.finish().await.unwrap();
        let mut said = String::new();
        timeout(DEADLINE, peer.stdout.read_to_string(&mut said))
            .await
            .unwrap()
            .unwrap();
        let theirs = said.lines().find_map(|line| {
            let line = line.trim().strip_prefix("Keying material: ")?;
            Some(line.to_lowercase())
        });
        // Over 1.2 the secret is not this connection's for sure, and we give none.
        assert_eq!(exported.is_ok(), version == "1.3");
        if let Ok(ours) = exported {
            let ours: String = ours.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(theirs, Some(ours), "{said}");
        }
    }
}

/// The close of CPython sends none.
#[tokio::test]
async fn an_end_without_close_notify_is_an_end() {
    if !is_here("sync") {
        return;
    }
    let ca = shown(&AUTHORITY.file());
    let (cert, key) = (shown(&CLIENT.cert), shown(&CLIENT.key));
    for version in VERSIONS {
        let mut listener = listen(Tls::new(), "").await;
        let port = listener.local().port().unwrap().to_string();
        let words = ["client", version, "send", &port, &ca, &cert, &key, NAME];
        let mut peer = start("sync", words);
        let mut socket = timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
        let come = timeout(DEADLINE, read_all(&mut socket)).await.unwrap();
        assert!(come == pattern(), "{} bytes came", come.len());
        let tls: &TlsInfo = socket.info().get().unwrap();
        assert_eq!(
            tls.ended_in_order(),
            Some(false),
            "CPython's close is silent"
        );
        assert_eq!(peer.next().await, "ok");
    }
}
