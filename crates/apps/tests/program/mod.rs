//! The real binary: servers, and clients that fail.
#![allow(dead_code, clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a line of a log may take: far more than it needs.
const DEADLINE: Duration = Duration::from_secs(30);

/// The binary, whose user has `home` and no other place for its state. A command runs where its
/// server was started.
pub(crate) fn socketry(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
    command.args(arguments).stdin(Stdio::null());
    command.env_remove("XDG_STATE_HOME").env("HOME", home);
    command.current_dir(home);
    command
}

/// A server, and the URL that it printed. It is killed when dropped.
pub(crate) struct Served {
    pub(crate) child: Child,
    stdout: BufReader<ChildStdout>,
    logged: Receiver<String>,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(home: &Path, arguments: &[&str]) -> Self {
        Served::of(&mut socketry(home, arguments))
    }

    pub(crate) fn of(command: &mut Command) -> Self {
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (told, logged) = channel();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|len| len > 0) {
                let _ = told.send(std::mem::take(&mut line));
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim_end().strip_prefix("listening on ") else {
            panic!("{command:?}: {}", logged.iter().collect::<String>());
        };
        let url = url.to_owned();
        Served {
            child,
            stdout,
            logged,
            url,
        }
    }

    /// The URL without its pin.
    pub(crate) fn place(&self) -> &str {
        self.url.split_once('?').unwrap().0
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Waits until it has logged a line with `words`.
    pub(crate) fn logs(&self, words: &str) {
        while !self.logged.recv_timeout(DEADLINE).unwrap().contains(words) {}
    }

    /// All that it has logged, once it has ended.
    pub(crate) fn log(self) -> String {
        self.log_with("", 0)
    }

    /// The same, after it has logged `words` so many times.
    pub(crate) fn log_with(self, words: &str, times: usize) -> String {
        let mut log = String::new();
        while log.matches(words).count() < times {
            // It may notice after its client has ended.
            log.push_str(&self.logged.recv_timeout(DEADLINE).expect(&log));
        }
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        log.extend(self.logged.iter());
        log
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A file that only its owner may read.
pub(crate) fn private(home: &Path, name: &str, text: &str) -> String {
    let path = home.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A file with tokens of these names, whose secrets are told apart by the names.
pub(crate) fn tokens(home: &Path, file: &str, names: &[&str]) -> String {
    let line = |name: &&str| {
        let secret = format!("{:02x}", name.len()).repeat(32);
        format!("{name} = {secret}\n")
    };
    private(home, file, &names.iter().map(line).collect::<String>())
}

/// `command run` with these words.
pub(crate) fn run(home: &Path, words: &[&str]) -> Output {
    socketry(home, &[&["command", "run"], words].concat())
        .output()
        .unwrap()
}

/// The one line of a program that failed.
pub(crate) fn failed(output: &Output, code: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}
