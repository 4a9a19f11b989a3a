//! Frames over TLS, and handshakes: ours, and tokio-rustls with the same configuration of rustls.
//! And what others that stall cost a client.

mod handshakes;
mod stalled;

use std::sync::{Arc, LazyLock};
use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use socketry_codec as framing;
use socketry_tls::rustls::pki_types::ServerName;
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{Endpoint, FromIo, Info, Shape, Stack, TcpTransport};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};
use tokio_util::codec::Framed;

use crate::contest::Contest;
use crate::memory::bytes;
use crate::stream::ours::{Calls, accepted, codec, connected, feed, receive as receive_framed};
use crate::stream::{Found, Load, block_on, load, raw, side, unit, util};
use crate::tally::Tally;

/// The name that all clients ask for (SNI).
const NAME: &str = "localhost";

/// One key for all sides, and each client accepts that key alone.
static TLS: LazyLock<Tls> = LazyLock::new(|| {
    let identity = Identity::made([NAME]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    Tls::new().identity(identity).trust(trust).name(NAME)
});

/// The targets against tokio-rustls by hand, and against tokio-util over it.
const SIZES: [(usize, f64, f64); 4] = [
    (64, 1.0, 2.0),
    (1 << 10, 1.0, 0.0),
    (64 << 10, 1.0, 0.0),
    (1 << 20, 1.0, 0.0),
];

pub(crate) fn contests() -> Vec<Contest> {
    let mut all: Vec<_> = SIZES.into_iter().map(framed).collect();
    all.push(handshakes::contest());
    all.push(stalled::contest());
    all
}

fn framed((size, by_hand, with_util): (usize, f64, f64)) -> Contest {
    let unit = unit(size);
    let mut load = load(size);
    // Encryption takes a while.
    load.count /= 2;
    let contest = Contest::new("framed tls", bytes(size), unit)
        .carrying(size)
        .side("ours", side(unit, &load, receive, send))
        .side(
            "tokio-rustls, by hand",
            side(unit, &load, receive_by_hand, send_by_hand),
        )
        .side(
            "our codec over tokio-rustls",
            side(unit, &load, receive_from_io, send_from_io),
        )
        .side(
            "tokio-util over tokio-rustls",
            side(unit, &load, receive_util, send_util),
        )
        .target("ours", "tokio-rustls, by hand", by_hand)
        .target("ours", "our codec over tokio-rustls", 1.0);
    match with_util > 0.0 {
        true => contest.target("ours", "tokio-util over tokio-rustls", with_util),
        false => contest,
    }
}

fn stack() -> Stack<socketry_tls::TlsTransport<TcpTransport>> {
    Stack::new(TcpTransport::default()).with(TLS.clone())
}

fn receive(found: Found) -> Tally {
    accepted(stack(), "tcp://127.0.0.1:0", found, codec(), Calls::Each)
}

fn send(to: &str, load: &Load) -> Instant {
    connected(stack(), to, load, codec(), Calls::Each)
}

fn acceptor() -> TlsAcceptor {
    Arc::new(TLS.server_config().unwrap()).into()
}

fn connector() -> TlsConnector {
    Arc::new(TLS.client_config().unwrap()).into()
}

async fn dial(connector: &TlsConnector, to: &str) -> client::TlsStream<TcpStream> {
    let stream = TcpStream::connect(to).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from(NAME).unwrap();
    connector.connect(name, stream).await.unwrap()
}

async fn answer(found: Found) -> server::TlsStream<TcpStream> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().to_string();
    found.send(at).unwrap();
    let stream = listener.accept().await.unwrap().0;
    acceptor().accept(stream).await.unwrap()
}

fn receive_by_hand(found: Found) -> Tally {
    block_on(async { raw::read(answer(found).await).await })
}

fn send_by_hand(to: &str, load: &Load) -> Instant {
    block_on(async { raw::write(dial(&connector(), to).await, load).await })
}

/// What `FromIo` needs to know of the socket.
fn info() -> Info {
    let at: Endpoint = "tls://127.0.0.1:1".parse().unwrap();
    Info::new(Shape::Stream, at.clone(), at)
}

fn receive_from_io(found: Found) -> Tally {
    block_on(async {
        let socket = FromIo::from_io(answer(found).await, info());
        receive_framed(framing::Framed::new(socket, codec()), Calls::Each).await
    })
}

fn send_from_io(to: &str, load: &Load) -> Instant {
    block_on(async {
        let socket = FromIo::from_io(dial(&connector(), to).await, info());
        feed(framing::Framed::new(socket, codec()), load, Calls::Each).await
    })
}

fn receive_util(found: Found) -> Tally {
    block_on(async {
        let mut framed = Framed::new(answer(found).await, util::codec());
        let mut tally = Tally::default();
        while let Some(frame) = framed.next().await {
            tally.see(&frame.unwrap());
        }
        tally
    })
}

fn send_util(to: &str, load: &Load) -> Instant {
    block_on(async {
        let mut framed = Framed::new(dial(&connector(), to).await, util::codec());
        let payload = Bytes::from(load.frame.clone());
        let begun = Instant::now();
        for _ in 0..load.count {
            framed.feed(payload.clone()).await.unwrap();
        }
        SinkExt::<Bytes>::close(&mut framed).await.unwrap();
        begun
    })
}
