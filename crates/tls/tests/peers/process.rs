//! Programs of others, as peers.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::DEADLINE;

/// A program that runs until this is dropped.
pub(crate) struct Peer {
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    pub(crate) stdout: ChildStdout,
    stderr: ChildStderr,
}

impl Peer {
    pub(crate) fn start(program: &str, arguments: &[String]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Peer {
            stdin: child.stdin.take(),
            stdout: child.stdout.take().unwrap(),
            stderr: child.stderr.take().unwrap(),
            child,
        }
    }

    /// The lines of its output.
    pub(crate) fn lines(self) -> Talking {
        Talking {
            lines: BufReader::new(self.stdout).lines(),
            _stdin: self.stdin,
            _child: self.child,
        }
    }

    /// All that it prints from now on, until it ends: its output and its errors.
    pub(crate) async fn end(mut self) -> (Vec<u8>, String) {
        drop(self.stdin.take());
        let (mut out, mut errors) = (Vec::new(), String::new());
        let reading = async {
            let both = tokio::join!(
                self.stdout.read_to_end(&mut out),
                self.stderr.read_to_string(&mut errors)
            );
            let _lengths = (both.0.unwrap(), both.1.unwrap());
            self.child.wait().await.unwrap();
        };
        timeout(DEADLINE, reading).await.unwrap();
        (out, errors)
    }
}

pub(crate) struct Talking {
    lines: Lines<BufReader<ChildStdout>>,
    /// `s_server` ends with its input.
    _stdin: Option<ChildStdin>,
    _child: Child,
}

impl Talking {
    pub(crate) async fn next(&mut self) -> String {
        let next = timeout(DEADLINE, self.lines.next_line())
            .await
            .expect("a line");
        next.unwrap().unwrap_or_default()
    }
}
