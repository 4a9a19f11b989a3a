//! tokio-websockets: `feed` and `close` one way, `send` there and back.

use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_websockets::{ClientBuilder, Message, ServerBuilder, WebSocketStream};

use crate::stream::{Found, Load, block_on};
use crate::tally::Tally;
use crate::trip::raw::{accept_tcp, connect_tcp};

async fn accepted(found: Found) -> WebSocketStream<TcpStream> {
    ServerBuilder::new().serve(accept_tcp(found).await)
}

async fn connected(to: &str) -> WebSocketStream<TcpStream> {
    ClientBuilder::new().take_over(connect_tcp(to).await)
}

/// The next message, or the end.
async fn next(socket: &mut WebSocketStream<TcpStream>) -> Option<Message> {
    let message = socket.next().await?.unwrap();
    message.is_binary().then_some(message)
}

pub(super) fn receive(found: Found) -> Tally {
    block_on(async {
        let mut socket = accepted(found).await;
        let mut tally = Tally::default();
        while let Some(message) = next(&mut socket).await {
            tally.see(message.as_payload());
        }
        tally
    })
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    block_on(async {
        let mut socket = connected(to).await;
        let payload = Bytes::from(load.frame.clone());
        let begun = Instant::now();
        for _ in 0..load.count {
            let message = Message::binary(payload.clone());
            socket.feed(message).await.unwrap();
        }
        socket.close().await.unwrap();
        begun
    })
}

pub(super) fn echo(found: Found) {
    block_on(async {
        let mut socket = accepted(found).await;
        while let Some(message) = next(&mut socket).await {
            socket.send(message).await.unwrap();
        }
    });
}

pub(super) fn ask(to: &str, load: &Load) -> Instant {
    block_on(async {
        let mut socket = connected(to).await;
        let payload = Bytes::from(load.frame.clone());
        let begun = Instant::now();
        for _ in 0..load.count {
            let message = Message::binary(payload.clone());
            socket.send(message).await.unwrap();
            let answer = next(&mut socket).await.unwrap();
            assert_eq!(answer.as_payload()[..], payload);
        }
        socket.close().await.unwrap();
        begun
    })
}
