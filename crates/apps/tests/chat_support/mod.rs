//! Programs that a test starts, feeds and waits for. Each wait has a deadline.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// The longest wait.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

/// A program, killed when dropped.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Program {
    /// Our binary.
    pub(crate) fn socketry(arguments: &[&str]) -> Self {
        Program::start(env!("CARGO_BIN_EXE_socketry"), arguments)
    }

    /// A script of `tests/python`.
    pub(crate) fn python(script: &str, arguments: &[&str]) -> Self {
        let script = format!("{}/tests/python/{script}.py", env!("CARGO_MANIFEST_DIR"));
        let mut all = vec![script.as_str()];
        all.extend(arguments);
        Program::start("python3", &all)
    }

    pub(crate) fn start(program: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .env("PYTHONIOENCODING", "utf-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (told, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = told.send(line);
            }
        });
        Program {
            input: child.stdin.take(),
            child,
            lines,
        }
    }

    /// A chat server of ours, and its URL.
    pub(crate) fn serving(arguments: &[&str]) -> (Self, String) {
        let server = Program::socketry(&[&["chat", "serve"], arguments].concat());
        let first = server.line();
        let url = first
            .strip_prefix("listening on ")
            .expect(&first)
            .to_owned();
        (server, url)
    }

    /// The next line of its standard output.
    pub(crate) fn line(&self) -> String {
        self.lines.recv_timeout(LIMIT).expect("a line in time")
    }

    /// The next line, if it comes within `patience`.
    #[allow(dead_code, reason = "not every test asks")]
    pub(crate) fn line_within(&self, patience: Duration) -> Option<String> {
        self.lines.recv_timeout(patience).ok()
    }

    /// The process id.
    #[allow(dead_code, reason = "not every test asks")]
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// All further lines, until it closes its standard output.
    pub(crate) fn rest(&self) -> Vec<String> {
        std::iter::from_fn(|| self.lines.recv_timeout(LIMIT).ok()).collect()
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line.as_bytes()).unwrap();
        input.write_all(b"\n").unwrap();
        input.flush().unwrap();
    }

    /// Ends its standard input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let killed = Command::new("kill").args(["-s", name, &process]).status();
        assert!(killed.unwrap().success());
    }

    /// Its exit code, once it has ended.
    pub(crate) fn code(&mut self) -> Option<i32> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return ExitStatus::code(&status);
            }
            assert!(began.elapsed() < LIMIT, "it has not ended");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The first line of its standard error.
    #[allow(dead_code, reason = "not every test asks")]
    pub(crate) fn error_line(&mut self) -> String {
        let mut line = String::new();
        let output = self.child.stderr.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Its standard error, once it has ended.
    pub(crate) fn errors(&mut self) -> String {
        let mut errors = String::new();
        let mut output = self.child.stderr.take().unwrap();
        output.read_to_string(&mut errors).unwrap();
        errors
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The host and port of a URL, as scripts take them.
pub(crate) fn host_port(url: &str) -> (&str, &str) {
    let (_, address) = url.split_once("://").unwrap();
    address.rsplit_once(':').unwrap()
}
