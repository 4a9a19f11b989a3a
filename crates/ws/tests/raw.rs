//! A peer that writes its own bytes: frames and requests, right and wrong.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{
    ACCEPT, KEY, answer, dial, fill, frame, listen, read_frame, receive, request, upgraded,
};
use socketry_transport::{
    BoxListener, ErrorKind, Listener, Received, RecvExt, Registry, SendExt, Socket,
};
use socketry_ws::{CloseCode, Page, Ws};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn pieces_are_one_message_and_pings_between_them_are_answered() {
    let mut listener = listen(&Ws::new(), "").await;
    let (mut stream, mut socket) = upgraded(&mut listener).await;
    let mut bytes = frame(0x01, "Gr\u{fc}".as_bytes().split_last().unwrap().1);
    bytes.extend(frame(0x89, b"one"));
    bytes.extend(frame(0x00, b""));
    bytes.extend(frame(0x8a, b"unasked"));
    bytes.extend(frame(0x89, b"two"));
    bytes.extend(frame(0x80, &"Gr\u{fc}\u{df}e".as_bytes()[3..]));
    let talking = async {
        // Byte by byte, so that each place is once the end of a read.
        for byte in bytes {
            stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        let first = read_frame(&mut stream).await;
        let last = match first.1.as_slice() {
            b"one" => read_frame(&mut stream).await,
            // The answer to the latest ping is enough.
            _ => first,
        };
        assert_eq!(last, (0x8a, b"two".to_vec()));
    };
    let receiving = async {
        assert_eq!(
            receive(&mut socket).await.unwrap(),
            "Gr\u{fc}\u{df}e".as_bytes()
        );
        // Its pongs leave when it waits.
        let mut buf = [0; 8];
        let waiting = socket.recv(&mut buf);
        tokio::time::timeout(Duration::from_secs(60), waiting).await
    };
    tokio::select! { () = talking => {}, heard = receiving => panic!("{heard:?}") }
}

#[tokio::test]
async fn what_breaks_the_protocol_is_told_by_its_code_and_is_an_error() {
    let unmasked = vec![0x82, 1, 0];
    let close = |payload: &[u8]| frame(0x88, payload);
    let tests = [
        ("an extension", frame(0xc2, b"a"), 1002),
        ("an unknown kind", frame(0x83, b"a"), 1002),
        ("an unknown control frame", frame(0x8b, b"a"), 1002),
        ("no mask", unmasked, 1002),
        ("a control frame in pieces", frame(0x09, b"a"), 1002),
        (
            "a long control frame",
            [vec![0x89, 0xfe, 0, 126], vec![0; 130]].concat(),
            1002,
        ),
        ("a piece of nothing", frame(0x80, b"a"), 1002),
        (
            "a message in another",
            [frame(0x02, b"a"), frame(0x82, b"b")].concat(),
            1002,
        ),
        ("a close of one byte", close(&[3]), 1002),
        ("a close with 1005", close(&1005_u16.to_be_bytes()), 1002),
        ("a close with 999", close(&999_u16.to_be_bytes()), 1002),
        ("a close with 5000", close(&5000_u16.to_be_bytes()), 1002),
        ("a reason that is no text", close(&[3, 232, 0xff]), 1007),
        ("a text that is none", frame(0x81, b"\xff"), 1007),
        ("a text that is cut", frame(0x81, b"\xc3"), 1007),
        (
            "a text that is none, in pieces",
            [frame(1, b"\xc3"), frame(0x80, b"a")].concat(),
            1007,
        ),
        (
            "a claim",
            [vec![0x82, 0xff, 0, 0, 0, 1], vec![0; 8]].concat(),
            1009,
        ),
        (
            "the largest claim",
            [vec![0x82, 0xff], vec![0xff; 12]].concat(),
            1009,
        ),
        (
            "1 byte too many",
            [vec![0x82, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1], vec![0; 4]].concat(),
            1009,
        ),
    ];
    let mut listener = listen(&Ws::new(), "").await;
    for (what, bytes, code) in tests {
        let (mut stream, mut socket) = upgraded(&mut listener).await;
        let talking = async {
            stream.write_all(&bytes).await.unwrap();
            let (first, payload) = read_frame(&mut stream).await;
            let (told, reason) = payload.split_at(2);
            assert_eq!((first, told), (0x88, &u16::to_be_bytes(code)[..]), "{what}");
            assert!(!reason.is_empty(), "{what}");
            // Nothing more comes, and then the end.
            assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "{what}");
            drop(stream);
        };
        let (error, ()) = tokio::join!(receive(&mut socket), talking);
        let error = error.unwrap_err();
        assert_eq!(error.code(), Some(CloseCode(code)), "{what}: {error}");
        assert!(error.to_string().starts_with("the client "), "{error}");
        // Again the same, and nothing is sent any more.
        assert_eq!(receive(&mut socket).await.unwrap_err().code(), error.code());
        assert!(socket.send_all(b"late").await.is_err());
    }
}

