//! What the tests of stored files share: programs, each killed when dropped, and a client with nothing of ours in it.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "helpers of tests are tests, and none uses them all"
)]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, mkfifoat};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const BIN: &str = env!("CARGO_BIN_EXE_socketry");
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A server of ours, a directory that it serves, and one beside it.
pub(crate) struct Served {
    pub(crate) child: Child,
    url: String,
    dir: TempDir,
    _out: BufReader<ChildStdout>,
}

impl Served {
    pub(crate) fn new(options: &[&str]) -> Self {
        Served::started_by(Command::new(BIN).args(["file", "serve"]).args(options))
    }

    /// `command` is going to be a server; where its files are is added.
    pub(crate) fn started_by(command: &mut Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["root", "to"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        command.arg("--root").arg(dir.path().join("root"));
        Served::started_at(command, dir)
    }

    /// As [`started_by`](Served::started_by), and `command` says itself what it serves.
    pub(crate) fn started_by_at(command: &mut Command) -> Self {
        Served::started_at(command, tempfile::tempdir().unwrap())
    }

    fn started_at(command: &mut Command, dir: TempDir) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ").unwrap();
        Served {
            child,
            url: url.to_owned(),
            dir,
            _out: out,
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A path in the served directory.
    pub(crate) fn root(&self, name: &str) -> PathBuf {
        self.dir.path().join("root").join(name)
    }

    /// A path in the other directory.
    pub(crate) fn to(&self, name: &str) -> PathBuf {
        self.dir.path().join("to").join(name)
    }

    pub(crate) fn script(&self) -> Script {
        let port = self.url.rsplit(':').next().unwrap().parse().unwrap();
        Script::new(port)
    }

    /// `file get URL NAME`, stored at `dest` whatever is there.
    pub(crate) fn get(&self, name: &str, dest: &Path) -> Output {
        self.getting(name, dest).output().unwrap()
    }

    pub(crate) fn getting(&self, name: &str, dest: &Path) -> Command {
        let mut command = Command::new(BIN);
        command.args(["file", "get", "--force", self.url(), name, "--to"]);
        command.arg(dest);
        command.stdin(Stdio::null());
        command
    }

    /// `file put URL PATH`, whatever is there.
    pub(crate) fn put(&self, path: &Path) -> Output {
        let mut command = Command::new(BIN);
        command
            .args(["file", "put", "--force", self.url()])
            .arg(path);
        command.stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Standard output and error of a program that ended well.
pub(crate) fn ended_well(output: &Output) -> (String, String) {
    assert!(output.status.success(), "{output:?}");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// What a program that failed has complained of.
pub(crate) fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until `look` says yes.
pub(crate) fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The permissions of the file at `path`.
pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

pub(crate) fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

pub(crate) fn make_fifo(path: &Path) {
    mkfifoat(CWD, path, Mode::from_raw_mode(0o600)).unwrap();
}

pub(crate) fn upload(name: &str, len: u64) -> Value {
    json!({"opt": "upload", "filename": name, "filesize": len})
}

/// A client of the length-prefixed protocol with nothing of ours in it.
pub(crate) struct Script(TcpStream);

impl Script {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Script(stream)
    }

    pub(crate) fn send(&mut self, header: &Value) -> &mut Self {
        let header = header.to_string();
        let len = i32::try_from(header.len()).unwrap();
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

    /// The error that answers an upload of three bytes under this name.
    pub(crate) fn refused(&mut self, name: &str) -> String {
        let answer = self.send(&upload(name, 3)).write(b"abc").answer();
        assert_eq!(answer["status"], "error", "{name}: {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }
}
