//! A program that a test talks to. It runs in a process group of its own, which is killed when the
//! test drops it.

#![allow(dead_code, reason = "each test uses a part")]

use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process_group};
use socketry_testkit::in_time;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A program that was started. A test reads its standard output line by line; its standard error
/// is the test's.
pub(crate) struct Peer {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// Starts `program` with `arguments`, and without an input.
    pub(crate) fn start(program: &str, arguments: &[&str]) -> Peer {
        let mut command = Command::new(program);
        command.args(arguments);
        Peer::of(command)
    }

    /// Starts `command`, without an input.
    pub(crate) fn of(mut command: Command) -> Peer {
        command.process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Peer { child, said }
    }

    /// The next line that it prints; `None` at the end of its output.
    pub(crate) async fn line(&mut self) -> Option<String> {
        in_time("a line of the peer", self.said.next_line())
            .await
            .unwrap()
    }

    /// The next line that has `part` in it.
    pub(crate) async fn says(&mut self, part: &str) -> String {
        while let Some(line) = self.line().await {
            if line.contains(part) {
                return line;
            }
        }
        panic!("the peer ended without saying {part:?}");
    }

    /// The port that it prints, alone on the next line.
    pub(crate) async fn port(&mut self) -> u16 {
        let line = self.line().await.expect("a port");
        line.trim().parse().unwrap_or_else(|_| panic!("{line}"))
    }

    /// What else it prints until it ends, which it must do by itself, and with success.
    pub(crate) async fn ended(mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(line) = self.line().await {
            lines.push(line);
        }
        let status = in_time("the peer's end", self.child.wait()).await.unwrap();
        assert!(status.success(), "{status}: {lines:?}");
        lines
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Once it was waited for, its number may be another process'.
        let Some(id) = self.child.id() else { return };
        let group = i32::try_from(id).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
