//! Bytes through a relay, from one TCP connection to another: ours, with the codec `raw`, against a
//! real `socat` that reads as much at once.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use socketry_codec::{Framed, Raw};
use socketry_service::Relay;
use socketry_transport::{Listener, connect, listen};

use crate::contest::{Contest, Unit, Work};

/// The bytes of one run.
const ALL: usize = 512 << 20;
/// The bytes of one read of `socat`, of its sender and of its receiver. Ours reads as much.
const READ: usize = 64 << 10;

pub(crate) fn contests() -> Vec<Contest> {
    let contest = Contest::new("relay", "tcp to tcp", Unit::Bytes).side("ours", || run(ours));
    if !is_installed() {
        eprintln!("no socat here: its side is left out");
        return vec![contest];
    }
    let contest = contest.side("socat", || run(socat));
    vec![contest.target("ours", "socat", 1.5)]
}

fn is_installed() -> bool {
    let asked = Command::new("socat")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

/// Sends all bytes through the relay that `start` starts, which leads to the address that it gets,
/// and waits until the last one has arrived.
fn run<R>(start: impl FnOnce(SocketAddr) -> (SocketAddr, R)) -> Work {
    let sink = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (at, relay) = start(sink.local_addr().unwrap());
    let mut source = reached(at);
    let (mut sink, _) = sink.accept().unwrap();
    let begun = Instant::now();
    let sending = thread::spawn(move || {
        let piece = vec![b'x'; READ];
        for _ in 0..ALL / READ {
            source.write_all(&piece).unwrap();
        }
        source.shutdown(Shutdown::Write).unwrap();
        source
    });
    let (mut arrived, mut piece) = (0, vec![0; READ]);
    loop {
        match sink.read(&mut piece).unwrap() {
            0 => break,
            some => arrived += some,
        }
    }
    let elapsed = begun.elapsed();
    assert_eq!(arrived, ALL);
    drop((sink, sending.join().unwrap(), relay));
    Work {
        amount: ALL as f64,
        elapsed,
    }
}

/// A connection to a server that may just be starting.
fn reached(at: SocketAddr) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(at) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < deadline, "{at}: {error}"),
        }
        thread::sleep(Duration::from_millis(2));
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

fn socat(to: SocketAddr) -> (SocketAddr, Process) {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = free.local_addr().unwrap();
    drop(free);
    let child = Command::new("socat")
        .args(["-b", &READ.to_string()])
        .arg(format!(
            "TCP4-LISTEN:{},bind=127.0.0.1,reuseaddr",
            at.port()
        ))
        .arg(format!("TCP4:{to}"))
        .spawn()
        .unwrap();
    (at, Process(child))
}

fn ours(to: SocketAddr) -> (SocketAddr, thread::JoinHandle<()>) {
    let (tell, told) = std::sync::mpsc::channel();
    let relaying = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
            tell.send(listener.local().socket_addr().unwrap()).unwrap();
            let near = Framed::new(listener.accept().await.unwrap(), Raw);
            let far = connect(format!("tcp://{to}").as_str()).await.unwrap();
            // The sink is dropped before it has sent its end.
            let _ = Relay::new(near, Framed::new(far, Raw)).run().await;
        });
    });
    (told.recv().unwrap(), relaying)
}
