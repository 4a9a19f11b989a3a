//! `Framed` over our sockets, with the defaults of both: one frame a call, and many.

use std::time::Instant;

use socketry_codec::limits::FRAMES_AT_ONCE;
use socketry_codec::{BoxCodec, Codec, Framed, Struct};
use socketry_transport::{
    Endpoint, Listener, RecvHalf, SendHalf, TcpTransport, Transport, UnixTransport, connect, listen,
};

use super::{Found, Load, block_on};
use crate::tally::Tally;

/// How frames are received and fed.
#[derive(Clone, Copy)]
pub(crate) enum Calls {
    /// `recv` and `feed`.
    Each,
    /// `recv_many` and `feed_many`.
    Many,
}

pub(crate) fn codec() -> Struct {
    Struct::new("<I".parse().unwrap())
}

fn boxed_codec() -> BoxCodec {
    "struct:<I".parse().unwrap()
}

pub(super) fn tcp(found: Found) -> Tally {
    receive_tcp(found, Calls::Each)
}

pub(super) fn tcp_many(found: Found) -> Tally {
    receive_tcp(found, Calls::Many)
}

fn receive_tcp(found: Found, calls: Calls) -> Tally {
    let tcp = TcpTransport::default();
    accepted(tcp, "tcp://127.0.0.1:0", found, codec(), calls)
}

pub(super) fn unix(found: Found) -> Tally {
    receive_unix(found, Calls::Each)
}

pub(super) fn unix_many(found: Found) -> Tally {
    receive_unix(found, Calls::Many)
}

fn receive_unix(found: Found, calls: Calls) -> Tally {
    let directory = tempfile::tempdir().unwrap();
    let at = format!("unix://{}/socket", directory.path().display());
    accepted(UnixTransport::default(), &at, found, codec(), calls)
}

pub(super) fn boxed(found: Found) -> Tally {
    receive_boxed(found, Calls::Each)
}

pub(super) fn boxed_many(found: Found) -> Tally {
    receive_boxed(found, Calls::Many)
}

fn receive_boxed(found: Found, calls: Calls) -> Tally {
    block_on(async {
        let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
        found.send(listener.local().to_string()).unwrap();
        let socket = listener.accept().await.unwrap();
        receive(Framed::new(socket, boxed_codec()), calls).await
    })
}

pub(crate) fn accepted<T: Transport>(
    transport: T,
    at: &str,
    found: Found,
    codec: impl Codec,
    calls: Calls,
) -> Tally {
    block_on(async {
        let at: Endpoint = at.parse().unwrap();
        let mut listener = transport.listen(&at).await.unwrap();
        found.send(listener.local().to_string()).unwrap();
        let socket = listener.accept().await.unwrap();
        receive(Framed::new(socket, codec), calls).await
    })
}

pub(crate) async fn receive<R: RecvHalf, C: Codec>(
    mut framed: Framed<R, C>,
    calls: Calls,
) -> Tally {
    let mut tally = Tally::default();
    match calls {
        Calls::Each => {
            while let Some(frame) = framed.recv().await.unwrap() {
                tally.see(frame);
            }
        }
        Calls::Many => {
            while let Some(frames) = framed.recv_many(FRAMES_AT_ONCE).await.unwrap() {
                tally.see_all(frames);
            }
        }
    }
    tally
}

pub(crate) fn send(to: &str, load: &Load) -> Instant {
    connected(TcpTransport::default(), to, load, codec(), Calls::Each)
}

pub(super) fn send_many(to: &str, load: &Load) -> Instant {
    connected(TcpTransport::default(), to, load, codec(), Calls::Many)
}

pub(super) fn send_unix(to: &str, load: &Load) -> Instant {
    connected(UnixTransport::default(), to, load, codec(), Calls::Each)
}

pub(super) fn send_unix_many(to: &str, load: &Load) -> Instant {
    connected(UnixTransport::default(), to, load, codec(), Calls::Many)
}

pub(super) fn send_boxed(to: &str, load: &Load) -> Instant {
    feed_boxed(to, load, Calls::Each)
}

pub(super) fn send_boxed_many(to: &str, load: &Load) -> Instant {
    feed_boxed(to, load, Calls::Many)
}

fn feed_boxed(to: &str, load: &Load, calls: Calls) -> Instant {
    block_on(async {
        let socket = connect(to).await.unwrap();
        feed(Framed::new(socket, boxed_codec()), load, calls).await
    })
}

pub(crate) fn connected<T: Transport>(
    transport: T,
    to: &str,
    load: &Load,
    codec: impl Codec,
    calls: Calls,
) -> Instant {
    block_on(async {
        let to: Endpoint = to.parse().unwrap();
        let socket = transport.connect(&to).await.unwrap();
        feed(Framed::new(socket, codec), load, calls).await
    })
}

pub(crate) async fn feed<S: SendHalf, C: Codec>(
    mut framed: Framed<S, C>,
    load: &Load,
    calls: Calls,
) -> Instant {
    let begun = Instant::now();
    match calls {
        Calls::Each => {
            for _ in 0..load.count {
                framed.feed(&load.frame).await.unwrap();
            }
        }
        Calls::Many => {
            let frames = (0..load.count).map(|_| &load.frame);
            assert_eq!(framed.feed_many(frames).await.unwrap(), load.count);
        }
    }
    framed.finish().await.unwrap();
    begun
}
