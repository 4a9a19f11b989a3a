//! `Framed` over our sockets.

use std::time::Instant;

use socketry_codec::{Framed, Struct};
use socketry_transport::{Endpoint, Listener, Socket, TcpTransport, Transport, UnixTransport};

use super::FRAME;
use crate::stream::{Found, block_on};
use crate::tally::frame;

pub(super) fn echo_tcp(found: Found) {
    block_on(echo(TcpTransport::default(), "tcp://127.0.0.1:0", found));
}

pub(super) fn echo_unix(found: Found) {
    let directory = tempfile::tempdir().unwrap();
    let at = format!("unix://{}/socket", directory.path().display());
    block_on(echo(UnixTransport::default(), &at, found));
}

pub(super) fn ask_tcp(to: &str, times: usize) -> Instant {
    block_on(ask(TcpTransport::default(), to, times))
}

pub(super) fn ask_unix(to: &str, times: usize) -> Instant {
    block_on(ask(UnixTransport::default(), to, times))
}

fn framed<S: Socket>(socket: S) -> Framed<S, Struct> {
    Framed::new(socket, Struct::new("<I".parse().unwrap()))
}

async fn echo<T: Transport>(transport: T, at: &str, found: Found) {
    let at: Endpoint = at.parse().unwrap();
    let mut listener = transport.listen(&at).await.unwrap();
    found.send(listener.local().to_string()).unwrap();
    let (mut receiving, mut sending) = framed(listener.accept().await.unwrap()).split();
    while let Some(frame) = receiving.recv().await.unwrap() {
        sending.send(frame).await.unwrap();
    }
}

async fn ask<T: Transport>(transport: T, to: &str, times: usize) -> Instant {
    let to: Endpoint = to.parse().unwrap();
    let mut framed = framed(transport.connect(&to).await.unwrap());
    let question = frame(FRAME);
    let begun = Instant::now();
    for _ in 0..times {
        framed.send(&question).await.unwrap();
        assert_eq!(framed.recv().await.unwrap(), Some(&question[..]));
    }
    begun
}
