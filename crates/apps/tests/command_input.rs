//! Standard input of `command run` is not sent. A user that gives it some is told so.
#![allow(clippy::unwrap_used)]

mod command_support;

use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Write, pipe};
use std::os::unix::net::UnixStream;
use std::process::{Output, Stdio};

use command_support::*;

fn run_with(at: &str, input: impl Into<Stdio>, arguments: &[&str]) -> Output {
    let mut command = socketry(&[&["run", at], arguments].concat());
    command.stdin(input).output().unwrap()
}

/// A pipe that holds `bytes`.
fn filled(bytes: &[u8]) -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(bytes).unwrap();
    (reader, writer)
}

/// The words of a refusal; no command was run.
fn refused(output: &Output) -> String {
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(255), &b""[..])
    );
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn bytes_that_wait_on_standard_input_are_not_dropped_silently() {
    let (_server, at) = served(&[]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "hi\n").unwrap();
    let (socket, mut peer) = UnixStream::pair().unwrap();
    peer.write_all(b"hi\n").unwrap();
    let (open, _writer) = filled(b"hi\n");
    let (closed, writer) = filled(b"hi\n");
    drop(writer);
    let socket = std::os::fd::OwnedFd::from(socket);
    for input in [
        Stdio::from(File::open(&file).unwrap()),
        Stdio::from(open),
        Stdio::from(closed),
        Stdio::from(socket),
    ] {
        let words = refused(&run_with(&at, input, &["echo run"]));
        let start = "socketry: standard input is not sent to the command, and 3 bytes wait there; \
                     nothing was run";
        assert!(words.starts_with(start), "{words}");
    }
}

#[test]
fn an_empty_standard_input_is_none() {
    let (_server, at) = served(&[]);
    let directory = tempfile::tempdir().unwrap();
    let empty = directory.path().join("empty");
    fs::write(&empty, "").unwrap();
    let read = directory.path().join("read");
    fs::write(&read, "read already").unwrap();
    let mut read = File::open(&read).unwrap();
    std::io::copy(&mut read, &mut std::io::sink()).unwrap();
    let (inherited, _nobody_writes) = pipe().unwrap();
    let (closed, writer) = pipe().unwrap();
    drop(writer);
    for input in [
        Stdio::null(),
        Stdio::from(File::open(&empty).unwrap()),
        Stdio::from(read),
        Stdio::from(inherited),
        Stdio::from(closed),
        Stdio::from(File::open(directory.path()).unwrap()),
        Stdio::from(File::open("/dev/zero").unwrap()),
    ] {
        let output = run_with(&at, input, &["echo run"]);
        assert_eq!(
            (output.status.code(), &*output.stdout),
            (Some(0), &b"run\n"[..])
        );
    }
    // No standard input at all.
    let script = r#"exec "$0" command run "$1" 'echo run' <&-"#;
    let output = std::process::Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_socketry"), &at])
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), &*output.stdout),
        (Some(0), &b"run\n"[..])
    );
}

#[test]
fn bytes_that_come_while_the_command_runs_are_not_dropped_silently() {
    let (_server, at) = served(&[]);
    let directory = tempfile::tempdir().unwrap();
    let (runs, go) = (directory.path().join("runs"), directory.path().join("go"));
    let line = format!(
        ": >{}; until [ -e {} ]; do sleep 0.01; done; echo done",
        runs.display(),
        go.display()
    );
    for (options, code) in [(&[][..], 255), (&["-n"], 0)] {
        let (reader, mut writer) = pipe().unwrap();
        let mut command = socketry(&[&["run", &at], options, &[&line]].concat());
        let command = command
            .stdin(reader)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        eventually("the command runs", || runs.exists());
        writer.write_all(b"late").unwrap();
        fs::write(&go, "").unwrap();
        let output = child.wait_with_output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), &*output.stdout),
            (Some(code), &b"done\n"[..])
        );
        let told = words.contains("it ran without the 4 bytes that wait there now");
        assert_eq!(told, code == 255, "{words}");
        fs::remove_file(&runs).unwrap();
        fs::remove_file(&go).unwrap();
    }
}

#[test]
fn a_loop_over_its_standard_input_goes_on_with_n() {
    let (_server, at) = served(&[]);
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("list");
    fs::write(&list, "one\ntwo\nthree\n").unwrap();
    for option in ["-n", "--no-stdin"] {
        let script =
            format!(r#"while read -r word; do "$0" command run {option} "$1" "echo $word"; done"#);
        let output = std::process::Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_socketry"), &at])
            .stdin(File::open(&list).unwrap())
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "one\ntwo\nthree\n");
    }
}

#[test]
fn a_terminal_is_not_checked_for_input() {
    let (_server, at) = served(&[]);
    let binary = env!("CARGO_BIN_EXE_socketry");
    let mut terminal = python(
        "on_terminal.py",
        &[binary, "command", "run", &at, "echo run"],
    );
    // The user types it before the command has ended; it is for the shell that reads next.
    let (typed, _writer) = filled(b"typed\n");
    let output = terminal.stdin(typed).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("run\r\n"), "{shown}");
    assert_eq!(output.status.code(), Some(0));
}
