//! `postgres-startup` and `postgres` with PostgreSQL.

use rustix::process::{Signal, geteuid};
use socketry_testkit::in_time;
use socketry_transport::BoxSocket;
use tempfile::TempDir;
use tokio::process::Command;

use crate::daemon::{Daemon, command, directory, free_port};
use crate::{Live, codec, live, tools};

const SSL_REQUEST: &[u8] = b"\0\0\0\x08\x04\xD2\x16\x2F";
const PROTOCOL_3: &[u8] = b"\0\x03\0\0";

/// The first message, in which the name of the application has so many bytes.
fn startup(name: usize) -> Vec<u8> {
    let name = "x".repeat(name);
    let parameters = format!("user\0postgres\0application_name\0{name}\0\0");
    let length = u32::try_from(8 + parameters.len()).unwrap();
    [&length.to_be_bytes(), PROTOCOL_3, parameters.as_bytes()].concat()
}

/// A query, as a whole message.
fn query(text: &str) -> Vec<u8> {
    let length = u32::try_from(4 + text.len() + 1).unwrap();
    [b"Q", &length.to_be_bytes()[..], text.as_bytes(), b"\0"].concat()
}

/// PostgreSQL refuses to run as root.
fn server(program: &str, arguments: &[&str]) -> Command {
    if !geteuid().is_root() {
        return command(program, arguments);
    }
    let user = [
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
        program,
    ];
    command("setpriv", &[&user, arguments].concat())
}

/// A server with a new cluster, and where it listens.
async fn started() -> Option<(Daemon, TempDir, String)> {
    if !(tools::has("postgres") && tools::has("initdb")) {
        return None;
    }
    let (directory, port) = (directory(), free_port());
    if geteuid().is_root() {
        let mut owned = command("chown", &["postgres"]);
        assert!(
            owned
                .arg(directory.path())
                .status()
                .await
                .unwrap()
                .success()
        );
    }
    let data = directory.path().join("data").display().to_string();
    let options = [
        "-U",
        "postgres",
        "-A",
        "trust",
        "-N",
        "--no-locale",
        "-E",
        "UTF8",
        "-D",
        &data,
    ];
    let mut made = server("initdb", &options);
    made.current_dir(directory.path());
    Daemon::start(&mut made, directory.path()).ended().await;
    let port = port.to_string();
    let options = ["-D", &data, "-p", &port, "-h", "127.0.0.1", "-k", "", "-F"];
    let mut started = server("postgres", &options);
    started.current_dir(directory.path());
    // Its memory that processes share outlives one that is killed.
    let daemon = Daemon::start(&mut started, directory.path());
    let mut daemon = daemon.ends_on(Signal::QUIT);
    let ready = |text: &str| text.contains("ready to accept connections");
    daemon.printed(ready).await;
    Some((daemon, directory, format!("tcp://127.0.0.1:{port}")))
}

/// One after the other, since a new cluster takes long.
#[tokio::test]
async fn postgresql_converses() {
    let Some((mut daemon, _directory, url)) = started().await else {
        return;
    };
    a_byte_without_a_frame_stands_between_two_codecs(daemon.connect(&url).await).await;
    large_rows_and_long_queries_arrive_whole(daemon.connect(&url).await).await;
    the_first_message_has_at_most_10_004_bytes(&mut daemon, &url).await;
}

/// The messages up to the first one of this type.
async fn until(peer: &mut Live, kind: u8) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    loop {
        let message = in_time("a message", peer.recv()).await.unwrap().unwrap();
        messages.push(message.to_vec());
        if message[0] == kind {
            return messages;
        }
    }
}

/// The byte without a frame is a body of one byte.
async fn a_byte_without_a_frame_stands_between_two_codecs(socket: BoxSocket) {
    let mut peer = live("postgres", socket, "postgres-startup");
    peer.send(SSL_REQUEST).await.unwrap();
    let mut answer = peer.body(1).unwrap();
    assert_eq!(
        in_time("an answer", answer.chunk()).await.unwrap(),
        Some(&b"N"[..])
    );
    assert_eq!(answer.chunk().await.unwrap(), None);

    peer.send(&startup(1)).await.unwrap();
    let mut peer = peer.with_codec(codec("postgres")).unwrap();
    let greeting = until(&mut peer, b'Z').await;
    assert_eq!(
        greeting[0], b"R\0\0\0\x08\0\0\0\0",
        "no password is asked for"
    );

    // Two queries in one write.
    peer.feed(&query("select 'größe'")).await.unwrap();
    peer.send(&query("select 2")).await.unwrap();
    let answer = until(&mut peer, b'Z').await;
    assert_eq!(
        &answer[1][..],
        b"D\0\0\0\x11\0\x01\0\0\0\x07gr\xC3\xB6\xC3\x9Fe"
    );
    assert_eq!(
        &until(&mut peer, b'Z').await[1][..],
        b"D\0\0\0\x0B\0\x01\0\0\0\x012"
    );
    peer.send(b"X\0\0\0\x04").await.unwrap();
    assert_eq!(in_time("its end", peer.recv()).await.unwrap(), None);
}

async fn large_rows_and_long_queries_arrive_whole(socket: BoxSocket) {
    let mut peer = live("postgres-long", socket, "postgres-startup");
    peer.send(&startup(1)).await.unwrap();
    let mut peer = peer.with_codec(codec("postgres")).unwrap();
    until(&mut peer, b'Z').await;
    let row = 4_000_000;
    peer.send(&query(&format!(
        "select repeat('x', {row}) from generate_series(1, 3)"
    )))
    .await
    .unwrap();
    let answer = until(&mut peer, b'Z').await;
    let rows = answer.iter().filter(|message| message[0] == b'D');
    assert_eq!(rows.map(Vec::len).collect::<Vec<_>>(), [row + 11; 3]);

    let text = "y".repeat(row);
    peer.send(&query(&format!("select length('{text}')")))
        .await
        .unwrap();
    let answer = until(&mut peer, b'Z').await;
    assert_eq!(&answer[1][11..], b"4000000");
    peer.close().await.unwrap();
}

async fn the_first_message_has_at_most_10_004_bytes(daemon: &mut Daemon, url: &str) {
    let longest = 10_004 - startup(0).len();
    let mut peer = live("longest", daemon.connect(url).await, "postgres-startup");
    peer.send(&startup(longest)).await.unwrap();
    let mut peer = peer.with_codec(codec("postgres")).unwrap();
    assert_eq!(until(&mut peer, b'Z').await[0], b"R\0\0\0\x08\0\0\0\0");
    peer.close().await.unwrap();

    // The codec does not send a longer one, which the server drops without a word.
    let mut peer = live("longer", daemon.connect(url).await, "postgres-startup");
    peer.send(&startup(longest + 1)).await.unwrap_err();
    let mut peer = peer.with_codec(codec("raw")).unwrap();
    peer.send(&startup(longest + 1)).await.unwrap();
    let answer = in_time("its end", peer.recv()).await;
    assert!(!matches!(answer, Ok(Some(_))), "it closes the connection");
    daemon
        .printed(|text| text.contains("invalid length of startup packet"))
        .await;
}
