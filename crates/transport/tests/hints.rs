//! An error names the way out: what to write, to make, to start or to ask for.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use socketry_transport::{Endpoint, Error, ErrorKind, Shape, connect, listen};

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

async fn refused(at: &str) -> Error {
    connect(at).await.err().unwrap()
}

/// The error as one line, also where a `main` returns it, and what it must say.
#[track_caller]
fn says(error: &Error, words: &str) {
    let text = error.to_string();
    assert_eq!(format!("{error:?}"), text);
    assert!(text.contains(words), "{text:?} does not say {words:?}");
}

#[test]
fn what_is_no_url_is_told_how_to_be_one() {
    for (text, hint) in [
        ("tcp:127.0.0.1:9000", "write tcp://127.0.0.1:9000"),
        ("tcp:/127.0.0.1:9000", "write tcp://127.0.0.1:9000"),
        ("UDP:localhost:1", "write udp://localhost:1"),
        ("unix:/run/app.sock", "write unix:///run/app.sock"),
        ("unix:app.sock", "write unix://app.sock"),
        ("unix-dgram:@app", "write unix-dgram://@app"),
        ("mem:name", "write mem://name"),
        ("127.0.0.1:9000", "write tcp://127.0.0.1:9000"),
        ("[::1]:9000", "write tcp://[::1]:9000"),
        ("localhost:9000", "write tcp://localhost:9000"),
        ("/run/app.sock", "write unix:///run/app.sock"),
        ("./app.sock", "write unix://./app.sock"),
        ("nonsense", "write tcp://127.0.0.1:9000, say"),
        ("tcp:///127.0.0.1:9000", "two slashes"),
    ] {
        let error = text.parse::<Endpoint>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidEndpoint, "{text}");
        says(&error, hint);
    }
}

#[test]
fn no_hint_shows_a_password() {
    for text in [
        "tcp:me:hunter2@host:1",
        "ssh:me:hunter2@host",
        "me:hunter2@host:1",
    ] {
        let error = text.parse::<Endpoint>().unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn a_scheme_that_nobody_has_is_told_those_that_are_there() {
    says(
        &refused("unixgram:///run/app.sock").await,
        "the schemes here are fd, mem, mem-mux, stdio, systemd, tcp, udp, unix, unix-dgram, unix-seqpacket",
    );
}

#[tokio::test]
async fn a_unix_socket_that_is_not_there_is_told_what_is_missing() {
    let directory = directory();
    let at = directory.path().display();
    let missing = refused(&format!("unix://{at}/app.sock")).await;
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    says(&missing, "is the server running?");
    assert!(!missing.to_string().contains("relative"), "{missing}");

    let nowhere = format!("{at}/none");
    for scheme in ["unix", "unix-dgram"] {
        let url = format!("{scheme}://{nowhere}/app.sock");
        let words = format!("there is no directory {nowhere}");
        says(&refused(&url).await, &words);
        says(&listen(url.as_str()).await.err().unwrap(), &words);
    }
}

#[tokio::test]
async fn a_host_in_a_unix_url_is_told_that_the_path_is_relative() {
    let error = refused("unix://localhost/run/app.sock").await;
    says(&error, "there is no directory localhost/run");
    says(&error, "an absolute one begins with a third slash");
}

#[tokio::test]
async fn a_file_that_no_server_has_is_told_apart_from_one_that_is_no_socket() {
    let directory = directory();
    let (stale, plain) = (directory.path().join("s"), directory.path().join("p"));
    drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
    File::create(&plain).unwrap();
    let error = refused(&format!("unix://{}", stale.display())).await;
    assert_eq!(error.kind(), ErrorKind::Refused);
    says(&error, "its server is gone and has left the file");
    says(
        &refused(&format!("unix://{}", plain.display())).await,
        "that file is no socket",
    );
    says(
        &refused(&format!("unix://{}/x", plain.display())).await,
        "one of the directories is a file",
    );
}

#[tokio::test]
async fn a_socket_of_the_other_kind_is_told() {
    let directory = directory();
    let path = directory.path().join("s");
    let url = |scheme: &str| format!("{scheme}://{}", path.display());
    let _stream = listen(url("unix")).await.unwrap();
    says(
        &refused(&url("unix-dgram")).await,
        "write unix:// or unix-seqpacket:// perhaps",
    );
}

#[tokio::test]
async fn a_path_that_is_too_long_is_told_how_long_it_is() {
    let path = format!("/{}", "x".repeat(129));
    for (at, most) in [
        (format!("unix://{path}"), 108),
        (format!("unix-dgram://@{}", &path[..]), 107),
    ] {
        let error = refused(&at).await;
        assert_eq!(error.kind(), ErrorKind::InvalidEndpoint);
        let words = format!("has 130 bytes, and a Unix socket's at most {most}");
        says(&error, &words);
    }
}

#[tokio::test]
async fn port_0_is_for_listening() {
    says(
        &refused("tcp://127.0.0.1:0").await,
        "port 0 is for listening",
    );
}

#[tokio::test]
async fn an_address_of_another_machine_is_not_listened_at() {
    says(
        &listen("tcp://192.0.2.1:0").await.err().unwrap(),
        "at 0.0.0.0 or [::]",
    );
}

/// The tests run as root at times, whom nothing is forbidden.
#[test]
fn kinds_and_shapes_have_words() {
    assert_eq!(ErrorKind::Refused.to_string(), "nobody listens there");
    assert_eq!(Shape::Stream.to_string(), "a stream");
    let datagrams = Shape::Datagram { max_len: 9 };
    assert_eq!(datagrams.to_string(), "datagrams of at most 9 bytes");
}

#[test]
fn endpoints_come_from_addresses_and_paths_and_go_back() {
    use std::net::{SocketAddr, SocketAddrV6};
    let flow: SocketAddr = SocketAddrV6::new("fe80::1".parse().unwrap(), 7, 9, 3).into();
    for address in [
        "127.0.0.1:9000".parse().unwrap(),
        "[::1]:1".parse().unwrap(),
        flow,
    ] {
        let at = Endpoint::from(address);
        assert_eq!(at.to_string().parse::<Endpoint>().unwrap(), at);
        let back = SocketAddr::try_from(&at).unwrap();
        assert_eq!((back.ip(), back.port()), (address.ip(), address.port()));
        assert!(PathBuf::try_from(&at).is_err());
        assert_eq!(at.socket_path(), None);
    }
    for path in ["/run/app.sock", "app.sock", "@app", "./a?b#c%"] {
        let at = Endpoint::try_from(Path::new(path)).unwrap();
        assert_eq!(at.to_string().parse::<Endpoint>().unwrap(), at);
        assert_eq!(PathBuf::try_from(&at).unwrap(), Path::new(path));
        assert!(SocketAddr::try_from(&at).is_err());
    }
    for path in ["", "a\0b"] {
        let error = Endpoint::try_from(Path::new(path)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidEndpoint);
    }
}

#[tokio::test]
async fn a_program_connects_to_an_address_or_a_path() {
    use socketry_transport::Listener;
    let directory = directory();
    let path = directory.path().join("s");
    let mut unix = listen(path.as_path()).await.unwrap();
    connect(path.clone()).await.unwrap();
    unix.accept().await.unwrap();
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let mut tcp = listen(any).await.unwrap();
    let at = tcp.local().socket_addr().unwrap();
    connect(at).await.unwrap();
    tcp.accept().await.unwrap();
    assert!(fs::exists(path).unwrap());
}
