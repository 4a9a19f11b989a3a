//! The programs when their standard output is non-blocking, or is not read any more.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::ioctl_fionread;

/// So many lines that they fill a pipe several times.
const LINES: usize = 40_000;

fn socketry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
    command.args(arguments).stdin(Stdio::null());
    command.stderr(Stdio::piped());
    command
}

/// A server that is killed when dropped, and its URL.
struct Server(Child, String);

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut child = socketry(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut first).unwrap();
        let url = first.trim_end().strip_prefix("listening on ").unwrap();
        Server(child, url.to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A chat server that sends `LINES` lines to one user, and its URL.
fn talker() -> (JoinHandle<()>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", listener.local_addr().unwrap());
    let talking = std::thread::spawn(move || {
        let (mut user, _) = listener.accept().unwrap();
        let lines: String = (0..LINES).map(|n| format!("line {n}\n")).collect();
        // The client of a user whose reader has left hangs up.
        let _ = user.write_all(lines.as_bytes());
    });
    (talking, url)
}

/// A directory with so many files that their listing fills a pipe several times.
fn many_files(directory: &Path) {
    for n in 0..3_000 {
        File::create(directory.join(format!("{n:0>100}"))).unwrap();
    }
}

/// A subcommand of each app's client that prints much.
fn each_client(mut check: impl FnMut(&[&str], usize)) {
    let (talking, url) = talker();
    check(&["chat", "join", &url, "--codec", "line"], LINES);
    talking.join().unwrap();
    let server = Server::start(&["command", "serve", "--allow-any"]);
    check(&["command", "run", &server.1, "seq 40000"], LINES);
    let directory = tempfile::tempdir().unwrap();
    many_files(directory.path());
    let root = directory.path().to_str().unwrap();
    let server = Server::start(&["file", "serve", "--root", root]);
    check(&["file", "ls", &server.1], 3_000);
}

#[test]
fn a_non_blocking_standard_output_gets_all() {
    each_client(|arguments, lines| {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let flags = fcntl_getfl(&writer).unwrap();
        fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
        let mut child = socketry(arguments).stdout(writer).spawn().unwrap();
        // The pipe, of 64 KiB, fills up before it is read.
        while ioctl_fionread(&reader).unwrap() < 30_000 {
            std::thread::yield_now();
        }
        let mut heard = String::new();
        reader.read_to_string(&mut heard).unwrap();
        assert_eq!(heard.lines().count(), lines, "{arguments:?}");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{arguments:?}");
    });
}

#[test]
fn a_reader_that_leaves_ends_a_client_without_words_and_as_sigpipe_would() {
    each_client(|arguments, _| {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut child = socketry(arguments).stdout(writer).spawn().unwrap();
        reader.read_exact(&mut [0; 10]).unwrap();
        drop(reader);
        let output = child.stderr.take().unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(141), "{arguments:?}");
        let words = std::io::read_to_string(output).unwrap();
        assert_eq!(words, "", "{arguments:?}");
    });
}
