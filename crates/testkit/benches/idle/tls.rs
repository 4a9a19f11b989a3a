//! Servers over TLS whose connections wait, after a frame that came in a record of its own.

use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use socketry_codec::{Framed, Struct};
use socketry_tls::{Identity, Tls};
use socketry_transport::{Listener, Stack, TcpTransport, Transport};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::peers::Peers;
use super::servers::{FRAME, FRAMES, HEADER, each, received};

static IDENTITY: LazyLock<Identity> = LazyLock::new(|| Identity::made(["localhost"]).unwrap());

fn tls() -> Tls {
    Tls::new().identity(IDENTITY.clone())
}

pub(crate) fn ours(connections: usize) -> f64 {
    each(connections, async || {
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let stack = Stack::new(TcpTransport::default()).with(tls());
        let mut listener = stack.listen(&at).await.unwrap();
        let place = listener.local().to_string();
        tokio::spawn(async move {
            while let Ok(socket) = listener.accept().await {
                let mut framed = Framed::new(socket, Struct::new("<I".parse().unwrap()));
                tokio::spawn(async move {
                    while let Ok(Some(frame)) = framed.recv().await {
                        received(frame.len());
                    }
                });
            }
        });
        serve(&place["tcp://".len()..], connections).await;
    })
}

/// The stream alone, which reads into a buffer that is not kept.
pub(crate) fn bare(connections: usize) -> f64 {
    each(connections, async || {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let acceptor = TlsAcceptor::from(Arc::new(tls().server_config().unwrap()));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // The handshake has a task of its own, which ends, as in ours.
                    let mut stream = acceptor.accept(stream).await.unwrap();
                    tokio::spawn(async move {
                        while let Ok(len @ 68..) = stream.read(&mut [0; 128]).await {
                            received(len - HEADER.len());
                        }
                    });
                });
            }
        });
        serve(&place, connections).await;
    })
}

/// The peers are asked in another thread: their handshakes need this one.
async fn serve(place: &str, connections: usize) {
    FRAMES.store(0, Ordering::Relaxed);
    let mut peers = Peers::start_tls(place, &IDENTITY.pin().unwrap().to_string());
    let talking = tokio::task::spawn_blocking(move || {
        for _ in 0..connections {
            peers.connect();
        }
        peers.write(&format!("{HEADER}{}", "f".repeat(FRAME)));
        peers
    });
    let _peers = talking.await.unwrap();
    while FRAMES.load(Ordering::Relaxed) < connections {
        tokio::task::yield_now().await;
    }
    sleep(Duration::from_millis(200)).await;
}
