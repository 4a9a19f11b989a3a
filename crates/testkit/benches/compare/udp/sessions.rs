//! Many peers with little traffic each. Every datagram goes back to its sender.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use socket2::SockRef;
use socketry_transport::{
    Listener, OsDatagram, RecvExt, SendExt, Session, SessionLimits, SessionListener, SocketParts,
};
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use crate::contest::{Contest, Unit, Work};
use crate::stream::block_on;
use crate::tally::{Tally, frame};

const SIZE: usize = 64;
const PEERS: usize = 1000;
/// How often each peer is served.
const TIMES: usize = 50;
/// The receive buffer that the server asks for, in bytes: room for one datagram of each peer, as
/// the kernel counts.
const BUFFER: usize = 1 << 20;
/// The first byte of the datagram that ends a run.
const STOP: u8 = 0xFF;

pub(super) fn contest() -> Contest {
    Contest::new("udp sessions", "64 B", Unit::Frames)
        .side("ours", || run(ours))
        .side("by hand", || run(by_hand))
        .side("by hand, blocking", || run(blocking))
        .target("ours", "by hand", 1.0)
}

/// Runs the echo `serve` on a thread of its own. The time is the CPU time of that thread.
fn run(serve: fn(StdSocket) -> Tally) -> Work {
    let socket = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    SockRef::from(&socket).set_recv_buffer_size(BUFFER).unwrap();
    let (at, (done, serving)) = (socket.local_addr().unwrap(), mpsc::channel());
    let server = thread::spawn(move || {
        let before = cpu_time();
        let tally = serve(socket);
        done.send(()).unwrap();
        (tally, cpu_time() - before)
    });
    let clients = Clients::new(at);
    for _ in 0..TIMES {
        clients.echo();
    }
    clients.stop(at, &serving);
    let (tally, elapsed) = server.join().unwrap();
    assert_eq!(tally, Tally::of(&frame(SIZE), tally.frames));
    assert!(tally.frames >= PEERS * TIMES, "only {tally:?}");
    let amount = tally.frames as f64;
    Work { amount, elapsed }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

struct Clients(Vec<StdSocket>);

impl Clients {
    fn new(server: SocketAddr) -> Self {
        let client = |_| {
            let socket = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.connect(server).unwrap();
            socket
                .set_read_timeout(Some(Duration::from_millis(500)))
                .unwrap();
            socket
        };
        Clients((0..PEERS).map(client).collect())
    }

    /// Each socket sends one datagram and then waits for its echo. A lost one is sent again.
    fn echo(&self) {
        let (sent, mut buf) = (frame(SIZE), [0; 2 * SIZE]);
        for socket in &self.0 {
            socket.send(&sent).unwrap();
        }
        for socket in &self.0 {
            while socket.recv(&mut buf).is_err() {
                socket.send(&sent).unwrap();
            }
            assert_eq!(buf[..SIZE], sent);
        }
    }

    fn stop(self, server: SocketAddr, serving: &mpsc::Receiver<()>) {
        let socket = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        loop {
            socket.send_to(&[STOP], server).unwrap();
            if serving.recv_timeout(Duration::from_millis(100)).is_ok() {
                return;
            }
        }
    }
}

thread_local! {
    /// The datagrams that the sessions of the server on this thread received.
    static TALLY: RefCell<Tally> = RefCell::default();
}

fn ours(socket: StdSocket) -> Tally {
    block_on(async {
        let socket = SocketParts::from(OwnedFd::from(socket)).bound().unwrap();
        let limits = SessionLimits {
            max_peers: 2 * PEERS,
            ..SessionLimits::default()
        };
        let mut listener = SessionListener::new(socket, limits);
        let over = Arc::new(Notify::new());
        loop {
            tokio::select! {
                session = listener.accept() => {
                    tokio::spawn(echo(session.unwrap(), Arc::clone(&over)));
                }
                () = over.notified() => return TALLY.take(),
            }
        }
    })
}

async fn echo(mut session: Session<OsDatagram>, over: Arc<Notify>) {
    let mut buf = [0; 2 * SIZE];
    loop {
        let (len, _) = session.recv(&mut buf).await.unwrap();
        if buf[0] == STOP {
            return over.notify_one();
        }
        TALLY.with_borrow_mut(|tally| tally.see(&buf[..len]));
        session.send(&buf[..len]).await.unwrap();
    }
}

/// The state of a loop by hand for its peers.
#[derive(Default)]
struct Peers {
    served: HashMap<SocketAddr, u64>,
    tally: Tally,
}

impl Peers {
    /// Counts a datagram, unless it is the last.
    fn see(&mut self, datagram: &[u8], from: SocketAddr) -> bool {
        if datagram[0] == STOP {
            return false;
        }
        *self.served.entry(from).or_default() += 1;
        self.tally.see(datagram);
        true
    }
}

fn by_hand(socket: StdSocket) -> Tally {
    block_on(async {
        socket.set_nonblocking(true).unwrap();
        let socket = UdpSocket::from_std(socket).unwrap();
        let (mut peers, mut buf) = (Peers::default(), [0; 2 * SIZE]);
        loop {
            let (len, from) = socket.recv_from(&mut buf).await.unwrap();
            if !peers.see(&buf[..len], from) {
                return peers.tally;
            }
            socket.send_to(&buf[..len], from).await.unwrap();
        }
    })
}

fn blocking(socket: StdSocket) -> Tally {
    let (mut peers, mut buf) = (Peers::default(), [0; 2 * SIZE]);
    loop {
        let (len, from) = socket.recv_from(&mut buf).unwrap();
        if !peers.see(&buf[..len], from) {
            return peers.tally;
        }
        socket.send_to(&buf[..len], from).unwrap();
    }
}
