//! A server process. It answers each line with its number.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socketry_codec::{FrameError, Line};
use socketry_service::{Limits, Server};
use socketry_tls::Tls;
use socketry_transport::{Listeners, Registry, Takeover};

/// The directory of its sockets. If it is set, this process is a server.
const DIRECTORY: &str = "TAKEOVER_DIRECTORY";
/// If it is set, the process fails before it is ready.
const FAILS: &str = "TAKEOVER_FAILS";

/// What a process says before the URL of TCP, once it is ready.
const READY: &str = "ready at ";

fn takeover_socket(directory: &Path) -> String {
    format!("unix://{}", directory.join("takeover.sock").display())
}

pub(crate) fn unix_socket(directory: &Path) -> String {
    format!("unix://{}", directory.join("app.sock").display())
}

/// This is no test, but the process that the tests start.
#[test]
fn process() {
    let Some(directory) = env::var_os(DIRECTORY) else {
        return;
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(serve(Path::new(&directory)));
}

async fn serve(directory: &Path) {
    let takeover = Takeover::at(&*takeover_socket(directory)).await.unwrap();
    let registry = takeover.over(Registry::standard());
    let tls = Tls::new();
    let registry = tls.register(registry).unwrap();
    let unix = unix_socket(directory);
    let identity = directory.display();
    let over_tls = format!("tls://127.0.0.1:0?identity={identity}");
    let urls = ["tcp://127.0.0.1:0", &unix, &over_tls];
    let listeners = Listeners::at(&registry, urls).await.unwrap();
    assert!(env::var_os(FAILS).is_none(), "as it was told to");
    let locals = listeners.locals();
    let locals = format!("{} {}", locals[0].1, tls.pinned(&locals[2].1).unwrap());
    let number = std::process::id();
    let server = Server::new(listeners).codec(Line::new()).limits(patient());
    let successor = takeover.ready().await.unwrap();
    println!("{READY}{locals}");
    let served = server
        .stop_when(successor.arrived())
        .stop_on_signals()
        .answer(move |_| async move { Ok::<_, FrameError>(number.to_string()) })
        .await;
    assert_eq!(served.unwrap().cut, 0);
}

/// A slow machine may keep a client from asking within the second that it has by default.
pub(crate) fn patient() -> Limits {
    Limits {
        first_frame_at_stop: None,
        ..Limits::default()
    }
}

/// A server process that runs.
pub(crate) struct Process {
    child: Child,
    pub(crate) tcp: String,
    pub(crate) tls: String,
}

impl Process {
    /// Starts one, and waits until it is ready.
    pub(crate) fn start(directory: &Path) -> Process {
        let mut child = command(directory).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut lines = output.lines().map_while(Result::ok);
        let urls = lines.find_map(|line| Some(line.split_once(READY)?.1.to_owned()));
        let urls = urls.unwrap_or_else(|| panic!("it ended: {:?}", child.wait()));
        // It must not wait at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let (tcp, tls) = urls.split_once(' ').unwrap();
        Process {
            tcp: tcp.to_owned(),
            tls: tls.to_owned(),
            child,
        }
    }

    /// Its number, as it answers.
    pub(crate) fn number(&self) -> String {
        self.child.id().to_string()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits until it has ended by itself.
    pub(crate) fn ended(mut self) {
        assert!(self.child.wait().unwrap().success());
    }

    pub(crate) fn stop(self) {
        let number = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(number), Signal::SIGTERM).unwrap();
        self.ended();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended, or the test has failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs one that fails before it is ready.
pub(crate) fn run_failing(directory: &Path) {
    let ended = command(directory).env(FAILS, "yes").output().unwrap();
    assert!(!ended.status.success());
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("as it was told to"), "{said}");
}

fn command(directory: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["server::process", "--exact", "--nocapture"])
        .env(DIRECTORY, directory);
    command
}
