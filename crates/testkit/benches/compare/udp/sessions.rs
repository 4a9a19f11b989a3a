//! Many peers, a little from each, and every datagram goes back to who sent it.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
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
/// How many datagrams are under way at most.
const WINDOW: usize = 100;
/// How often each peer is served.
const TIMES: usize = 50;
/// The first byte of the datagram that ends a run.
const STOP: u8 = 0xFF;

pub(super) fn contest() -> Contest {
    Contest::new("udp sessions", "64 B", Unit::Frames)
        .side("ours", || run(ours))
        .side("by hand", || run(by_hand))
        .side("by hand, blocking", || run(blocking))
        .target("ours", "by hand", 1.0)
}

/// Has `serve` echo on a thread of its own; the time is what that thread took.
fn run(serve: fn(StdSocket) -> Tally) -> Work {
    let socket = StdSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let (at, (done, serving)) = (socket.local_addr().unwrap(), mpsc::channel());
    let server = thread::spawn(move || {
        let before = cpu_time();
        let tally = serve(socket);
        done.send(()).unwrap();
        (tally, cpu_time() - before)
    });
    let clients = Clients::new(at);
    for _ in 0..TIMES {
        clients.0.chunks(WINDOW).for_each(Clients::echo);
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

    /// Each of `sockets` sends one datagram and then waits for its own; what is lost is sent once more.
    fn echo(sockets: &[StdSocket]) {
        let (sent, mut buf) = (frame(SIZE), [0; 2 * SIZE]);
        for socket in sockets {
            socket.send(&sent).unwrap();
        }
        for socket in sockets {
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

/// What the tasks of one server share. They are on one thread, so that the lock is never waited for.
#[derive(Default)]
struct Shared {
    tally: Mutex<Tally>,
    over: Notify,
}

fn ours(socket: StdSocket) -> Tally {
    let shared = Arc::new(Shared::default());
    block_on(async {
        let socket = SocketParts::from(std::os::fd::OwnedFd::from(socket)).bound();
        let limits = SessionLimits {
            max_peers: 2 * PEERS,
            ..SessionLimits::default()
        };
        let mut listener = SessionListener::new(socket.unwrap(), limits);
        loop {
            tokio::select! {
                session = listener.accept() => {
                    tokio::spawn(echo(session.unwrap(), Arc::clone(&shared)));
                }
                () = shared.over.notified() => break,
            }
        }
    });
    let tally = *shared.tally.lock().unwrap();
    tally
}

async fn echo(mut session: Session<OsDatagram>, shared: Arc<Shared>) {
    let mut buf = [0; 2 * SIZE];
    loop {
        let (len, _) = session.recv(&mut buf).await.unwrap();
        if buf[0] == STOP {
            return shared.over.notify_one();
        }
        shared.tally.lock().unwrap().see(&buf[..len]);
        session.send(&buf[..len]).await.unwrap();
    }
}

/// What a loop by hand knows of its peers.
#[derive(Default)]
struct Peers {
    served: HashMap<SocketAddr, u64>,
    tally: Tally,
}

impl Peers {
    /// Notes a datagram, unless it is the last.
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
