//! A peer that writes its own bytes.
#![allow(dead_code, reason = "each test uses a part")]

use std::time::Duration;

use socketry_transport::{
    BoxListener, BoxSocket, Listener, Received, RecvExt, Registry, SendExt, SendHalf,
};
use socketry_ws::{Ws, WsError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(crate) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
pub(crate) const MASK: [u8; 4] = [1, 2, 3, 4];

pub(crate) async fn listen(ws: &Ws, rest: &str) -> BoxListener {
    let registry = ws.register(Registry::standard()).unwrap();
    let url = format!("ws://127.0.0.1:0{rest}");
    registry.listen(url.as_str()).await.unwrap()
}

pub(crate) async fn dial(listener: &BoxListener) -> TcpStream {
    let port = listener.local().port().unwrap();
    TcpStream::connect(("127.0.0.1", port)).await.unwrap()
}

pub(crate) fn request(more: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{more}\r\n"
    )
}

/// What a server answers to these bytes, until it closes.
pub(crate) async fn answer(listener: &mut BoxListener, bytes: &[u8]) -> String {
    let mut stream = dial(listener).await;
    let asking = async {
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // Some bytes of ours may be unread there: then the end is a reset behind the answer.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8(answer).unwrap()
    };
    tokio::select! {
        accepted = listener.accept() => panic!("accepted {accepted:?}"),
        answer = asking => answer,
    }
}

/// A connection whose handshake is done: the raw client, and our socket.
pub(crate) async fn upgraded(listener: &mut BoxListener) -> (TcpStream, BoxSocket) {
    let mut stream = dial(listener).await;
    stream.write_all(request("").as_bytes()).await.unwrap();
    let socket = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains(ACCEPT), "{head}");
    (stream, socket)
}

/// A masked frame of at most 125 bytes.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | u8::try_from(payload.len()).unwrap()];
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
    bytes
}

/// A frame from our server: its first byte and its payload.
pub(crate) async fn read_frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let first = stream.read_u8().await.unwrap();
    let len = stream.read_u8().await.unwrap();
    assert!(len < 126);
    let mut payload = vec![0; usize::from(len)];
    stream.read_exact(&mut payload).await.unwrap();
    (first, payload)
}

pub(crate) async fn receive(socket: &mut BoxSocket) -> Result<Vec<u8>, WsError> {
    let mut buf = vec![0; 1 << 20];
    match socket.recv(&mut buf).await {
        Ok((len, Received::Data)) => Ok(buf[..len].to_vec()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error
            .get_ref()
            .unwrap()
            .downcast_ref::<WsError>()
            .unwrap()
            .clone()),
    }
}

/// Sends until nothing fits into any buffer.
pub(crate) async fn fill(send: &mut impl SendHalf) {
    let filling = async {
        loop {
            send.send_all(&[0; 60_000]).await.unwrap();
        }
    };
    let filled = tokio::time::timeout(Duration::from_millis(300), filling).await;
    assert!(filled.is_err());
}
