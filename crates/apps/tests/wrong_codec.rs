//! A client with another codec than its server's: every pair, every app, as programs.
//!
//! Such a client ends with an error that names the server's codec. It neither hangs nor takes an
//! error for output.
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "chat_support/mod.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod support;

use std::fs;

use support::Program;

const CODECS: [&str; 5] = ["raw", "line", "struct", "json", "json:bare"];
const FILE_CODECS: [&str; 3] = ["raw", "json", "json:bare"];

fn pairs<'a>(codecs: &'a [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> {
    let all = codecs
        .iter()
        .flat_map(|server| codecs.iter().map(move |client| (*server, *client)));
    all.filter(|(server, client)| server != client)
}

fn serving(arguments: &[&str], codec: &str) -> (Program, String) {
    let server = Program::socketry(&[arguments, &["--codec", codec]].concat());
    let first = server.line();
    let url = first
        .strip_prefix("listening on ")
        .expect(&first)
        .to_owned();
    (server, url)
}

/// Asserts that the client ended with `code`, and with one line about the server's codec.
fn was_told(mut client: Program, code: i32, server: &str, pair: &str) {
    let ended = client.code();
    let errors = client.errors();
    assert_eq!(ended, Some(code), "{pair}: {errors:?}");
    let advice = format!("try --codec {server}\n");
    assert!(errors.ends_with(&advice), "{pair}: {errors:?}");
    assert_eq!(errors.lines().count(), 1, "{pair}: {errors:?}");
    assert_eq!(client.rest(), [""; 0], "{pair}");
}

#[test]
fn a_command_client_is_told_of_the_servers_codec() {
    for (server, client) in pairs(&CODECS) {
        let (_serving, url) = serving(&["command", "serve", "--allow-any"], server);
        let arguments = ["command", "run", "--codec", client, &url, "echo hi"];
        let mut run = Program::socketry(&arguments);
        run.end_input();
        if (server, client) == ("raw", "line") {
            // Over raw a line is a text like any other, and the answer ends in a line feed.
            assert_eq!(run.code(), Some(0));
            assert_eq!(run.rest(), ["hi"]);
            continue;
        }
        was_told(run, 255, server, &format!("{client} to {server}"));
    }
}

#[test]
fn a_chat_client_is_told_of_the_servers_codec() {
    for (server, client) in pairs(&CODECS) {
        let (mut serving, url) = serving(&["chat", "serve"], server);
        let arguments = ["chat", "join", &url, "--name", "ann", "--codec", client];
        let mut join = Program::socketry(&arguments);
        // With JSON it has introduced itself, and may have the answer already.
        if !client.starts_with("json") {
            join.type_line("hello");
        }
        if (server, client) == ("raw", "line") {
            // The server understands lines. The client waits for the end of one, which may still
            // come.
            assert_eq!(serving.line(), r"ann : hello\n");
            serving.type_line("welcome");
            assert!(join.error_line().ends_with("try --codec raw"));
            continue;
        }
        was_told(join, 1, server, &format!("{client} to {server}"));
    }
}

#[test]
fn a_file_client_is_told_of_the_servers_codec() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a.txt"), "hello\n").unwrap();
    let own = dir.path().join("own.txt");
    fs::write(&own, "mine\n").unwrap();
    let (own, fetched) = (own.to_str().unwrap(), dir.path().join("fetched"));
    for (server, client) in pairs(&FILE_CODECS) {
        let arguments = ["file", "serve", "--root", root.to_str().unwrap()];
        let (_serving, url) = serving(&arguments, server);
        let to = fetched.to_str().unwrap();
        let verbs: [&[&str]; 3] = [
            &["ls", &url],
            &["get", &url, "a.txt", "--to", to],
            &["put", &url, own],
        ];
        for verb in verbs {
            if client == "raw" && verb[0] == "put" {
                continue;
            }
            let arguments = [&["file", "--codec", client], verb].concat();
            let mut asked = Program::socketry(&arguments);
            asked.end_input();
            let pair = format!("{client} to {server}: {}", verb[0]);
            was_told(asked, 1, server, &pair);
        }
        assert!(!fetched.exists() && !root.join("own.txt").exists());
    }
}