#[tokio::test]
async fn a_close_is_an_end_or_an_error_by_its_code_and_is_answered() {
    let mut listener = listen(&Ws::new(), "").await;
    let tests: [(Option<u16>, &str, bool); 8] = [
        (None, "", true),
        (Some(1000), "bye", true),
        (Some(1001), "", true),
        (Some(1008), "rule \u{1b}[2J", false),
        (Some(1009), "", false),
        (Some(1011), "", false),
        (Some(3000), "", false),
        (Some(4999), "mine", false),
    ];
    for (code, reason, is_end) in tests {
        let (mut stream, mut socket) = upgraded(&mut listener).await;
        let mut payload = code.map_or(Vec::new(), |code| code.to_be_bytes().to_vec());
        payload.extend(reason.as_bytes());
        stream.write_all(&frame(0x82, b"last")).await.unwrap();
        stream.write_all(&frame(0x88, &payload)).await.unwrap();
        assert_eq!(receive(&mut socket).await.unwrap(), b"last");
        match socket.recv(&mut [0; 8]).await {
            Ok(answer) => assert!(answer == (0, Received::End) && is_end, "{code:?}"),
            Err(error) => {
                let text = error.to_string();
                assert!(
                    !is_end && text.contains(&code.unwrap().to_string()),
                    "{text}"
                );
                assert!(
                    text.contains("rule \\u{1b}[2J") == (code == Some(1008)),
                    "{text}"
                );
            }
        }
        let (first, echoed) = read_frame(&mut stream).await;
        assert_eq!(
            (first, echoed),
            (0x88, payload[..payload.len().min(2)].to_vec())
        );
        assert_eq!(
            stream.read(&mut [0; 8]).await.unwrap(),
            0,
            "the server ends the stream"
        );
    }
}

#[tokio::test]
async fn an_end_inside_of_a_frame_is_a_reset() {
    let mut listener = listen(&Ws::new(), "").await;
    for bytes in [
        vec![],
        vec![0x82],
        frame(0x82, b"abc")[..7].to_vec(),
        frame(0x02, b"a"),
    ] {
        let (mut stream, mut socket) = upgraded(&mut listener).await;
        stream.write_all(&bytes).await.unwrap();
        drop(stream);
        let error = receive(&mut socket).await.unwrap_err();
        assert_eq!(error.code(), Some(CloseCode::ABNORMAL));
    }
}

#[tokio::test]
async fn a_close_inside_of_a_message_is_no_end() {
    let mut listener = listen(&Ws::new(), "").await;
    for code in [&[][..], &[3, 232], &[3, 233]] {
        let (mut stream, mut socket) = upgraded(&mut listener).await;
        let bytes = [
            frame(0x82, b"whole"),
            frame(0x02, b"ha"),
            frame(0x00, b"l"),
            frame(0x88, code),
        ];
        stream.write_all(&bytes.concat()).await.unwrap();
        assert_eq!(receive(&mut socket).await.unwrap(), b"whole");
        for _ in 0..2 {
            let error = receive(&mut socket).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Reset, "{error}");
            assert!(error.to_string().contains("inside of a message"), "{error}");
        }
        // It is answered like any close.
        assert_eq!(read_frame(&mut stream).await, (0x88, code.to_vec()));
    }
}

#[tokio::test]
async fn a_peer_that_reads_nothing_delays_no_end_for_longer_than_a_bound() {
    let mut listener = listen(&Ws::new(), "?send_buffer=4096").await;
    let (mut stream, mut socket) = upgraded(&mut listener).await;
    fill(&mut socket).await;
    stream.write_all(&frame(0x88, &[3, 232])).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), socket.recv(&mut [0; 8])).await;
    assert_eq!(ended.unwrap().unwrap(), (0, Received::End));
}

