//! The first bytes of an answer, and how long a client waits for them.
#![allow(clippy::unwrap_used)]

mod command_support;

use std::io::{Read, Write};
use std::net::TcpStream;

use command_support::*;
use socketry_apps::command::{Client, Exit, FIRST_ANSWER};
use tokio::time::Instant;

#[test]
fn a_command_that_says_nothing_is_known_to_run() {
    let sign = br#"{"stream":"stdout","size":0}"#;
    for (codec, request, expected) in [
        ("struct", packed("exec sleep 1000"), packed("1")),
        (
            "json",
            packed(r#"{"run":"exec sleep 1000"}"#),
            packed(std::str::from_utf8(sign).unwrap()),
        ),
        (
            "json:bare",
            br#"{"run":"exec sleep 1000"}"#.to_vec(),
            sign.to_vec(),
        ),
    ] {
        let (_server, at) = served(&["--codec", codec]);
        let mut peer = TcpStream::connect(at.strip_prefix("tcp://").unwrap()).unwrap();
        peer.set_read_timeout(Some(DEADLINE)).unwrap();
        peer.write_all(&request).unwrap();
        let mut first = vec![0; expected.len()];
        peer.read_exact(&mut first).unwrap();
        assert_eq!(first, expected, "{codec}");
    }
}

#[test]
fn a_silent_command_is_waited_for_longer_than_its_server() {
    // All at once. Each command is silent for longer than its server may be.
    let asking = ["struct", "json", "json:bare"].map(|codec| {
        std::thread::spawn(move || {
            let (_server, at) = served(&["--codec", codec]);
            let options = ["--codec", codec, "--answer-within", "5s"];
            run(&at, &[&options[..], &["sleep 6; echo x"]].concat())
        })
    });
    for asking in asking {
        let output = asking.join().unwrap();
        let said = (output.status.code(), &*output.stdout);
        assert_eq!(said, (Some(0), &b"x\n"[..]));
    }
}

#[test]
fn a_server_that_never_answers_is_not_waited_for_for_ever() {
    let mut server = Process::start(&mut python("silent_server.py", &[]));
    let at = format!("tcp://127.0.0.1:{}", server.line());
    for codec in ["raw", "line", "struct", "json", "json:bare"] {
        let output = run(&at, &["--codec", codec, "--answer-within", "50ms", "true"]);
        let why = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(255), "{codec}");
        assert!(
            why.starts_with("socketry: the server has not answered within 50ms; "),
            "{codec}: {why}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_is_a_minute_where_the_server_says_that_a_command_runs() {
    let registry = socketry_transport::Registry::standard();
    for (codec, waits) in [
        ("struct", Some(FIRST_ANSWER)),
        ("json", Some(FIRST_ANSWER)),
        ("raw", None),
        ("line", None),
    ] {
        let listener = registry.listen("mem://*").await.unwrap();
        let at = socketry_transport::Listener::local(&listener).clone();
        let mut client = Client::connect(&service(codec, "utf-8"), &at)
            .await
            .unwrap();
        let start = Instant::now();
        let asking = client.run("true", |_, _| Ok(()));
        let ended = tokio::time::timeout(FIRST_ANSWER * 10, asking).await;
        let waited = start.elapsed();
        match waits {
            Some(limit) => {
                ended.unwrap().unwrap_err();
                assert!((limit..limit * 2).contains(&waited), "{codec}: {waited:?}");
            }
            None => assert!(ended.is_err(), "{codec}: {ended:?}"),
        }
    }
}

#[tokio::test]
async fn a_client_may_wait_for_ever() {
    let service = service("json", "utf-8");
    let server = Running::start(&service, "mem://*", None).await;
    let client = Client::connect(&service, &server.at).await.unwrap();
    let mut client = client.answer_within(None);
    assert_eq!(ask(&mut client, "exit 4").await.1, Exit::Code(4));
    server.stop().await;
}
