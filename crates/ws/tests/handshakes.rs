//! Handshakes as real clients, servers, and the proxies between them write them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{dial, listen, request};
use sha1::{Digest, Sha1};
use socketry_transport::{BoxSocket, Error, Half, Listener, Registry};
use socketry_ws::{Ws, WsInfo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

/// The answer to the client's key (RFC 6455, section 4.2.2).
fn accept_key(key: &str) -> String {
    let both = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(Sha1::digest(both))
}

/// A server that answers once, and the head that it got.
async fn served(ws: &Ws, at: &str, rest: &str, answer: &str) -> (Result<BoxSocket, Error>, String) {
    let server = TcpListener::bind((at, 0)).await.unwrap();
    let port = server.local_addr().unwrap().port();
    let host = if at.contains(':') { "[::1%251]" } else { at };
    let registry = ws.register(Registry::standard()).unwrap();
    let serving = async {
        let (mut stream, _) = server.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let head = String::from_utf8(head).unwrap();
        let key = head.split("Sec-WebSocket-Key: ").nth(1).unwrap();
        let answer = answer.replace("ACCEPT", &accept_key(&key[..24]));
        stream.write_all(answer.as_bytes()).await.unwrap();
        head
    };
    let url = format!("ws://{host}:{port}{rest}");
    tokio::join!(registry.connect(url.as_str()), serving)
}

const AGREED: &str = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Accept: ACCEPT\r\n";

#[tokio::test]
async fn a_client_passes_over_interim_answers_within_a_bound() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let answer = format!("{interim}{AGREED}\r\n");
    let (connected, _) = served(&Ws::new(), "127.0.0.1", "/", &answer).await;
    connected.unwrap();
    let answer = format!("{}{AGREED}\r\n", interim.repeat(5));
    let (connected, _) = served(&Ws::new(), "127.0.0.1", "/", &answer).await;
    let words = connected.unwrap_err().to_string();
    assert!(words.contains("answered 100 Continue"), "{words}");
}

/// The API of Kubernetes sends it.
#[tokio::test]
async fn an_empty_subprotocol_of_the_server_is_none() {
    let answer = format!("{AGREED}Sec-WebSocket-Protocol:\r\n\r\n");
    let (connected, _) = served(&Ws::new(), "127.0.0.1", "/", &answer).await;
    connected.unwrap();
    let (connected, _) = served(&Ws::new(), "127.0.0.1", "/?protocol=a", &answer).await;
    let words = connected.unwrap_err().to_string();
    assert!(words.contains("none of our subprotocols"), "{words}");
}

#[tokio::test]
async fn no_zone_of_this_machine_is_told_to_the_server() {
    let (connected, head) = served(&Ws::new(), "::1", "/", &format!("{AGREED}\r\n")).await;
    connected.unwrap();
    assert!(head.contains("\r\nHost: [::1]:"), "{head}");
}

#[tokio::test]
async fn headers_that_the_url_has_too_are_sent_once_and_those_of_the_handshake_are_refused() {
    let ws = Ws::new()
        .header("host", "a.example")
        .header("origin", "https://b.example")
        .header("X-Tag", "1")
        .header("X-Tag", "2");
    let answer = format!("{AGREED}\r\n");
    let (connected, head) = served(&ws, "127.0.0.1", "/", &answer).await;
    connected.unwrap();
    let lines = |name: &str| -> Vec<String> {
        let lines = head.lines().map(str::to_lowercase);
        lines.filter(|line| line.starts_with(name)).collect()
    };
    assert_eq!(lines("host:"), ["host: a.example"]);
    assert_eq!(lines("origin:"), ["origin: https://b.example"]);
    assert_eq!(lines("x-tag:"), ["x-tag: 1", "x-tag: 2"]);
    let (connected, head) = served(&ws, "127.0.0.1", "/?origin=https://c.example", &answer).await;
    connected.unwrap();
    assert_eq!(head.matches("Origin: https://c.example\r\n").count(), 1);
    assert!(!head.contains("b.example"), "{head}");

    let ws = Ws::new().header("Upgrade", "h2c");
    let registry = ws.register(Registry::standard()).unwrap();
    let error = registry.connect("ws://127.0.0.1:9/").await.unwrap_err();
    let words = error.to_string();
    assert!(
        words.contains("'Upgrade' is of the handshake itself"),
        "{words}"
    );
}

#[tokio::test]
async fn a_request_through_a_proxy_and_with_many_headers_is_served() {
    let mut listener = listen(&Ws::new(), "/chat").await;
    let many: String = (0..200).map(|i| format!("X-{i}: a\r\n")).collect();
    let request = request(&many).replace("GET / ", "GET http://127.0.0.1/chat?a=b ");
    let mut stream = dial(&listener).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let accepted = timeout(Duration::from_secs(30), listener.accept()).await;
    let socket = accepted.unwrap().unwrap();
    assert_eq!(socket.info().get::<WsInfo>().unwrap().target, "/chat?a=b");
}