#[tokio::test]
async fn a_task_that_waits_to_send_hears_of_the_peers_end() {
    for last in [frame(0x88, &[3, 232]), vec![0xff, 0xff]] {
        let mut listener = listen(&Ws::new(), "?send_buffer=4096").await;
        let (mut stream, socket) = upgraded(&mut listener).await;
        let (mut recv, mut send) = socket.split();
        // Without a flush, a send waits for room and for nothing else.
        let filling = async {
            loop {
                send.send(&[0; 60_000]).await.unwrap();
            }
        };
        let filled = tokio::time::timeout(Duration::from_millis(300), filling).await;
        assert!(filled.is_err());
        let sending = tokio::spawn(async move { send.send(&[0; 60_000]).await });
        tokio::task::yield_now().await;
        stream.write_all(&last).await.unwrap();
        let _ = recv.recv(&mut [0; 8]).await;
        let told = tokio::time::timeout(Duration::from_secs(30), sending).await;
        let told = told.expect("it waits for ever").unwrap().unwrap_err();
        assert_eq!(told.kind(), std::io::ErrorKind::BrokenPipe);
        drop(stream);
    }
}

#[tokio::test]
async fn a_plain_request_gets_a_plain_answer() {
    let mut listener = listen(&Ws::new(), "").await;
    let plain = |head: &str| format!("{head} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes();
    let text = answer(&mut listener, &plain("GET /any")).await;
    assert!(
        text.starts_with("HTTP/1.1 426 Upgrade Required\r\n"),
        "{text}"
    );
    assert!(text.contains("\r\nUpgrade: websocket\r\n"), "{text}");
    assert!(
        text.ends_with("this server speaks WebSocket only\n"),
        "{text}"
    );

    let page = Page::html("<p>hi").header("Content-Security-Policy", "default-src 'none'");
    let mut listener = listen(&Ws::new().page(page), "/chat").await;
    let text = answer(&mut listener, &plain("GET /?utm=1")).await;
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(
        text.contains("\r\nContent-Security-Policy: default-src 'none'\r\n"),
        "{text}"
    );
    assert!(
        text.contains("\r\nContent-Length: 5\r\n") && text.ends_with("\r\n\r\n<p>hi"),
        "{text}"
    );
    let text = answer(&mut listener, &plain("HEAD /")).await;
    assert!(
        text.contains("\r\nContent-Length: 5\r\n") && text.ends_with("\r\n\r\n"),
        "{text}"
    );
    for (head, status) in [("GET /favicon.ico", 404), ("POST /", 405)] {
        let text = answer(&mut listener, &plain(head)).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{text}");
    }
}

#[tokio::test]
async fn a_wrong_handshake_is_answered_in_words() {
    let mut listener = listen(&Ws::new(), "/chat").await;
    let good = request("").replace("GET / ", "GET /chat ");
    let without = |line: &str| {
        assert!(good.contains(line), "{line}");
        good.replace(line, "")
    };
    let tests = [
        (
            good.replace("GET ", "POST "),
            400,
            "begins with a GET of HTTP/1.1",
        ),
        (
            good.replace("HTTP/1.1", "HTTP/1.0"),
            400,
            "begins with a GET of HTTP/1.1",
        ),
        (
            good.replace("/chat", "/%63hat"),
            404,
            "no WebSocket at this path",
        ),
        (
            without("Connection: Upgrade\r\n"),
            400,
            "no 'Connection: Upgrade'",
        ),
        (good.replace("Version: 13", "Version: 8"), 426, "version 13"),
        (without("Sec-WebSocket-Version: 13\r\n"), 426, "version 13"),
        (
            without(&format!("Sec-WebSocket-Key: {KEY}\r\n")),
            400,
            "not 16 bytes in base64",
        ),
        (good.replace(KEY, "c2hvcnQ="), 400, "not 16 bytes in base64"),
        (
            good.replace("\r\n\r\n", "\r\nOrigin: http://evil.example\r\n\r\n"),
            403,
            "may not talk",
        ),
        (
            good.replace("Host: ", "Ho st: "),
            400,
            "the client's request",
        ),
        (
            format!("GET /{} HTTP/1.1\r\n", "a".repeat(20_000)),
            400,
            "longer than 16384 bytes",
        ),
        (
            good.replace("\r\n\r\n", &format!("{}\r\n\r\n", "\r\nA: b".repeat(300))),
            400,
            "headers",
        ),
        ("\0\0\0\x05hello".to_owned(), 400, "speaks no HTTP: it sent"),
        ("\x16\x03\x01".to_owned(), 400, "wss://"),
        ("{\"a\":1}\n".to_owned(), 400, "speaks no HTTP"),
    ];
    for (request, status, words) in tests {
        let text = answer(&mut listener, request.as_bytes()).await;
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} ")),
            "{request}: {text}"
        );
        assert!(text.contains(words), "{text}");
        assert!(text.contains("\r\nConnection: "), "{text}");
    }
}

