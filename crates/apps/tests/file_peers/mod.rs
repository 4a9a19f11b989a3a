//! Servers, clients and scripts that the tests of the file app share.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "helpers of tests, and each test uses what it needs"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socketry_apps::file::{Client, Server};
use socketry_apps::{AppError, Service};
use socketry_transport::Endpoint;
use tempfile::TempDir;

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_socketry");
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A server in this process, over a directory of its own.
pub(crate) struct Served {
    pub(crate) service: Service,
    pub(crate) at: Endpoint,
    pub(crate) dir: TempDir,
    running: tokio::task::JoinHandle<Result<(), AppError>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Served {
    pub(crate) async fn new(codec: &str) -> Self {
        Served::at("tcp", codec).await
    }

    pub(crate) async fn at(scheme: &str, codec: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        let url = match scheme {
            "unix" => format!("unix://{}", dir.path().join("s").display()),
            "mem" => "mem://*".to_owned(),
            _ => "tcp://127.0.0.1:0".to_owned(),
        };
        let service = Service::with_codec(codec).unwrap();
        let root = dir.path().join("root");
        let url = url.parse().unwrap();
        let server = Server::bind(&service, &url, &root).await.unwrap();
        Served {
            service,
            at: server.local().clone(),
            dir,
            running: tokio::spawn(server.run(std::future::pending())),
        }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.service, &self.at).await.unwrap()
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    pub(crate) fn port(&self) -> u16 {
        port(&self.at.to_string())
    }

    /// A file outside of the root.
    pub(crate) fn outside(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

pub(crate) fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}

pub(crate) fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 31 % 251) as u8).collect()
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Waits until `look` says yes.
pub(crate) fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Runs what blocks while the server goes on.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub(crate) async fn python(script: &str, arguments: &[&str]) -> String {
    let mut command = Command::new("python3");
    command.arg(script_path(script)).args(arguments);
    let output = blocking(move || command.output().unwrap()).await;
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn script_path(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/python")
        .join(script)
}

/// A process that tells in its first line where it is; killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) line: String,
}

impl Process {
    pub(crate) fn new(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        Process {
            child,
            line: line.trim_end().to_owned(),
        }
    }

    pub(crate) fn python(script: &str, argument: &Path) -> Self {
        Process::new(
            Command::new("python3")
                .arg(script_path(script))
                .arg(argument),
        )
    }

    pub(crate) fn serve(root: &Path) -> Self {
        Process::new(
            Command::new(BIN)
                .args(["file", "serve", "--root"])
                .arg(root),
        )
    }

    pub(crate) fn url(&self) -> &str {
        self.line.strip_prefix("listening on ").unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    let command = &mut Command::new(BIN);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A client of the length-prefixed protocol with nothing of ours in it.
pub(crate) struct Script(pub(crate) TcpStream);

impl Script {
    pub(crate) fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Script(stream)
    }

    pub(crate) fn send(&mut self, header: &Value) -> &mut Self {
        let header = header.to_string();
        let len = i32::try_from(header.len()).unwrap();
        // In one write: a second one would wait for the acknowledgement of the first (Nagle).
        self.write(&[&len.to_le_bytes(), header.as_bytes()].concat())
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.write_all(bytes).unwrap();
        self
    }

    pub(crate) fn read(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.0.read_exact(&mut bytes).unwrap();
        bytes
    }

    pub(crate) fn answer(&mut self) -> Value {
        let len = self.read(4).try_into().unwrap();
        let header = self.read(usize::try_from(i32::from_le_bytes(len)).unwrap());
        serde_json::from_slice(&header).unwrap()
    }

    /// The error that answers `header`.
    pub(crate) fn refused(&mut self, header: &Value) -> String {
        let answer = self.send(header).answer();
        assert_eq!(answer["status"], "error", "{header}: {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn upload(name: &str, len: u64) -> Value {
    json!({"opt": "upload", "filename": name, "filesize": len})
}

/// A server that sends these headers, each with what follows it, whatever it is asked. For our client to beware of.
pub(crate) fn scripted(answer: Vec<(Value, &'static [u8])>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut script = Script(listener.accept().unwrap().0);
        script.answer();
        for (header, body) in answer {
            script.send(&header).write(body);
        }
        script.0.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = script.0.read_to_end(&mut Vec::new());
    });
    at
}

/// A proxy before the server at `port` that holds back for `delay` all that the server says.
pub(crate) async fn delaying(port: u16, delay: Duration) -> Endpoint {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let server = tokio::net::TcpStream::connect(("127.0.0.1", port));
        let (mut said, mut hears) = server.await.unwrap().into_split();
        let (mut from, mut to) = client.into_split();
        tokio::spawn(async move {
            tokio::io::copy(&mut from, &mut hears).await.unwrap();
            hears.shutdown().await.unwrap();
        });
        let mut buf = vec![0; 4096];
        loop {
            let len = said.read(&mut buf).await.unwrap();
            tokio::time::sleep(delay).await;
            if len == 0 || to.write_all(&buf[..len]).await.is_err() {
                return;
            }
        }
    });
    at.parse().unwrap()
}

pub(crate) fn type_in(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(BIN);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) async fn fetch_from(url: &str, dest: &Path) -> String {
    let mut client = Client::connect(&Service::default(), &url.parse().unwrap())
        .await
        .unwrap();
    let got = client.get("a", dest, |_, _| ()).await;
    got.map_or_else(|error| error.to_string(), |_| "done".to_owned())
}
