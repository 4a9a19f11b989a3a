//! The common part of the command tests: servers in this process, programs, and checks of
//! processes.
#![allow(dead_code, reason = "each of them uses some of it")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use socketry_apps::Service;
use socketry_apps::command::{Client, Exit, Policy, Server, Stream};
use socketry_transport::{BoxSocket, Endpoint};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Long enough for a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A server in this process.
pub(crate) struct Running {
    pub(crate) at: Endpoint,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

impl Running {
    pub(crate) async fn start(service: &Service, url: &str, limit: Option<Duration>) -> Self {
        let server = Server::bind(service, &url.parse().unwrap(), Policy::AllowAny)
            .await
            .unwrap();
        let server = server.time_limit(limit);
        let at = server.local().clone();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap_or_default() };
        let done = tokio::spawn(async move { server.run(stopped).await.unwrap() });
        Running { at, stop, done }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        timeout(DEADLINE, self.done).await.unwrap().unwrap();
    }
}

pub(crate) fn service(codec: &str, encoding: &str) -> Service {
    Service {
        encoding: encoding.parse().unwrap(),
        ..Service::with_codec(codec).unwrap()
    }
}

pub(crate) fn url(scheme: &str, directory: &Path) -> String {
    match scheme {
        "tcp" | "udp" => format!("{scheme}://127.0.0.1:0"),
        "mem" => "mem://*".to_owned(),
        _ => format!("{scheme}://{}", directory.join("socket").display()),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

pub(crate) async fn ask(client: &mut Client, command: &str) -> (Said, Exit) {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let asking = client.run(command, |stream, bytes| {
        match stream {
            Stream::Stdout => stdout.extend_from_slice(bytes),
            Stream::Stderr => stderr.extend_from_slice(bytes),
        }
        Ok(())
    });
    let exit = timeout(DEADLINE, asking).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let said = Said {
        stdout: text(stdout),
        stderr: text(stderr),
    };
    (said, exit)
}

/// Waits until `holds` returns true, or fails with `what`.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The ids in a file that a command writes, once `count` of them are there.
pub(crate) fn ids(file: &Path, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    eventually("the command writes its ids", || {
        let text = fs::read_to_string(file).unwrap_or_default();
        ids = text.lines().map(str::to_owned).collect();
        ids.len() == count && text.ends_with('\n')
    });
    ids
}

pub(crate) fn lives(id: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

pub(crate) fn gone(ids: &[String]) {
    eventually("all processes are gone", || !ids.iter().any(|id| lives(id)));
}

/// Sends `bytes`, half-closes, and returns the whole answer.
pub(crate) async fn exchange(at: &Endpoint, bytes: Vec<u8>) -> Vec<u8> {
    let (_, port) = at.host_port().unwrap();
    let exchanging = tokio::task::spawn_blocking(move || {
        let mut peer = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        peer.write_all(&bytes).unwrap();
        peer.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        peer.read_to_end(&mut answer).unwrap();
        answer
    });
    timeout(DEADLINE, exchanging).await.unwrap().unwrap()
}

/// A process that is killed when this is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    /// Kept open, since a write to a closed standard output would be an error there.
    pub(crate) stdout: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Process { child, stdout }
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn socketry(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socketry"));
    command.arg("command").args(arguments).stdin(Stdio::null());
    command
}

/// A server of the binary, and its URL.
pub(crate) fn served(arguments: &[&str]) -> (Process, String) {
    let arguments = [&["serve", "--allow-any"], arguments].concat();
    let mut server = Process::start(&mut socketry(&arguments));
    let line = server.line();
    let at = line.strip_prefix("listening on ").unwrap().to_owned();
    (server, at)
}

pub(crate) fn run(at: &str, arguments: &[&str]) -> Output {
    socketry(&[&["run", at], arguments].concat())
        .output()
        .unwrap()
}

pub(crate) fn python(script: &str, arguments: &[&str]) -> Command {
    let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let mut command = Command::new("python3");
    command.arg(scripts.join(script)).args(arguments);
    command
}

pub(crate) fn port(at: &str) -> &str {
    at.rsplit(':').next().unwrap()
}

pub(crate) fn python_says_ok(script: &str, arguments: &[&str]) {
    let output = python(script, arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let why = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.trim(), "ok", "{script} {arguments:?}: {why}");
}

pub(crate) fn terminate(child: &Child) {
    let id = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
}

/// A peer that speaks `struct` by hand.
pub(crate) async fn peer(service: &Service, at: &Endpoint) -> BoxSocket {
    service.registry.connect(at).await.unwrap()
}

pub(crate) fn packed(command: &str) -> Vec<u8> {
    let len = u32::try_from(command.len()).unwrap();
    [&len.to_le_bytes(), command.as_bytes()].concat()
}
