//! A real `redis-server`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) fn is_installed() -> bool {
    let asked = Command::new("redis-server")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

pub(crate) fn start() -> (Child, SocketAddr, TempDir) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = free.local_addr().unwrap();
    drop(free);
    let directory = TempDir::new().unwrap();
    let process = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &at.port().to_string()])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(directory.path())
        .args([
            "--client-output-buffer-limit",
            "pubsub 0 0 0",
            "--maxclients",
            "4000",
        ])
        .args(["--loglevel", "warning"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !answers(at) {
        assert!(Instant::now() < deadline, "redis-server does not answer");
        sleep(Duration::from_millis(5));
    }
    (process, at, directory)
}

fn answers(at: SocketAddr) -> bool {
    let Ok(mut stream) = TcpStream::connect(at) else {
        return false;
    };
    let mut answer = [0; 7];
    stream.write_all(b"PING\r\n").is_ok()
        && stream.read_exact(&mut answer).is_ok()
        && &answer == b"+PONG\r\n"
}
