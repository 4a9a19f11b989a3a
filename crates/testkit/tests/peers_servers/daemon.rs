//! A daemon that serves one test: a directory for its files, its output, and its process group,
//! which ends with the test.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};
use socketry_testkit::DEADLINE;
use socketry_transport::{BoxListener, BoxSocket, Info, Joined, Listener, Shape, connect};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

pub(crate) use crate::tools::free_port;

/// How often a daemon is asked whether it is ready yet.
const AGAIN: Duration = Duration::from_millis(10);

/// How long a daemon may take to end in order.
const PATIENCE: Timespec = Timespec {
    tv_sec: 10,
    tv_nsec: 0,
};

/// The directory of a daemon's files, which any user may enter.
pub(crate) fn directory() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    directory
}

/// A command with these arguments.
pub(crate) fn command<A: AsRef<std::ffi::OsStr>>(program: &str, arguments: &[A]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// A script beside this file, with these arguments.
pub(crate) fn python(script: &str, arguments: &[&str]) -> Command {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers_servers");
    let mut command = Command::new("python3");
    command.arg(scripts.join(script)).args(arguments);
    command
}

/// The port at which a listener of ours listens.
pub(crate) fn port(listener: &BoxListener) -> u16 {
    SocketAddr::try_from(listener.local()).unwrap().port()
}

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    group: Pid,
    log: PathBuf,
    /// The signal on which it ends in order.
    ends: Option<Signal>,
}

impl Daemon {
    /// Starts it. The file `log` in `directory` gets all that it prints.
    pub(crate) fn start(command: &mut Command, directory: &Path) -> Daemon {
        let log = directory.join("log");
        let out = File::create(&log).unwrap();
        command.stdout(out.try_clone().unwrap()).stderr(out);
        command.stdin(Stdio::null());
        Daemon::spawn(command, log)
    }

    /// Starts it with pipes to its standard input and output, which are the socket.
    pub(crate) fn piped(command: &mut Command, directory: &Path) -> (Daemon, BoxSocket) {
        let log = directory.join("log");
        command.stderr(File::create(&log).unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut daemon = Daemon::spawn(command, log);
        let (reader, writer) = (daemon.child.stdout.take(), daemon.child.stdin.take());
        let [local, peer] = ["pipe://us", "pipe://them"].map(|end| end.parse().unwrap());
        let info = Info::new(Shape::Stream, local, peer);
        let pipes = Joined::from_read_write(reader.unwrap(), writer.unwrap(), info);
        (daemon, BoxSocket::new(pipes))
    }

    fn spawn(command: &mut Command, log: PathBuf) -> Daemon {
        command.process_group(0).kill_on_drop(true);
        let child = command.spawn().unwrap();
        let id = i32::try_from(child.id().unwrap()).unwrap();
        let group = Pid::from_raw(id).unwrap();
        Daemon {
            child,
            group,
            log,
            ends: None,
        }
    }

    /// Lets it end in order, on this signal, since it would leave things behind if it were killed.
    pub(crate) fn ends_on(mut self, signal: Signal) -> Daemon {
        self.ends = Some(signal);
        self
    }

    /// Connects to `url`, once the daemon listens there.
    pub(crate) async fn connect(&mut self, url: &str) -> BoxSocket {
        let late = Instant::now() + DEADLINE;
        loop {
            let over = self.is_over(late);
            let refused = match connect(url).await {
                Ok(socket) => return socket,
                Err(refused) => refused,
            };
            assert!(!over, "{refused}\nit printed: {}", self.text());
            sleep(AGAIN).await;
        }
    }

    /// The text of `file` as soon as `ready` is content with it.
    pub(crate) async fn wrote(&mut self, file: &Path, ready: impl Fn(&str) -> bool) -> String {
        let late = Instant::now() + DEADLINE;
        loop {
            let over = self.is_over(late);
            let text = read(file);
            if ready(&text) {
                return text;
            }
            assert!(!over, "it wrote: {text}\nit printed: {}", self.text());
            sleep(AGAIN).await;
        }
    }

    /// What it printed as soon as `ready` is content with it.
    pub(crate) async fn printed(&mut self, ready: impl Fn(&str) -> bool) -> String {
        let log = self.log.clone();
        self.wrote(&log, ready).await
    }

    /// Waits until it has ended by itself, which must be with success.
    pub(crate) async fn ended(&mut self) {
        let status = self.child.wait().await.unwrap();
        assert!(status.success(), "{status}\nit printed: {}", self.text());
    }

    /// All that it has printed.
    fn text(&self) -> String {
        read(&self.log)
    }

    /// Whether nothing more is to be expected: it has ended, or the time is over.
    fn is_over(&mut self, late: Instant) -> bool {
        self.child.try_wait().unwrap().is_some() || Instant::now() > late
    }
}

/// The text of a file, as far as it is there.
fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).unwrap_or_default()).into_owned()
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Once it was waited for, its number may be another process'.
        if self.child.id().is_none() {
            return;
        }
        if let Some(signal) = self.ends
            && let Ok(ended) = pidfd_open(self.group, PidfdFlags::empty())
            && kill_process(self.group, signal).is_ok()
        {
            let _ = poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&PATIENCE));
        }
        let _ = kill_process_group(self.group, Signal::KILL);
    }
}
