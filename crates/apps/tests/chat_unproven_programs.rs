//! The programs `chat serve` and `chat join` over UDP, in a network namespace where the address is
//! no loopback address. Only root may make one. Otherwise the test is skipped and says so.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[allow(dead_code, reason = "shared with tests that use more of it")]
mod chat_support;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::process::Command;
use std::time::{Duration, Instant};

use chat_support::{LIMIT, Program};

const PROGRAM: &str = env!("CARGO_BIN_EXE_socketry");
const URL: &str = "udp://192.0.2.1:9000";
/// Makes a network namespace and runs its arguments in it.
const ALONE: &str = r#"ip addr add 192.0.2.1/24 dev lo && ip link set lo up && exec "$@""#;

fn alone(arguments: &[&str]) -> Vec<String> {
    let before = ["-n", "sh", "-c", ALONE, "sh"];
    let all = before.iter().chain(arguments);
    all.map(|&word| word.to_owned()).collect()
}

fn can_be_alone() -> bool {
    if !["unshare", "nsenter", "ip"].into_iter().all(tools::has) {
        return false;
    }
    let tried = Command::new("unshare").args(alone(&["true"])).output();
    let made = tried.is_ok_and(|tried| tried.status.success());
    tools::may("network namespace", made)
}

/// A chat server in its own network namespace.
fn serving(codec: &str) -> Program {
    let words = alone(&[
        PROGRAM,
        "chat",
        "serve",
        URL,
        "--insecure",
        "--codec",
        codec,
    ]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let server = Program::start("unshare", &words);
    assert_eq!(server.line(), format!("listening on {URL}"));
    server
}

/// A user in the network of `server`.
fn joining(server: &Program, name: &str, codec: &str) -> Program {
    let process = server.id().to_string();
    let network = ["-t", &process, "-n", "--"];
    let join = [
        PROGRAM, "chat", "join", URL, "--codec", codec, "--name", name,
    ];
    Program::start("nsenter", &[&network[..], &join[..]].concat())
}

/// Sends long lines until one arrives. The operator's lines arrive anyway, and make the users wait.
fn until_heard(speaker: &mut Program, server: &mut Program, listener: &Program) {
    let (text, began) = ("x".repeat(2000), Instant::now());
    loop {
        server.type_line("wait");
        speaker.type_line(&text);
        assert_eq!(server.line(), format!("bob : {text}"));
        while let Some(heard) = listener.line_within(Duration::from_millis(200)) {
            if heard.starts_with("bob") {
                return;
            }
        }
        assert!(began.elapsed() < LIMIT, "it was never heard");
    }
}

#[test]
fn a_user_that_only_reads_receives_everything() {
    if !can_be_alone() {
        return;
    }
    for codec in ["json", "json:bare"] {
        let mut server = serving(codec);
        let ann = joining(&server, "ann", codec);
        let mut bob = joining(&server, "bob", codec);
        until_heard(&mut bob, &mut server, &ann);
        for count in 0..20 {
            let text = format!("{count} {}", "x".repeat(2000));
            bob.type_line(&text);
            assert_eq!(server.line(), format!("bob : {text}"));
            // Some of the lines before it may arrive late.
            while ann.line() != format!("bob : {text}") {}
        }
    }
}

/// The proof goes on after the end of input, as long as the user receives.
#[test]
fn a_user_whose_input_has_ended_receives_the_answers() {
    if !can_be_alone() {
        return;
    }
    let mut server = serving("json");
    let mut bob = joining(&server, "bob", "json");
    bob.type_line("here");
    assert_eq!(server.line(), "bob : here");
    let mut ann = joining(&server, "ann", "json");
    ann.type_line("hello");
    ann.end_input();
    assert_eq!(server.line(), "ann : hello");
    until_heard(&mut bob, &mut server, &ann);
    assert_eq!(ann.code(), Some(0));
}
