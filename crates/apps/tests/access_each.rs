//! The real binary: how many connections each client has.
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use std::io::Write;
use std::process::Stdio;

use program::{Served, failed, socketry, tokens};

/// Whose connection ends makes room for another one of the same client, and of nobody else.
#[test]
fn a_client_has_so_many_connections_and_no_more() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let file = tokens(home, "tokens", &["ann", "benjamin"]);
    let ann = tokens(home, "ann", &["ann"]);
    let ben = tokens(home, "ben", &["benjamin"]);
    let serve = [
        "chat",
        "serve",
        "--token-file",
        &file,
        "--anonymous",
        "--max-per-user",
        "1",
    ];
    let mut server = Served::start(home, &serve);
    let url = server.url.clone();
    let join = |token: &[&str], text: &str| {
        let mut user = socketry(home, &[&["chat", "join", &url], token].concat());
        let user = user
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut user = user.spawn().unwrap();
        let mut stdin = user.stdin.take().unwrap();
        let _ = writeln!(stdin, "{text}");
        (user, stdin)
    };
    for token in [&["--token-file", &*ann][..], &["--token-file", &ben], &[]] {
        let (mut first, stdin) = join(token, "first");
        assert!(server.line().ends_with(" : first"));
        let (second, _open) = join(token, "second");
        let said = failed(&second.wait_with_output().unwrap(), 1);
        assert!(said.contains("has all its 1 connections here"), "{said}");
        // The next one of the same client is let in once this one is gone.
        first.kill().unwrap();
        first.wait().unwrap();
        drop(stdin);
        loop {
            let (mut next, mut stdin) = join(token, "next");
            writeln!(stdin, "q").unwrap_or_default();
            if next.wait().unwrap().success() {
                break;
            }
        }
        assert!(server.line().ends_with(" : next"));
    }
    let log = server.log();
    assert!(log.contains("ann has all its 1 connections here"), "{log}");
}
