//! The log of a file server about its clients, with `-v`.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use file_support::*;
use tempfile::TempDir;

/// A server that serves a file `a` and writes a log.
struct Logged {
    server: Process,
    dir: TempDir,
}

impl Logged {
    fn new(codec: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        fs::write(dir.path().join("root/a"), "abc").unwrap();
        let mut command = Command::new(BIN);
        command.args(["file", "serve", "-v", "--codec", codec, "--root"]);
        command.arg(dir.path().join("root"));
        let log = fs::File::create(dir.path().join("log")).unwrap();
        let server = Process::new(command.stderr(Stdio::from(log)));
        Logged { server, dir }
    }

    fn to(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn get(&self, codec: &str, name: &str) {
        let (url, to) = (self.server.url(), self.to("to"));
        let to = to.to_str().unwrap();
        run(&[
            "file", "get", "--force", "--codec", codec, url, name, "--to", to,
        ]);
    }

    /// Sends bytes, and waits for the end.
    fn say(&self, bytes: &[u8]) {
        let mut stream = TcpStream::connect(("127.0.0.1", port(self.server.url()))).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }

    /// Waits for a log line with all these words and a client's address.
    fn has(&self, words: &[&str]) {
        until(&format!("{words:?} is logged"), || {
            let log = fs::read_to_string(self.to("log")).unwrap();
            let has = |line: &str| {
                line.contains("peer=tcp://127.0.0.1:")
                    && words.iter().all(|word| line.contains(word))
            };
            log.lines().any(has)
        });
    }
}

#[test]
fn each_request_is_logged() {
    let logged = Logged::new("json");
    logged.get("json", "a");
    logged.has(&["download", "name=a", "bytes=3", "sent"]);
    logged.get("json", "no\u{1b}");
    logged.has(&["download", r"no\u{1b}", "refused"]);
}

#[test]
fn each_text_over_raw_is_logged() {
    let logged = Logged::new("raw");
    logged.get("raw", "a");
    logged.has(&["text=/", "bytes=1", "listed"]);
    logged.has(&["text=get a", "bytes=3", "sent"]);
    logged.say(b"get no\x1b");
    logged.has(&[r"text=get no\u{1b}", "refused", "No such file"]);
    logged.say(b"what is this");
    logged.has(&["text=what is this", "refused", "no command"]);
    logged.say(b"\xff");
    logged.has(&["refused", "utf-8"]);
    logged.say(b"GET / HTTP/1.1\r\n\r\n");
    logged.has(&["refused", "this looks like HTTP"]);
}

#[test]
fn frames_that_are_no_requests_are_logged() {
    let logged = Logged::new("json");
    for (bytes, words) in [
        (
            &b"\x07\0\0\0{\"opt\"}"[..],
            "the header cannot be understood",
        ),
        (b"\x0b\0\0\0{\"opt\":\"x\"}", "opt x is not known"),
        (b"\xff\xff\xff\x7f", "2147483647"),
        (b"GET / HTTP/1.1\r\n\r\n", "this server speaks the codec"),
    ] {
        logged.say(bytes);
        logged.has(&["refused", words]);
    }
    logged.say(b"\x02\0\0");
    logged.has(&["inside a frame"]);
}
