//! Messages that cannot be relayed as they came: they are cleaned, or a user or the operator is
//! told.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::pending;
use std::time::Duration;

use socketry_apps::Service;
use socketry_apps::chat::{Client, Console, Operator, Server};
use socketry_transport::{BoxSocket, Endpoint, RecvExt, Registry, SendExt};
use tokio::time::timeout;

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what)
        .await
        .expect("in time")
}

struct Chat {
    service: Service,
    at: Endpoint,
    operator: Operator,
}

impl Chat {
    async fn serve(codec: &str, encoding: &str) -> Self {
        let mut service = Service::with_codec(codec).unwrap();
        service.encoding = encoding.parse().unwrap();
        let at = "tcp://127.0.0.1:0".parse().unwrap();
        let server = Server::bind(&service, &at).await.unwrap();
        let at = server.local().clone();
        let (console, operator) = Console::channel();
        tokio::spawn(server.run(console, pending()));
        Chat {
            service,
            at,
            operator,
        }
    }

    /// A user that reads, and a peer that sends arbitrary bytes.
    async fn users(&mut self) -> (Client, BoxSocket) {
        let mut listener = Client::connect(&self.service, &self.at, None)
            .await
            .unwrap();
        listener.send("here").await.unwrap();
        soon(self.operator.next()).await.unwrap();
        let stranger = Registry::standard().connect(&self.at).await.unwrap();
        (listener, stranger)
    }
}

async fn hears(listener: &mut Client, text: &str) {
    let message = soon(listener.recv()).await.unwrap().unwrap();
    assert_eq!(message.text, text);
}

#[tokio::test]
async fn a_second_line_end_is_left_out() {
    for (codec, bytes, text) in [
        ("line", &b"hello\r\r\n"[..], "hello"),
        ("line", b"hello\r\r\r\n", "hello"),
        ("line", b"a\rb\r\n", "a\rb"),
        ("line", b"\r\r\n", ""),
        ("line:crlf", b"hello\r\r\n", "hello\r"),
        ("line:\\0", b"hello\r\n\0", "hello\r\n"),
    ] {
        let mut chat = Chat::serve(codec, "utf-8").await;
        let (mut listener, mut stranger) = chat.users().await;
        stranger.send_all(bytes).await.unwrap();
        hears(&mut listener, text).await;
        assert!(soon(chat.operator.next()).await.is_some());
    }
}

#[tokio::test]
async fn characters_that_an_encoding_lacks_are_replaced() {
    for encoding in [
        "gbk",
        "big5",
        "shift_jis",
        "euc-kr",
        "iso-2022-jp",
        "utf-16",
        "windows-1252",
    ] {
        for codec in ["line", "struct"] {
            let mut chat = Chat::serve(codec, encoding).await;
            let (mut listener, mut stranger) = chat.users().await;
            let bad = [b'a', 0x81, 0xff];
            match codec {
                "struct" => stranger
                    .send_all(&[&[3, 0, 0, 0][..], &bad].concat())
                    .await
                    .unwrap(),
                _ => stranger
                    .send_all(&[&bad[..], b"\n"].concat())
                    .await
                    .unwrap(),
            }
            let heard = soon(listener.recv()).await.unwrap().unwrap();
            assert!(!heard.text.is_empty(), "{codec} {encoding}");
            assert!(soon(chat.operator.next()).await.is_some());
        }
    }
}

#[tokio::test]
async fn messages_that_become_too_long_are_shown_to_the_operator() {
    let mut chat = Chat::serve("struct", "utf-8").await;
    let (mut listener, mut stranger) = chat.users().await;
    // Each byte becomes three.
    let bad = [&60_000u32.to_le_bytes()[..], &[0xff; 60_000]].concat();
    stranger.send_all(&bad).await.unwrap();
    let shown = soon(chat.operator.next()).await.unwrap();
    assert!(shown.starts_with('\u{fffd}'));
    stranger.send_all(b"\x02\0\0\0ok").await.unwrap();
    hears(&mut listener, "ok").await;
}

#[tokio::test]
async fn messages_that_become_too_long_over_json_are_refused() {
    let mut chat = Chat::serve("json", "utf-8").await;
    let (mut listener, mut stranger) = chat.users().await;
    // The server adds keys to it.
    let frame = format!(r#"{{"text":"{}"}}"#, "x".repeat(65_500));
    let bytes = [
        &u32::try_from(frame.len()).unwrap().to_le_bytes()[..],
        frame.as_bytes(),
    ]
    .concat();
    stranger.send_all(&bytes).await.unwrap();
    let mut answer = vec![0; 1000];
    let (len, _) = soon(stranger.recv(&mut answer)).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..len]);
    assert!(answer.contains("cannot relay"), "{answer}");
    stranger
        .send_all(b"\x0d\0\0\0{\"text\":\"ok\"}")
        .await
        .unwrap();
    hears(&mut listener, "ok").await;
}
