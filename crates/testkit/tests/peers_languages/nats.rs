//! NATS: commands are lines, and a payload is a body of the length that its line says.

use socketry_codec::{BoxCodec, Framed};
use socketry_testkit::in_time;
use socketry_transport::{BoxSocket, SendExt, connect};

use crate::child::Peer;
use crate::mirror::{binary, framed, heard, over};
use crate::tools;

/// The longest payload that a server takes, unless it is told otherwise.
const MOST: usize = 1_048_576;

/// A connection to a server, after its greeting.
async fn server() -> Option<(Peer, Framed<BoxSocket>)> {
    if !tools::has("nats-server") {
        return None;
    }
    let options = [
        "--addr",
        "127.0.0.1",
        "--port",
        "-1",
        "--log",
        "/dev/stdout",
    ];
    let mut server = Peer::start("nats-server", &options);
    let said = server.says("Listening for client connections on ").await;
    let (_, at) = said.split_once("connections on ").unwrap();
    let at = format!("tcp://{at}?nodelay=true");
    let socket = in_time("connect", connect(at)).await.unwrap();
    let mut framed = framed(socket, "line:crlf");
    let info = line(&mut framed).await;
    assert!(info.starts_with("INFO {"), "{info}");
    assert!(info.contains(&format!(r#""max_payload":{MOST}"#)), "{info}");
    framed.send(br#"CONNECT {"verbose":false}"#).await.unwrap();
    Some((server, framed))
}

/// The next line that is not the server's own question, which is answered.
async fn line(framed: &mut Framed<BoxSocket>) -> String {
    loop {
        let line = heard(framed).await.expect("a line");
        if line != b"PING" {
            return String::from_utf8(line).unwrap();
        }
        // Once this side has finished, the server asks in vain.
        let _answered = framed.send(b"PONG").await;
    }
}

async fn publish(framed: &mut Framed<BoxSocket>, payload: &[u8]) {
    let head = format!("PUB here {}", payload.len());
    framed.feed(head.as_bytes()).await.unwrap();
    let len = payload.len() as u64;
    let mut body = framed.body_writer(len).unwrap();
    body.write_all(payload).await.unwrap();
    // The line ending behind the payload.
    framed.send(b"").await.unwrap();
}

/// The payload of the next message, and the ending behind it.
async fn message(framed: &mut Framed<BoxSocket>) -> Vec<u8> {
    let head = line(framed).await;
    let len = head.strip_prefix("MSG here 7 ").unwrap().parse().unwrap();
    let mut payload = Vec::new();
    let mut body = framed.body(len).unwrap();
    while let Some(chunk) = in_time("a payload", body.chunk()).await.unwrap() {
        payload.extend_from_slice(chunk);
    }
    assert_eq!(line(framed).await, "");
    payload
}

#[tokio::test]
async fn lines_and_bodies_are_a_conversation_with_nats() {
    let Some((_server, mut framed)) = server().await else {
        return;
    };
    framed.send(b"PING").await.unwrap();
    assert_eq!(line(&mut framed).await, "PONG");
    framed.send(b"SUB here 7").await.unwrap();
    for payload in binary(&[0, 1, 9, 10, 4_095, 4_096, 65_536, MOST]) {
        publish(&mut framed, &payload).await;
        assert!(message(&mut framed).await == payload, "{}", payload.len());
    }
    // A payload may be what a line cannot have.
    for payload in ["\r\n", "PING\r\n", "a\nb", "\r"] {
        publish(&mut framed, payload.as_bytes()).await;
        assert_eq!(message(&mut framed).await, payload.as_bytes());
    }
    for byte in b"PUB here 3\r\nabc\r\nping\r\n" {
        let socket = framed.socket_mut();
        socket.send_all(std::slice::from_ref(byte)).await.unwrap();
    }
    assert_eq!(message(&mut framed).await, b"abc");
    assert_eq!(line(&mut framed).await, "PONG");
    // NATS passes on the digits of a length as they came.
    framed.feed(b"PUB here 03").await.unwrap();
    framed.send(b"abc").await.unwrap();
    assert_eq!(line(&mut framed).await, "MSG here 7 03");
    assert_eq!(line(&mut framed).await, "abc");
    // Commands in one write, and then our end: all are answered.
    for _ in 0..1_000 {
        framed.feed(b"PING").await.unwrap();
    }
    framed.finish().await.unwrap();
    for _ in 0..1_000 {
        assert_eq!(line(&mut framed).await, "PONG");
    }
    while let Some(line) = heard(&mut framed).await {
        assert_eq!(line, b"PING");
    }
}

/// A line feed alone ends a command. Behind a payload it is an error, so the codec is `line:crlf`.
#[tokio::test]
async fn nats_takes_a_line_feed_alone_only_behind_commands() {
    let Some((_server, framed)) = server().await else {
        return;
    };
    let lines: BoxCodec = "line".parse().unwrap();
    let mut framed = framed.with_codec(lines).unwrap();
    framed.send(b"PING").await.unwrap();
    assert_eq!(line(&mut framed).await, "PONG");
    framed.send(b"SUB here 7").await.unwrap();
    publish(&mut framed, b"abc").await;
    framed.send(b"PING").await.unwrap();
    assert_eq!(line(&mut framed).await, "-ERR 'Unknown Protocol Operation'");
    over(&mut framed).await;
}

#[tokio::test]
async fn what_nats_does_not_take_ends_the_connection() {
    type Command = (Vec<u8>, &'static str);
    let payload = format!("PUB here {}", MOST + 1).into_bytes();
    let line_above = [b"SUB ", &[b'a'; 4_097][..], b" 7"].concat();
    let commands: [Command; 3] = [
        (payload, "-ERR 'Maximum Payload Violation'"),
        (line_above, "-ERR 'maximum control line exceeded'"),
        // An empty line, as it would keep an HTTP or Redis connection alive.
        (Vec::new(), "-ERR 'Unknown Protocol Operation'"),
    ];
    for (command, words) in commands {
        let Some((_server, mut framed)) = server().await else {
            return;
        };
        framed.send(&command).await.unwrap();
        assert_eq!(line(&mut framed).await, words);
        over(&mut framed).await;
    }
}
