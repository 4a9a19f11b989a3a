//! Handshakes: sixteen tasks of one thread connect, wait for the end, and drop; another thread
//! accepts, and shakes hands with many at once.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use socketry_transport::{Endpoint, Listener, RecvExt, SendExt, Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::{acceptor, connector, dial, stack};
use crate::contest::{Contest, Unit, Work};
use crate::stream::{Found, block_on};

const HANDSHAKES: usize = 1_600;
const AT_ONCE: usize = 16;

pub(super) fn contest() -> Contest {
    Contest::new("set-up", "tls", Unit::Connections)
        .side("ours", side(accept, connect))
        .side("tokio-rustls", side(accept_bare, connect_bare))
        .target("ours", "tokio-rustls", 0.97)
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
            amount: HANDSHAKES as f64,
            elapsed: begun.elapsed(),
        }
    }
}

fn accept(found: Found) {
    block_on(async {
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let mut listener = stack().listen(&at).await.unwrap();
        found.send(listener.local().to_string()).unwrap();
        for _ in 0..HANDSHAKES {
            let mut socket = listener.accept().await.unwrap();
            socket.finish().await.unwrap();
        }
    });
}

fn accept_bare(found: Found) {
    block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap().to_string();
        found.send(at).unwrap();
        let (acceptor, mut all) = (acceptor(), JoinSet::new());
        for _ in 0..HANDSHAKES {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let acceptor = acceptor.clone();
            all.spawn(async move {
                let mut stream = acceptor.accept(stream).await.unwrap();
                stream.shutdown().await.unwrap();
            });
            // The memory of those that have ended goes back, as on the other side.
            while all.try_join_next().is_some() {}
        }
        all.join_all().await;
    });
}

fn connect(to: &str) {
    let to: Endpoint = to.parse().unwrap();
    block_on(async {
        // One transport, and so one configuration, as on the other side.
        let stack = std::sync::Arc::new(stack());
        let mut all = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (to, stack) = (to.clone(), stack.clone());
            all.spawn(async move {
                for _ in 0..HANDSHAKES / AT_ONCE {
                    let mut socket = stack.connect(&to).await.unwrap();
                    assert_eq!(socket.recv(&mut [0]).await.unwrap().0, 0);
                }
            });
        }
        all.join_all().await;
    });
}

fn connect_bare(to: &str) {
    block_on(async {
        let (connector, mut all) = (connector(), JoinSet::new());
        for _ in 0..AT_ONCE {
            let (to, connector) = (to.to_owned(), connector.clone());
            all.spawn(async move {
                for _ in 0..HANDSHAKES / AT_ONCE {
                    let mut stream = dial(&connector, &to).await;
                    assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
                }
            });
        }
        all.join_all().await;
    });
}