#[tokio::test]
async fn origins_are_checked_for_browsers_alone() {
    async fn is_let_in(listener: &mut BoxListener, more: &str) -> bool {
        let mut stream = dial(listener).await;
        stream.write_all(request(more).as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        let (asked, _) = tokio::join!(stream.read_exact(&mut answer), async {
            tokio::time::timeout(Duration::from_millis(200), listener.accept()).await
        });
        asked.unwrap();
        &answer == b"HTTP/1.1 101"
    }
    let mut same = listen(&Ws::new(), "").await;
    assert!(is_let_in(&mut same, "").await);
    assert!(is_let_in(&mut same, "Origin: http://127.0.0.1\r\n").await);
    assert!(!is_let_in(&mut same, "Origin: http://127.0.0.1:81\r\n").await);
    assert!(!is_let_in(&mut same, "Origin: null\r\n").await);
    let mut list = listen(&Ws::new(), "?origin=https://a.example,https://b.example").await;
    assert!(is_let_in(&mut list, "Origin: https://b.example\r\n").await);
    assert!(!is_let_in(&mut list, "Origin: http://127.0.0.1\r\n").await);
    let mut any = listen(&Ws::new(), "?origin=*").await;
    assert!(is_let_in(&mut any, "Origin: https://c.example\r\n").await);
}

#[tokio::test]
async fn a_client_refuses_answers_that_do_not_fit() {
    let right = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\n"
    );
    let tests = [
        (format!("{right}\r\n"), "does not belong to this request"),
        (
            "SSH-2.0-x\r\n".to_owned(),
            "speaks no WebSocket: its answer begins with \"SSH-2.0-x",
        ),
        (
            "HTTP/1.1 101 X\r\n\r\n".to_owned(),
            "101 without an upgrade",
        ),
        (
            "HTTP/1.1 403 No\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nno\u{1b}[m"
                .to_owned(),
            "the server answered 403 No: no\\u{1b}[m",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n".to_owned(),
            "redirects are not followed",
        ),
        (
            format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(20_000)),
            "longer than 16384 bytes",
        ),
        (String::new(), "closed the connection during the handshake"),
    ];
    for (bytes, words) in tests {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/", server.local_addr().unwrap());
        let registry = Ws::new().register(Registry::standard()).unwrap();
        let serving = async {
            let (mut stream, _) = server.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            let _ = stream.write_all(bytes.as_bytes()).await;
        };
        let (connected, ()) = tokio::join!(registry.connect(url), serving);
        let error = connected.unwrap_err().to_string();
        assert!(error.contains(words), "{bytes}: {error}");
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}

#[tokio::test]
async fn a_silent_client_is_dropped_at_the_deadline_of_handshakes() {
    let mut listener = listen(&Ws::new(), "?handshake_timeout=100ms").await;
    let mut silent = dial(&listener).await;
    let mut slow = dial(&listener).await;
    slow.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    let ended = async {
        let (mut a, mut b) = ([0; 8], [0; 8]);
        tokio::join!(silent.read(&mut a), slow.read(&mut b))
    };
    tokio::select! {
        _ = listener.accept() => panic!("accepted"),
        (silent, _) = ended => assert_eq!(silent.unwrap(), 0),
    }
}

#[tokio::test]
async fn bytes_behind_the_request_are_the_first_frames() {
    let mut listener = listen(&Ws::new(), "").await;
    let mut stream = dial(&listener).await;
    let bytes = [request("").as_bytes(), &frame(0x82, b"eager")].concat();
    stream.write_all(&bytes).await.unwrap();
    let mut socket = listener.accept().await.unwrap();
    assert_eq!(receive(&mut socket).await.unwrap(), b"eager");
}
