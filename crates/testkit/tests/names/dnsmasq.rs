//! A DNS server that others wrote, with records of a test's own.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use socketry_testkit::DEADLINE;

use crate::tools;

/// A running dnsmasq, in a process group that ends with it.
#[derive(Debug)]
pub(crate) struct Dnsmasq {
    child: Child,
    pub(crate) at: SocketAddr,
}

impl Dnsmasq {
    /// Starts one that knows these `records`, which are options of dnsmasq, and nothing else of
    /// `example`. `None` if it is not installed.
    pub(crate) fn start<R: AsRef<str>>(records: impl IntoIterator<Item = R>) -> Option<Arc<Self>> {
        let port = tools::free_port;
        tools::has("dnsmasq").then(|| Arc::new(with(records, port())))
    }

    /// The same at the usual port, for a network of a test's own.
    pub(crate) fn at_53<R: AsRef<str>>(records: impl IntoIterator<Item = R>) -> Self {
        with(records, 53)
    }
}

fn with<R: AsRef<str>>(records: impl IntoIterator<Item = R>, port: u16) -> Dnsmasq {
    let mut command = Command::new("dnsmasq");
    command.args([
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--user=",
        "--no-resolv",
        "--no-hosts",
        "--bind-interfaces",
        "--listen-address=127.0.0.1",
        "--local=/example/",
    ]);
    command.arg(format!("--port={port}"));
    let records = records.into_iter();
    command.args(records.map(|record| record.as_ref().to_owned()));
    running(command, port)
}

/// Starts the `command` of a server at this port, and waits until it serves there.
pub(crate) fn running(mut command: Command, port: u16) -> Dnsmasq {
    let at = SocketAddr::from(([127, 0, 0, 1], port));
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
    let child = quiet.stderr(Stdio::null()).process_group(0).spawn();
    let mut server = Dnsmasq {
        child: child.unwrap(),
        at,
    };
    let late = Instant::now() + DEADLINE;
    while TcpStream::connect(at).is_err() {
        let ended = server.child.try_wait().unwrap();
        assert!(ended.is_none(), "{command:?} has ended: {ended:?}");
        assert!(Instant::now() < late, "{command:?} does not serve");
        std::thread::sleep(Duration::from_millis(5));
    }
    server
}

impl Drop for Dnsmasq {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = id {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}
