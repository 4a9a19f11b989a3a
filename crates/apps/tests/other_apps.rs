//! A client of one app at a server of another: the error says what answered.
#![allow(clippy::unwrap_used, reason = "tests")]

mod program;

use program::{Served, socketry};

#[test]
fn a_client_is_told_which_app_answers() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    for (app, serve) in [
        ("command", &["command", "serve", "--allow-any"][..]),
        ("chat", &["chat", "serve"]),
        ("file", &["file", "serve", "--root", "."]),
    ] {
        let server = Served::start(home, serve);
        let at = &*server.url;
        std::fs::write(home.join("f"), "text\n").unwrap();
        for client in [
            &["command", "run", at, "true"][..],
            &["chat", "join", at],
            &["file", "ls", at],
            &["file", "get", at, "f", "--to", "g"],
            &["file", "put", at, "f", "--as", "g"],
        ] {
            if client[0] == app {
                continue;
            }
            // Only a chat reads it.
            let says = std::fs::File::open(home.join("f")).unwrap();
            let mut words = socketry(home, client);
            let output = match client[0] {
                "chat" => words.stdin(says).output().unwrap(),
                _ => words.output().unwrap(),
            };
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(!output.status.success(), "{said}");
            assert!(said.contains(&format!("this is a {app} server")), "{said}");
        }
    }
}
