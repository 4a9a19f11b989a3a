//! tokio-tungstenite: `feed` and `close` one way, `send` there and back.

use std::time::Instant;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::stream::{Found, Load, block_on};
use crate::tally::Tally;
use crate::trip::raw::{accept_tcp, connect_tcp};

async fn accepted(found: Found) -> WebSocketStream<TcpStream> {
    WebSocketStream::from_raw_socket(accept_tcp(found).await, Role::Server, None).await
}

async fn connected(to: &str) -> WebSocketStream<TcpStream> {
    WebSocketStream::from_raw_socket(connect_tcp(to).await, Role::Client, None).await
}

/// The next message, or the end.
async fn next(socket: &mut WebSocketStream<TcpStream>) -> Option<Bytes> {
    match socket.next().await?.unwrap() {
        Message::Binary(payload) => Some(payload),
        _ => None,
    }
}

pub(super) fn receive(found: Found) -> Tally {
    block_on(async {
        let mut socket = accepted(found).await;
        let mut tally = Tally::default();
        while let Some(payload) = next(&mut socket).await {
            tally.see(&payload);
        }
        // The answer to the close leaves.
        let _ = socket.flush().await;
        tally
    })
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    block_on(async {
        let mut socket = connected(to).await;
        let payload = Bytes::from(load.frame.clone());
        let begun = Instant::now();
        for _ in 0..load.count {
            let message = Message::Binary(payload.clone());
            socket.feed(message).await.unwrap();
        }
        socket.close(None).await.unwrap();
        begun
    })
}

pub(super) fn echo(found: Found) {
    block_on(async {
        let mut socket = accepted(found).await;
        while let Some(payload) = next(&mut socket).await {
            socket.send(Message::Binary(payload)).await.unwrap();
        }
    });
}

pub(super) fn ask(to: &str, load: &Load) -> Instant {
    block_on(async {
        let mut socket = connected(to).await;
        let payload = Bytes::from(load.frame.clone());
        let begun = Instant::now();
        for _ in 0..load.count {
            let message = Message::Binary(payload.clone());
            socket.send(message).await.unwrap();
            assert_eq!(next(&mut socket).await.unwrap(), payload);
        }
        socket.close(None).await.unwrap();
        begun
    })
}
