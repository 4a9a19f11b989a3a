//! fastwebsockets. It writes each frame to its socket at once, so that socket has a buffer in
//! front, of 64 KiB, which is flushed at the end or for each question and answer.

use std::time::Instant;

use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket};
use tokio::io::{BufWriter, Join, join};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::stream::{Found, Load, block_on};
use crate::tally::Tally;
use crate::trip::raw::{accept_tcp, connect_tcp};

const BUFFER: usize = 64 << 10;

type Socket = WebSocket<Join<OwnedReadHalf, BufWriter<OwnedWriteHalf>>>;

fn socket(stream: TcpStream, role: Role) -> Socket {
    let (read, write) = stream.into_split();
    let buffered = join(read, BufWriter::with_capacity(BUFFER, write));
    WebSocket::after_handshake(buffered, role)
}

/// The next message, or the end.
async fn next<'a>(socket: &mut Socket) -> Option<Frame<'a>> {
    let frame = socket.read_frame().await.unwrap();
    (frame.opcode == OpCode::Binary).then_some(frame)
}

async fn put(socket: &mut Socket, payload: Payload<'_>) {
    socket.write_frame(Frame::binary(payload)).await.unwrap();
}

async fn close(mut socket: Socket) {
    socket.write_frame(Frame::close(1000, b"")).await.unwrap();
    socket.flush().await.unwrap();
}

pub(super) fn receive(found: Found) -> Tally {
    block_on(async {
        let mut socket = socket(accept_tcp(found).await, Role::Server);
        let mut tally = Tally::default();
        while let Some(frame) = next(&mut socket).await {
            tally.see(&frame.payload);
        }
        tally
    })
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    block_on(async {
        let mut socket = socket(connect_tcp(to).await, Role::Client);
        let begun = Instant::now();
        for _ in 0..load.count {
            put(&mut socket, Payload::Borrowed(&load.frame)).await;
        }
        close(socket).await;
        begun
    })
}

pub(super) fn echo(found: Found) {
    block_on(async {
        let mut socket = socket(accept_tcp(found).await, Role::Server);
        while let Some(frame) = next(&mut socket).await {
            put(&mut socket, frame.payload).await;
            socket.flush().await.unwrap();
        }
    });
}

pub(super) fn ask(to: &str, load: &Load) -> Instant {
    block_on(async {
        let mut socket = socket(connect_tcp(to).await, Role::Client);
        let begun = Instant::now();
        for _ in 0..load.count {
            put(&mut socket, Payload::Borrowed(&load.frame)).await;
            socket.flush().await.unwrap();
            let answer = next(&mut socket).await.unwrap();
            assert_eq!(answer.payload[..], load.frame);
        }
        close(socket).await;
        begun
    })
}
