//! Servers whose connections wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use socketry_codec::{FrameError, Framed, Struct};
use socketry_service::{Limits, Server};
use socketry_transport::{Listener, TcpTransport, Transport};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::yield_now;
use tokio::time::sleep;
use tokio_util::codec::{self, LengthDelimitedCodec};

use super::Sent;
use super::peers::Peers;

/// The header of a frame of 64 bytes: `<I`.
pub(crate) const HEADER: &str = "@\0\0\0";
pub(crate) const FRAME: usize = 64;

/// The number of frames that arrived. It is static, so that no task has to hold it.
pub(crate) static FRAMES: AtomicUsize = AtomicUsize::new(0);

pub(crate) fn ours(connections: usize, sent: Sent) -> f64 {
    each(connections, async || {
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let mut listener = TcpTransport::default().listen(&at).await.unwrap();
        let place = listener.local().to_string();
        let accept = async || {
            let socket = listener.accept().await.unwrap();
            let mut framed = Framed::new(socket, Struct::new("<I".parse().unwrap()));
            tokio::spawn(async move {
                while let Ok(Some(frame)) = framed.recv().await {
                    received(frame.len());
                }
            });
        };
        serve(&place["tcp://".len()..], connections, sent, accept).await;
    })
}

/// By `Server::serve`, with a handler that receives.
pub(crate) fn served(connections: usize) -> f64 {
    each(connections, async || {
        let (server, place) = server(connections).await;
        tokio::spawn(server.serve(async |mut client| {
            while let Some(frame) = client.recv().await? {
                received(frame.len());
            }
            Ok::<_, FrameError>(())
        }));
        serve(&place, connections, Sent::Whole, async || yield_now().await).await;
    })
}

/// By `Server::answer`: each client has its answer.
pub(crate) fn answered(connections: usize) -> f64 {
    each(connections, async || {
        let (server, place) = server(connections).await;
        tokio::spawn(server.answer(async |request| {
            received(request.frame.len());
            Ok::<_, FrameError>(request.frame)
        }));
        serve(&place, connections, Sent::Whole, async || yield_now().await).await;
    })
}

async fn server(connections: usize) -> (Server<<TcpTransport as Transport>::Listener>, String) {
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let listener = TcpTransport::default().listen(&at).await.unwrap();
    let place = listener.local().to_string()["tcp://".len()..].to_owned();
    let limits = Limits {
        connections,
        per_peer: connections,
        ..Limits::default()
    };
    (Server::new(listener).limits(limits), place)
}

pub(crate) fn util(connections: usize, sent: Sent) -> f64 {
    each(connections, async || {
        accept_with(connections, sent, |stream| {
            let codec = LengthDelimitedCodec::builder().little_endian().new_codec();
            let mut framed = codec::Framed::new(stream, codec);
            async move {
                while let Some(Ok(frame)) = framed.next().await {
                    received(frame.len());
                }
            }
        })
        .await;
    })
}

/// Only the socket. Received bytes, one frame at a time, are not kept.
pub(crate) fn raw(connections: usize, sent: Sent) -> f64 {
    each(connections, async || {
        accept_with(connections, sent, |stream| async move {
            while stream.readable().await.is_ok() {
                if let Ok(len @ 68..) = stream.try_read(&mut [0; 128]) {
                    received(len - HEADER.len());
                }
            }
        })
        .await;
    })
}

async fn accept_with<F: Future<Output = ()> + Send + 'static>(
    connections: usize,
    sent: Sent,
    task: fn(TcpStream) -> F,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let accept = async || _ = tokio::spawn(task(listener.accept().await.unwrap().0));
    serve(&place, connections, sent, accept).await;
}

/// How many more bytes are live for each connection after `serve` has ended. Its tasks live until
/// the runtime is dropped.
pub(crate) fn each(connections: usize, serve: impl AsyncFnOnce()) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let held = allocation_counter::measure(|| runtime.block_on(serve()));
    held.bytes_current as f64 / connections as f64
}

async fn serve(place: &str, connections: usize, sent: Sent, mut accept: impl AsyncFnMut()) {
    FRAMES.store(0, Ordering::Relaxed);
    let mut peers = Peers::start(place);
    for _ in 0..connections {
        peers.connect();
        accept().await;
    }
    peers.write(&format!("{HEADER}{}", "f".repeat(FRAME)));
    while FRAMES.load(Ordering::Relaxed) < connections {
        yield_now().await;
    }
    if let Sent::AndPartOfAHeader = sent {
        peers.write(&HEADER[..3]);
    }
    // Nothing reports that a part of a header was read. It is read within this time.
    sleep(Duration::from_millis(200)).await;
}

pub(crate) fn received(len: usize) {
    assert_eq!(len, FRAME);
    FRAMES.fetch_add(1, Ordering::Relaxed);
}
