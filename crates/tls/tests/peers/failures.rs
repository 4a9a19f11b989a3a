//! What goes wrong with the programs of others: one clear line here, and an error there.

use socketry_tls::{Identity, Tls};
use socketry_transport::{Listener, RecvExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::common::{Authority, Files};
use super::programs::{KINDS, is_here, start};
use super::scripts::VERSIONS;
use super::{AUTHORITY, CLIENT, DEADLINE, SERVER, ca, connect, listen_as, shown};

const NAME: &str = "server.example";

/// The files of a peer: its authority, its certificate, and its key.
type Theirs<'a> = (Option<&'a Authority>, Option<&'a Files>);

fn words((authority, files): Theirs<'_>) -> [String; 3] {
    let nothing = || "-".to_owned();
    let shown_or = |path: Option<&std::path::Path>| path.map_or_else(nothing, shown);
    let ca = authority.map(Authority::file);
    [
        shown_or(ca.as_deref()),
        shown_or(files.map(|files| files.cert.as_path())),
        shown_or(files.map(|files| files.key.as_path())),
    ]
}

/// The line of our server, and that of a client that looks for `name`.
async fn client(
    (kind, version): (&str, &str),
    ours: (&Files, &str),
    theirs: Theirs<'_>,
    name: &str,
) -> [String; 2] {
    let (line, mut lines) = mpsc::unbounded_channel();
    let tls = Tls::new().on_failure(move |failure| {
        let _ = line.send(failure.to_string());
    });
    let mut listener = listen_as(ours.0, tls, ours.1).await;
    let port = listener.local().port().unwrap().to_string();
    let [ca, cert, key] = words(theirs);
    let words = ["client", version, "sink", &port, &ca, &cert, &key, name];
    let mut peer = start(kind, words);
    let accepting = tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let theirs = peer.next().await;
    // Node looks at our certificate after the handshake, and curl at its name: they tell us
    // nothing.
    let silent = match kind {
        "node" => ours.1.is_empty(),
        "curl" => name != NAME,
        _ => false,
    };
    let line = match silent {
        true => String::new(),
        false => timeout(DEADLINE, lines.recv()).await.expect(kind).unwrap(),
    };
    accepting.abort();
    [line, theirs]
}

/// The line of our client, wherever it is told, and that of a server.
async fn server((kind, version): (&str, &str), query: &str, theirs: Theirs<'_>) -> [String; 2] {
    let [ca, cert, key] = words(theirs);
    let words = ["server", version, "sink", "0", &ca, &cert, &key, "-"];
    let mut peer = start(kind, words);
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
        "asyncio" => [line, "nothing".to_owned()],
        _ => [line, peer.next().await],
    }
}

fn has(peer: (&str, &str), lines: &[String; 2], ours: &[&str]) {
    let [line, theirs] = lines;
    for part in ours {
        assert!(line.contains(part), "{peer:?}: '{part}' is not in: {line}");
    }
    assert!(line.lines().count() <= 1, "{peer:?}: {line}");
    assert!(theirs != "ok" && !theirs.is_empty(), "{peer:?}: {line}");
}

/// Each kind that plays this role and is here, in each version.
fn peers(servers: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    let kinds = KINDS.into_iter().map(|(kind, _)| kind);
    let kinds = kinds.filter(move |kind| !servers || *kind != "curl");
    let kinds = kinds.filter(|kind| is_here(kind));
    kinds.flat_map(|kind| VERSIONS.map(|version| (kind, version)))
}

#[tokio::test]
async fn clients_that_refuse_us_are_told() {
    let stranger = Authority::new();
    let expired = AUTHORITY.sign_expired(NAME);
    for peer in peers(false) {
        for (files, trusts, name) in [
            (&*SERVER, &stranger, NAME),
            (&SERVER, &AUTHORITY, "other.example"),
            (&expired, &AUTHORITY, NAME),
        ] {
            let lines = client(peer, (files, ""), (Some(trusts), None), name).await;
            match lines[0].is_empty() {
                true => has(peer, &lines, &[]),
                false => has(peer, &lines, &["127.0.0.1", "our certificate"]),
            }
        }
    }
}

#[tokio::test]
async fn clients_that_we_refuse_are_told() {
    let others = Authority::new();
    let stranger = others.sign("client.example");
    let expired = AUTHORITY.sign_expired("client.example");
    let wrong = Identity::made(["x"]).unwrap().pin().unwrap().to_string();
    let pinned = format!("pin={wrong}");
    for peer in peers(false) {
        for (query, files, ours) in [
            (ca(), None, &["sent no certificate", "cert=FILE"][..]),
            (ca(), Some(&stranger), &["signed by no authority"]),
            (ca(), Some(&expired), &["expired on 2020-01-02"]),
            (
                pinned.clone(),
                Some(&*CLIENT),
                &["its key is sha256:", &wrong],
            ),
        ] {
            let theirs = (Some(&*AUTHORITY), files);
            let lines = client(peer, (&SERVER, &query), theirs, NAME).await;
            has(peer, &lines, ours);
        }
    }
}

#[tokio::test]
async fn servers_that_we_refuse_are_told() {
    let others = Authority::new();
    let stranger = others.sign(NAME);
    let (expired, other) = (
        AUTHORITY.sign_expired(NAME),
        AUTHORITY.sign("other.example"),
    );
    let wrong = Identity::made(["x"]).unwrap().pin().unwrap().to_string();
    let pinned = format!("pin={wrong}");
    for peer in peers(true) {
        for (query, files, ours) in [
            (ca(), &stranger, &["signed by no authority", "ca=FILE"][..]),
            (ca(), &expired, &["expired on 2020-01-02"]),
            (ca(), &other, &["is for other.example", NAME]),
            (pinned.clone(), &SERVER, &["its key is sha256:", &wrong]),
        ] {
            let lines = server(peer, &query, (None, Some(files))).await;
            has(peer, &lines, ours);
        }
    }
}

#[tokio::test]
async fn servers_that_refuse_us_are_told() {
    let others = Authority::new();
    let stranger = others.sign("client.example");
    let expired = AUTHORITY.sign_expired("client.example");
    for peer in peers(true) {
        // asyncio closes without an alert where a client has no certificate, or a wrong one.
        if peer.0 == "asyncio" {
            continue;
        }
        let theirs = (Some(&*AUTHORITY), Some(&*SERVER));
        let lines = server(peer, &ca(), theirs).await;
        has(peer, &lines, &["client certificate", "cert=FILE"]);
        // Node closes without an alert where the certificate is a wrong one.
        if peer.0 == "node" {
            continue;
        }
        for files in [&stranger, &expired] {
            let query = format!("{}&{}", ca(), files.query());
            let lines = server(peer, &query, theirs).await;
            has(peer, &lines, &["refused our certificate"]);
        }
    }
}
