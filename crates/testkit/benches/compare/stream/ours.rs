//! `Framed` over our sockets, with the defaults of both.

use std::time::Instant;

use socketry_codec::{BoxCodec, Codec, Framed, Struct};
use socketry_transport::{
    Endpoint, Listener, RecvHalf, SendHalf, TcpTransport, Transport, UnixTransport, connect, listen,
};

use super::{Found, Load, block_on};
use crate::tally::Tally;

fn codec() -> Struct {
    Struct::new("<I".parse().unwrap())
}

fn boxed_codec() -> BoxCodec {
    "struct:<I".parse().unwrap()
}

pub(super) fn tcp(found: Found) -> Tally {
    accepted(TcpTransport::default(), "tcp://127.0.0.1:0", found, codec())
}

pub(super) fn unix(found: Found) -> Tally {
    let directory = tempfile::tempdir().unwrap();
    let at = format!("unix://{}/socket", directory.path().display());
    accepted(UnixTransport::default(), &at, found, codec())
}

pub(super) fn boxed(found: Found) -> Tally {
    block_on(async {
        let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
        found.send(listener.local().to_string()).unwrap();
        receive(Framed::new(listener.accept().await.unwrap(), boxed_codec())).await
    })
}

pub(super) fn accepted<T: Transport>(
    transport: T,
    at: &str,
    found: Found,
    codec: impl Codec,
) -> Tally {
    block_on(async {
        let at: Endpoint = at.parse().unwrap();
        let mut listener = transport.listen(&at).await.unwrap();
        found.send(listener.local().to_string()).unwrap();
        receive(Framed::new(listener.accept().await.unwrap(), codec)).await
    })
}

async fn receive<R: RecvHalf, C: Codec>(mut framed: Framed<R, C>) -> Tally {
    let mut tally = Tally::default();
    while let Some(frame) = framed.recv().await.unwrap() {
        tally.see(frame);
    }
    tally
}

pub(crate) fn send(to: &str, load: &Load) -> Instant {
    connected(TcpTransport::default(), to, load, codec())
}

pub(super) fn send_unix(to: &str, load: &Load) -> Instant {
    connected(UnixTransport::default(), to, load, codec())
}

pub(super) fn send_boxed(to: &str, load: &Load) -> Instant {
    block_on(async { feed(Framed::new(connect(to).await.unwrap(), boxed_codec()), load).await })
}

pub(super) fn connected<T: Transport>(
    transport: T,
    to: &str,
    load: &Load,
    codec: impl Codec,
) -> Instant {
    block_on(async {
        let to: Endpoint = to.parse().unwrap();
        let socket = transport.connect(&to).await.unwrap();
        feed(Framed::new(socket, codec), load).await
    })
}

async fn feed<S: SendHalf, C: Codec>(mut framed: Framed<S, C>, load: &Load) -> Instant {
    let begun = Instant::now();
    for _ in 0..load.count {
        framed.feed(&load.frame).await.unwrap();
    }
    framed.finish().await.unwrap();
    begun
}
