//! Connections made and dropped. Sixteen tasks of one thread connect, wait for the end, and drop;
//! another thread accepts and drops at once. Our side sets `nodelay` on both ends by default. The
//! side by hand sets it on the connecting end, as most programs do, and leaves accepted sockets
//! unchanged.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use socketry_transport::{Endpoint, Listener, RecvExt, TcpTransport, Transport};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::contest::{Contest, Unit, Work};
use crate::stream::{Found, block_on};

const CONNECTIONS: usize = 8_000;
/// More tasks would only fill the listener's backlog.
const AT_ONCE: usize = 16;

pub(crate) fn contests() -> Vec<Contest> {
    let contest = Contest::new("set-up", "tcp", Unit::Connections)
        .side("ours", side(accept, connect))
        .side("raw tokio", side(accept_raw, connect_raw))
        .target("ours", "raw tokio", 0.96);
    vec![contest]
}

fn side(accept: fn(Found), connect: fn(&str)) -> impl FnMut() -> Work {
    move || {
        let (found, place) = mpsc::channel();
        let server = thread::spawn(move || accept(found));
        let place = place.recv().unwrap();
        let begun = Instant::now();
        connect(&place);
        server.join().unwrap();
        Work {
            amount: CONNECTIONS as f64,
            elapsed: begun.elapsed(),
        }
    }
}

fn accept(found: Found) {
    block_on(async {
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let mut listener = TcpTransport::default().listen(&at).await.unwrap();
        found.send(listener.local().to_string()).unwrap();
        for _ in 0..CONNECTIONS {
            drop(listener.accept().await.unwrap());
        }
    });
}

fn accept_raw(found: Found) {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        found.send(at).unwrap();
        for _ in 0..CONNECTIONS {
            drop(listener.accept().await.unwrap());
        }
    });
}

fn connect(to: &str) {
    let to: Endpoint = to.parse().unwrap();
    at_once(move || {
        let to = to.clone();
        async move {
            let mut socket = TcpTransport::default().connect(&to).await.unwrap();
            assert_eq!(socket.recv(&mut [0]).await.unwrap().0, 0);
        }
    });
}

fn connect_raw(to: &str) {
    let to = to.to_owned();
    at_once(move || {
        let to = to.clone();
        async move {
            let mut stream = TcpStream::connect(to).await.unwrap();
            stream.set_nodelay(true).unwrap();
            assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        }
    });
}

fn at_once<F: Future<Output = ()> + Send>(one: impl Fn() -> F + Clone + Send + 'static) {
    block_on(async {
        let mut all = JoinSet::new();
        for _ in 0..AT_ONCE {
            let one = one.clone();
            all.spawn(async move {
                for _ in 0..CONNECTIONS / AT_ONCE {
                    one().await;
                }
            });
        }
        all.join_all().await;
    });
}
