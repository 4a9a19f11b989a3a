//! The binary among other processes: broken pipes, closed terminals, stalled readers.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

const VERBS: [&[&str]; 3] = [
    &["chat", "serve"],
    &["command", "serve", "--allow-any"],
    &["file", "serve", "--root", "."],
];

fn socketry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// The same with default signal actions. The test runner may ignore some, as `nohup` and a script's
/// `&` do.
fn hearing_signals(arguments: &[&str]) -> Command {
    let mut command = Command::new("env");
    command
        .args([
            "--default-signal=HUP,QUIT,INT,TERM",
            env!("CARGO_BIN_EXE_socketry"),
        ])
        .args(arguments)
        .stdin(Stdio::null());
    command
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn ended(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("it has not ended");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_standard_output_that_is_not_read_is_an_error_and_no_panic() {
    for verb in VERBS {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut child = socketry(verb)
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(ended(&mut child).code(), Some(1), "{verb:?}");
        let mut words = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut words)
            .unwrap();
        assert!(
            words.starts_with("socketry: ") && !words.contains("panicked"),
            "{words}"
        );
    }
}

#[test]
fn a_terminal_that_is_closed_ends_a_server_cleanly() {
    for verb in VERBS {
        for how in [Signal::HUP, Signal::QUIT, Signal::INT, Signal::TERM] {
            let mut child = hearing_signals(verb)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut first = String::new();
            BufReader::new(child.stdout.take().unwrap())
                .read_line(&mut first)
                .unwrap();
            assert!(
                first.starts_with("listening on tcp://127.0.0.1:"),
                "{first}"
            );
            signal(&child, how);
            assert_eq!(ended(&mut child).code(), Some(0), "{verb:?} {how:?}");
        }
    }
}

#[test]
fn a_program_under_nohup_outlives_its_terminal() {
    let mut child = Command::new("sh")
        .args(["-c", "trap '' HUP; exec \"$0\" chat serve"])
        .arg(env!("CARGO_BIN_EXE_socketry"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    signal(&child, Signal::HUP);
    signal(&child, Signal::TERM);
    // If the first signal had been handled, this one would be the second: exit code 130, or no exit
    // code.
    assert_eq!(ended(&mut child).code(), Some(0));
}
