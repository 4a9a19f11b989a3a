//! Programs that are killed when dropped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use tempfile::TempDir;

use super::{BIN, Script, port, script_path};

/// A process that prints its URL in its first line; killed when dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) line: String,
    _out: BufReader<ChildStdout>,
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
            _out: out,
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
        Process::serve_at("tcp://127.0.0.1:0", root)
    }

    pub(crate) fn serve_at(url: &str, root: &Path) -> Self {
        Process::new(
            Command::new(BIN)
                .args(["file", "serve", url, "--root"])
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

/// A server of ours, the directory that it serves, and a second directory.
pub(crate) struct Program {
    pub(crate) process: Process,
    dir: TempDir,
}

impl Program {
    pub(crate) fn new(options: &[&str]) -> Self {
        Program::started_by(Command::new(BIN).args(["file", "serve"]).args(options))
    }

    /// Starts `command` as a server; the arguments for the served directory are added.
    pub(crate) fn started_by(command: &mut Command) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["root", "to"] {
            fs::create_dir(dir.path().join(name)).unwrap();
        }
        command.arg("--root").arg(dir.path().join("root"));
        Program::started_at(command, dir)
    }

    /// As [`started_by`](Program::started_by), but `command` names the served directory itself.
    pub(crate) fn started_by_at(command: &mut Command) -> Self {
        Program::started_at(command, tempfile::tempdir().unwrap())
    }

    fn started_at(command: &mut Command, dir: TempDir) -> Self {
        let process = Process::new(command);
        Program { process, dir }
    }

    pub(crate) fn url(&self) -> &str {
        self.process.url()
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
        Script::new(port(self.url()))
    }

    /// `file get URL NAME`, which replaces a file at `dest`.
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

    /// `file put URL PATH`, which replaces a file at the server.
    pub(crate) fn put(&self, path: &Path) -> Output {
        let mut command = Command::new(BIN);
        command
            .args(["file", "put", "--force", self.url()])
            .arg(path);
        command.stdin(Stdio::null()).output().unwrap()
    }
}
