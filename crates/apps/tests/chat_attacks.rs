//! Attacks on names in chats that worked on others, over plain transports and over TLS.
#![allow(clippy::unwrap_used, reason = "tests")]

mod over;
mod program;

use std::future::pending;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use over::OVER;
use program::{Served, socketry, tokens};
use serde_json::{Value, json};
use socketry_apps::Service;
use socketry_apps::chat::{Console, Operator, Server};
use socketry_apps::matrix;
use socketry_codec::Framed;
use socketry_transport::{BoxSocket, Endpoint};
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(20);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(LIMIT, what).await.expect("in time")
}

/// A server that runs until the test ends.
async fn serve(url: &str, codec: &str) -> (Service, Endpoint, Operator) {
    let service = Service::with_codec(codec).unwrap();
    let server = Server::bind(&service, &url.parse().unwrap()).await.unwrap();
    let at = server.local().clone();
    let (console, operator) = Console::channel();
    tokio::spawn(server.run(console, pending()));
    (service, at, operator)
}

/// A peer that sends frames of any content.
async fn stranger(at: &Endpoint, codec: &str) -> Framed<BoxSocket> {
    let socket = matrix::transports().connect(at).await.unwrap();
    Framed::new(socket, codec.parse().unwrap())
}

async fn said(framed: &mut Framed<BoxSocket>) -> Value {
    soon(framed.recv_json()).await.unwrap().expect("an answer")
}

async fn shows(operator: &mut Operator, shown: &str) {
    assert_eq!(soon(operator.next()).await.as_deref(), Some(shown));
}

#[tokio::test]
async fn json_that_is_no_message_is_answered_and_the_conversation_goes_on() {
    let schemes = OVER.into_iter().chain(["udp"]);
    for (scheme, codec) in schemes.flat_map(|scheme| [(scheme, "json"), (scheme, "json:bare")]) {
        let directory = tempfile::tempdir().unwrap();
        let url = over::url(scheme, directory.path());
        let (_, at, mut operator) = serve(&url, codec).await;
        let mut peer = stranger(&at, codec).await;
        let long = "x".repeat(65);
        for (wrong, word) in [
            (json!({}), "text"),
            (json!({"from": 5, "text": "x"}), "string"),
            (json!({"from": "", "text": "x"}), "empty"),
            (json!({"from": long, "text": "x"}), "64"),
            (json!({"from": "operator", "text": "x"}), "server's own"),
            (json!({"from": "Operator", "text": "x"}), "server's own"),
            (json!({"from": "SOCKETRY", "text": "x"}), "server's own"),
            (json!({"from": "ann\u{202e}", "text": "x"}), "invisible"),
            (json!({"from": "eve : hi", "text": "x"}), "inside"),
            (json!({"text": ["x"]}), "string"),
        ] {
            peer.send_json(&wrong).await.unwrap();
            let answer = said(&mut peer).await;
            let error = answer["error"].as_str().unwrap();
            assert!(error.contains(word), "{wrong}: {error}");
        }
        peer.send(b"{\"text\": \"\xff\"}").await.unwrap();
        assert!(said(&mut peer).await["error"].is_string());
        // Unknown keys are ignored, and a name holds until another one is sent.
        let first = json!({"from": "ann", "text": "one\u{202e}", "mood": "good"});
        peer.send_json(&first).await.unwrap();
        shows(&mut operator, r"ann : one\u{202e}").await;
        peer.send_json(&json!({"text": "two\nlines"}))
            .await
            .unwrap();
        shows(&mut operator, r"ann : two\nlines").await;
    }
}

/// Lines that `join` sends, as one user after another.
fn say(home: &Path, server: &Served, words: &[&str], text: &str) -> String {
    let mut user = socketry(home, &[&["chat", "join", &server.url], words].concat());
    let user = user
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut user = user.spawn().unwrap();
    writeln!(user.stdin.take().unwrap(), "{text}").unwrap();
    let output = user.wait_with_output().unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn the_name_of_a_token_belongs_to_those_that_have_it() {
    // A user waits a while for answers.
    for (scheme, codecs) in [
        ("tcp", &["json", "line"][..]),
        ("tls", &["json"]),
        ("tls+unix", &["line"]),
    ] {
        a_name_belongs_over(scheme, codecs);
    }
}

fn a_name_belongs_over(scheme: &str, codecs: &[&str]) {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let url = over::url(scheme, home);
    let file = tokens(home, "tokens", &["ann", "benjamin"]);
    let ann = tokens(home, "ann", &["ann"]);
    let ann = ["--token-file", &*ann];
    for codec in codecs {
        let codec = ["--codec", *codec];
        let serve = ["chat", "serve", &url, "--token-file", &file, "--anonymous"];
        let mut server = Served::start(home, &[&serve[..], &codec].concat());
        for name in ["ann", "Ann", "benjamin"] {
            let words = [&codec[..], &["--name", name]].concat();
            let said = say(home, &server, &words, "forged");
            if codec[1] == "json" {
                assert!(said.contains("belongs to another user"), "{said}");
            }
        }
        say(
            home,
            &server,
            &[&codec[..], &["--name", "eve"]].concat(),
            "plain\nq",
        );
        assert_eq!(server.line(), "eve : plain");
        say(
            home,
            &server,
            &[&codec[..], &ann, &["--name", "ann"]].concat(),
            "true\nq",
        );
        assert_eq!(server.line(), "ann : true");
        if codec[1] == "json" {
            // Without a name the proved one is taken.
            say(home, &server, &[&codec[..], &ann].concat(), "nameless\nq");
            assert_eq!(server.line(), "ann : nameless");
        }
        let log = server.log();
        assert!(
            codec[1] == "json" || log.contains("belongs to another user"),
            "{log}"
        );
    }
}
