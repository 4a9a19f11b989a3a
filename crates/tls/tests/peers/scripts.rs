//! CPython, sync and asyncio, Node, and Go: what each does in either role, in either version.

use super::programs::{is_here, start};
use super::{AUTHORITY, CLIENT, SERVER, connect, has_version, listen, shown, work};
use socketry_tls::{Identity, Tls};
use socketry_transport::{Half, Listener};

pub(crate) const VERSIONS: [&str; 2] = ["1.2", "1.3"];

async fn serves(kind: &str, jobs: &[&str]) {
    let (ca, cert, key) = (AUTHORITY.file(), &SERVER.cert, &SERVER.key);
    for version in VERSIONS {
        for job in jobs {
            let words = [
                "server",
                version,
                job,
                "0",
                "-",
                &shown(cert),
                &shown(key),
                "-",
            ];
            let mut peer = start(kind, words);
            let port = peer.next().await.parse().unwrap();
            let socket = connect(port, &format!("ca={}", ca.display()))
                .await
                .unwrap();
            has_version(&socket, version);
            work(job, socket).await;
            assert_eq!(
                peer.next().await,
                "ok",
                "{kind} as a server, {version}, {job}"
            );
        }
    }
}

async fn connects(kind: &str, jobs: &[&str]) {
    let ca = shown(&AUTHORITY.file());
    let (cert, key) = (shown(&CLIENT.cert), shown(&CLIENT.key));
    let mine = Identity::from_files([(&CLIENT.cert, &CLIENT.key)]).unwrap();
    let pin = mine.pin().unwrap();
    for version in VERSIONS {
        for job in jobs {
            // With certificates at both ends.
            let mut listener = listen(Tls::new(), &super::ca()).await;
            let port = listener.local().port().unwrap().to_string();
            let name = "server.example";
            let words = ["client", version, job, &port, &ca, &cert, &key, name];
            let mut peer = start(kind, words);
            let socket = listener.accept().await.unwrap();
            has_version(&socket, version);
            let tls: &socketry_tls::TlsInfo = socket.info().get().unwrap();
            assert_eq!(tls.server_name(), Some(name));
            // OpenSSL adds the authority that it trusts itself.
            assert_eq!(tls.peer_pin(), Some(pin));
            work(job, socket).await;
            assert_eq!(
                peer.next().await,
                "ok",
                "{kind} as a client, {version}, {job}"
            );
        }
    }
}

const JOBS: [&str; 4] = ["echo", "talk", "send", "sink"];
/// asyncio answers a half-close by closing, and loses what it had still to send.
const ASYNCIO: [&str; 3] = ["talk", "send", "sink"];

/// Node and Go half-close, and read what comes after that.
const HALF_CLOSING: [&str; 5] = ["echo", "talk", "send", "sink", "ask"];

#[tokio::test]
async fn cpython_serves() {
    if is_here("sync") {
        serves("sync", &JOBS).await;
    }
}

#[tokio::test]
async fn cpython_connects() {
    if is_here("sync") {
        connects("sync", &JOBS).await;
    }
}

#[tokio::test]
async fn asyncio_serves() {
    if is_here("asyncio") {
        serves("asyncio", &ASYNCIO).await;
    }
}

#[tokio::test]
async fn asyncio_connects() {
    if is_here("asyncio") {
        connects("asyncio", &ASYNCIO).await;
    }
}

#[tokio::test]
async fn node_serves() {
    if is_here("node") {
        serves("node", &HALF_CLOSING).await;
    }
}

#[tokio::test]
async fn node_connects() {
    if is_here("node") {
        connects("node", &HALF_CLOSING).await;
    }
}

#[tokio::test]
async fn go_serves() {
    if is_here("go") {
        serves("go", &HALF_CLOSING).await;
    }
}

#[tokio::test]
async fn go_connects() {
    if is_here("go") {
        connects("go", &HALF_CLOSING).await;
    }
}

/// A certificate that was made here satisfies a client that looks at everything.
#[tokio::test]
async fn cpython_accepts_a_certificate_that_was_made() {
    if !is_here("sync") {
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
    for name in ["localhost", "127.0.0.1"] {
        let words = ["client", "1.3", "echo", &port, &ca, "-", "-", name];
        let mut peer = start("sync", words);
        let socket = tokio::select! {
            socket = listener.accept() => socket.unwrap(),
            line = peer.next() => panic!("{line}"),
        };
        work("echo", socket).await;
        assert_eq!(peer.next().await, "ok");
    }
}
