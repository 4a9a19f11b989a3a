//! What a server holds of a message over WebSocket that has not arrived whole is within its limits,
//! as the bytes of a frame over a stream are.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use socketry_codec::{FrameError, Raw};
use socketry_service::{Ending, Limits, Observer, Server, Stopper};
use socketry_testkit::in_time;
use socketry_transport::{Info, Listener, Registry};
use socketry_ws::Ws;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

/// What a message claims to have, and what comes of it.
const CLAIMED: u64 = 1 << 20;
const SENT: usize = 200 << 10;

struct Endings(mpsc::UnboundedSender<String>);

impl Observer for Endings {
    fn ended(&self, _: u64, _: &Info, how: &Ending<'_>, _: Duration) {
        let _ = self.0.send(how.to_string());
    }
}

/// An echo with `limits`, which tells how its clients ended.
async fn server(limits: Limits) -> (Stopper, String, mpsc::UnboundedReceiver<String>) {
    let registry = Ws::new().register(Registry::standard()).unwrap();
    let listener = registry.listen("ws://127.0.0.1:0").await.unwrap();
    let at = listener.local().socket_addr().unwrap().to_string();
    let (tell, told) = mpsc::unbounded_channel();
    let server = Server::new(listener)
        .codec(Raw)
        .limits(limits)
        .observer(Endings(tell));
    let stopper = server.stopper();
    tokio::spawn(server.answer(async |request| Ok::<_, FrameError>(request.frame)));
    (stopper, at, told)
}

/// A client that has sent a part of a message, and says nothing more.
async fn half_a_message(at: &str) -> TcpStream {
    let mut client = TcpStream::connect(at).await.unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {at}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(client.read_u8().await.unwrap());
    }
    let mut frame = vec![0x82, 0xff];
    frame.extend(CLAIMED.to_be_bytes());
    frame.resize(frame.len() + 4 + SENT, 0);
    client.write_all(&frame).await.unwrap();
    client
}

#[tokio::test]
async fn a_message_that_is_not_finished_in_time_ends_its_client() {
    let limits = Limits {
        whole_frame: Some(Duration::from_millis(200)),
        ..Limits::default()
    };
    let (stopper, at, mut told) = server(limits).await;
    let _client = half_a_message(&at).await;
    let ending = in_time("the observer's word", told.recv()).await.unwrap();
    assert!(ending.contains("not finished within 200ms"), "{ending}");
    drop(stopper);
}

#[tokio::test]
async fn the_part_of_a_message_counts_as_a_buffer() {
    let limits = Limits {
        buffers: SENT / 2,
        ..Limits::default()
    };
    let (stopper, at, mut told) = server(limits).await;
    let _client = half_a_message(&at).await;
    let ending = in_time("the observer's word", told.recv()).await.unwrap();
    assert!(
        ending.contains(&format!("of {} bytes", SENT / 2)),
        "{ending}"
    );
    drop(stopper);
}
