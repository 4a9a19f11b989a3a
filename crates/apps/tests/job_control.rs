//! Programs in the background of a terminal: they run on, and read it when they are in the
//! foreground.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

#[test]
fn programs_in_the_background_run_on_and_read_when_they_are_in_front() {
    let directory = tempfile::tempdir().unwrap();
    let script = format!("{}/tests/python/job_control.py", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("python3")
        .args([&script, env!("CARGO_BIN_EXE_socketry")])
        .arg(directory.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {words}", output.status);
}

/// The signals that the programs block are not blocked in the commands that they run.
#[test]
fn commands_are_run_without_blocked_signals() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_socketry"))
        .args(["command", "serve", "--allow-any"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(server.stdout.take().unwrap());
    out.read_line(&mut first).unwrap();
    let url = first.trim().strip_prefix("listening on ").unwrap();
    let ran = Command::new(env!("CARGO_BIN_EXE_socketry"))
        .args(["command", "run", url, "grep SigBlk /proc/self/status"])
        .stdin(Stdio::null())
        .output();
    server.kill().unwrap();
    server.wait().unwrap();
    let said = String::from_utf8(ran.unwrap().stdout).unwrap();
    assert_eq!(said, "SigBlk:\t0000000000000000\n");
}
