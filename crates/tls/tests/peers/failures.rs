//! What goes wrong with the programs of others: one clear line here, and an error there.

use socketry_tls::{Identity, Tls};
use socketry_transport::{Listener, RecvExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::common::Authority;
use super::scripts::{VERSIONS, script};
use super::tools;
use super::{AUTHORITY, CLIENT, DEADLINE, SERVER, connect, listen, shown};

/// The line of our server, and that of a client of `kind`, for these files and this name.
async fn refused(
    kind: &str,
    version: &str,
    query: &str,
    files: [&str; 3],
    name: &str,
) -> [String; 2] {
    let (line, mut lines) = mpsc::unbounded_channel();
    let tls = Tls::new().on_failure(move |failure| {
        let _ = line.send(failure.to_string());
    });
    let mut listener = listen(tls, query).await;
    let port = listener.local().port().unwrap().to_string();
    let [ca, cert, key] = files;
    let mut peer = script(
        kind,
        ["client", version, "sink", &port, ca, cert, key, name],
    );
    let accepting = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let line = timeout(DEADLINE, lines.recv()).await.unwrap().unwrap();
    let theirs = peer.next().await;
    accepting.abort();
    [line, theirs]
}

/// The line of our client, wherever it is told, and that of a server of `kind`.
async fn refuses(kind: &str, version: &str, query: &str, files: [&str; 3]) -> [String; 2] {
    let [ca, cert, key] = files;
    let mut peer = script(kind, ["server", version, "sink", "0", ca, cert, key, "-"]);
    let port = peer.next().await.parse().unwrap();
    let line = match connect(port, query).await {
        Err(error) => error.to_string(),
        // A client of TLS 1.3 is done before the server has looked at its certificate.
        Ok(mut socket) => {
            let received = timeout(DEADLINE, socket.recv(&mut [0; 8])).await.unwrap();
            received.map_or_else(
                |error| error.to_string(),
                |received| format!("{received:?}"),
            )
        }
    };
    // asyncio tells a handshake that fails to nobody.
    match kind {
        "asyncio" => [line, String::new()],
        _ => [line, peer.next().await],
    }
}

const KINDS: [(&str, &str); 3] = [
    ("sync", "python3"),
    ("asyncio", "python3"),
    ("node", "node"),
];

fn has(lines: &[String; 2], ours: &[&str]) {
    let [line, theirs] = lines;
    for part in ours {
        assert!(line.contains(part), "'{part}' is not in: {line}");
    }
    assert_eq!(line.lines().count(), 1);
    assert_ne!(theirs, "ok", "{line}");
}

#[tokio::test]
async fn clients_that_refuse_us_are_told() {
    let stranger = Authority::new();
    let (good, other) = (shown(&AUTHORITY.file()), shown(&stranger.file()));
    let (cert, key) = (shown(&CLIENT.cert), shown(&CLIENT.key));
    let theirs = stranger.sign("client.example");
    let (their_cert, their_key) = (shown(&theirs.cert), shown(&theirs.key));
    for (kind, program) in KINDS {
        if !tools::has(program) {
            continue;
        }
        for version in VERSIONS {
            let name = "server.example";
            // Node completes the handshake before it looks at our certificate.
            if kind != "node" {
                let lines = refused(kind, version, "", [&other, "-", "-"], name).await;
                has(&lines, &["127.0.0.1", "our certificate"]);
                let lines = refused(kind, version, "", [&good, "-", "-"], "other.example").await;
                has(&lines, &["127.0.0.1", "our certificate"]);
            }
            let query = super::ca();
            let lines = refused(kind, version, &query, [&good, "-", "-"], name).await;
            has(&lines, &["sent no certificate", "cert=FILE"]);
            let files = [good.as_str(), &their_cert, &their_key];
            let lines = refused(kind, version, &query, files, name).await;
            has(&lines, &["signed by no authority"]);
            let files = [good.as_str(), &cert, &key];
            let wrong = Identity::made(["x"]).unwrap().pin().unwrap();
            let lines = refused(kind, version, &format!("pin={wrong}"), files, name).await;
            has(&lines, &["its key is sha256:", &wrong.to_string()]);
        }
    }
}

#[tokio::test]
async fn servers_that_we_refuse_or_that_refuse_us_are_told() {
    let stranger = Authority::new();
    let theirs = stranger.sign("server.example");
    let expired = AUTHORITY.sign_expired("server.example");
    let wrong = Identity::made(["x"]).unwrap().pin().unwrap();
    let good = shown(&AUTHORITY.file());
    let server = (shown(&SERVER.cert), shown(&SERVER.key));
    for (kind, program) in KINDS {
        if !tools::has(program) {
            continue;
        }
        for version in VERSIONS {
            let (cert, key) = (shown(&theirs.cert), shown(&theirs.key));
            let lines = refuses(kind, version, &super::ca(), ["-", &cert, &key]).await;
            has(&lines, &["signed by no authority", "ca=FILE"]);
            let (cert, key) = (shown(&expired.cert), shown(&expired.key));
            let lines = refuses(kind, version, &super::ca(), ["-", &cert, &key]).await;
            has(&lines, &["expired on 2020-01-02"]);
            let (cert, key) = (&server.0, &server.1);
            let lines = refuses(kind, version, &format!("pin={wrong}"), ["-", cert, key]).await;
            has(&lines, &["its key is sha256:", &wrong.to_string()]);

            // It requires a client certificate, which is missing, or of another authority. asyncio
            // then closes without an alert.
            if kind == "asyncio" {
                continue;
            }
            let lines = refuses(kind, version, &super::ca(), [&good, cert, key]).await;
            has(&lines, &["client certificate", "cert=FILE"]);
            // Node closes without an alert where the certificate is another's.
            if kind == "node" {
                continue;
            }
            let query = format!("{}&{}", super::ca(), theirs.query());
            let lines = refuses(kind, version, &query, [&good, cert, key]).await;
            has(&lines, &["refused our certificate"]);
        }
    }
}
