//! `Framed` over `socketry-ws`: each message is a frame.

use std::time::Instant;

use socketry_codec::{Framed, Raw};
use socketry_transport::{Endpoint, Listener, Stack, TcpTransport, Transport};
use socketry_ws::{Ws, WsTransport};

use crate::stream::ours::{Calls, accepted, connected};
use crate::stream::{Found, Load, block_on};
use crate::tally::Tally;

const AT: &str = "tcp://127.0.0.1:0";

fn stack() -> Stack<WsTransport<TcpTransport>> {
    Stack::new(TcpTransport::default()).with(Ws::new())
}

pub(super) fn receive(found: Found) -> Tally {
    accepted(stack(), AT, found, Raw, Calls::Each)
}

pub(super) fn receive_many(found: Found) -> Tally {
    accepted(stack(), AT, found, Raw, Calls::Many)
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    connected(stack(), to, load, Raw, Calls::Each)
}

pub(super) fn send_many(to: &str, load: &Load) -> Instant {
    connected(stack(), to, load, Raw, Calls::Many)
}

pub(super) fn send_each(to: &str, load: &Load) -> Instant {
    block_on(async {
        let to: Endpoint = to.parse().unwrap();
        let mut framed = Framed::new(stack().connect(&to).await.unwrap(), Raw);
        let begun = Instant::now();
        for _ in 0..load.count {
            framed.send(&load.frame).await.unwrap();
        }
        framed.finish().await.unwrap();
        begun
    })
}

pub(super) fn echo(found: Found) {
    block_on(async {
        let mut listener = stack().listen(&AT.parse().unwrap()).await.unwrap();
        found.send(listener.local().to_string()).unwrap();
        let socket = listener.accept().await.unwrap();
        let (mut receiving, mut sending) = Framed::new(socket, Raw).split();
        while let Some(message) = receiving.recv().await.unwrap() {
            sending.send(message).await.unwrap();
        }
    });
}

pub(super) fn ask(to: &str, load: &Load) -> Instant {
    block_on(async {
        let to: Endpoint = to.parse().unwrap();
        let mut framed = Framed::new(stack().connect(&to).await.unwrap(), Raw);
        let begun = Instant::now();
        for _ in 0..load.count {
            framed.send(&load.frame).await.unwrap();
            assert_eq!(framed.recv().await.unwrap(), Some(&load.frame[..]));
        }
        framed.finish().await.unwrap();
        begun
    })
}
