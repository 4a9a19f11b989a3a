//! What a client notices of a thousand others that stall in their handshakes. It connects, sends 64
//! bytes, and waits for them to come back, again and again. The figure is what the slowest of a
//! hundred such conversations (p99) would make a second: half of it is twice the time.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socketry_transport::{
    Endpoint, Listener, RecvExt, SendExt, Socket, Stack, TcpTransport, Transport,
};

use super::{TLS, stack};
use crate::contest::{Contest, Unit};
use crate::stream::{Found, block_on};

const STALLED: usize = 1_000;
const CONVERSATIONS: usize = 500;
/// How long a handshake may stall: longer than a run.
const STALL: Duration = Duration::from_secs(60);

pub(super) fn contest() -> Contest {
    Contest::new("set-up", "tls p99", Unit::Connections)
        .weighed("quiet", || p99(0))
        .weighed("beside 1,000 stalled", || p99(STALLED))
        .target("beside 1,000 stalled", "quiet", 0.5)
}

fn p99(stalls: usize) -> f64 {
    // Both ends of each are in this process.
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
    let (found, place) = mpsc::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let server = thread::spawn(move || serve(&found, stopped));
    let place = place.recv().unwrap();
    let _stalled: Vec<_> = (0..stalls).map(|_| stall(&place)).collect();
    let mut times = converse(&place.parse().unwrap());
    stop.send(()).unwrap();
    server.join().unwrap();
    times.sort();
    1.0 / times[CONVERSATIONS * 99 / 100].as_secs_f64()
}

/// The begin of a record, and nothing more.
fn stall(place: &str) -> TcpStream {
    let mut stream = TcpStream::connect(&place["tcp://".len()..]).unwrap();
    stream.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    stream
}

fn serve(found: &Found, stopped: tokio::sync::oneshot::Receiver<()>) {
    block_on(async {
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let tls = TLS.clone().handshake_timeout(STALL);
        let mut listener = Stack::new(TcpTransport::default())
            .with(tls)
            .listen(&at)
            .await
            .unwrap();
        found.send(listener.local().to_string()).unwrap();
        let serving = async {
            while let Ok(socket) = listener.accept().await {
                tokio::spawn(echo(socket));
            }
        };
        tokio::select! {
            () = serving => {}
            _ = stopped => {}
        }
    });
}

async fn echo(mut socket: impl Socket) {
    let mut buf = [0; 64];
    while let Ok((len @ 1.., _)) = socket.recv(&mut buf).await {
        if socket.send_all(&buf[..len]).await.is_err() {
            break;
        }
    }
}

fn converse(to: &Endpoint) -> Vec<Duration> {
    block_on(async {
        let stack = stack();
        let mut times = Vec::with_capacity(CONVERSATIONS);
        for _ in 0..CONVERSATIONS {
            let begun = Instant::now();
            let mut socket = stack.connect(to).await.unwrap();
            socket.send_all(&[7; 64]).await.unwrap();
            let (mut buf, mut come) = ([0; 64], 0);
            while come < 64 {
                come += socket.recv(&mut buf).await.unwrap().0;
            }
            times.push(begun.elapsed());
        }
        times
    })
}
