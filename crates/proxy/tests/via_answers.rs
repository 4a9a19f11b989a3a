//! What a proxy answers: the bytes behind it, and what each refusal says.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{all, in_time};
use socketry_proxy::Via;
use socketry_transport::{BoxSocket, Error, ErrorKind, Registry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn registry() -> Registry {
    Via::new().register(Registry::standard()).unwrap()
}

/// What a client says of a proxy that answers each thing that it hears with the next of `answers`,
/// and ends behind the last.
async fn said(scheme: &str, url: &str, answers: &[&[u8]]) -> Result<BoxSocket, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let via = format!("{scheme}://{}", listener.local_addr().unwrap());
    let answers: Vec<_> = answers.iter().map(|answer| answer.to_vec()).collect();
    let serving = tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let mut buf = [0; 4096];
        for answer in answers {
            assert!(client.read(&mut buf).await.unwrap() > 0);
            client.write_all(&answer).await.unwrap();
        }
        client.shutdown().await.unwrap();
        while client.read(&mut buf).await.is_ok_and(|len| len > 0) {}
    });
    let connected = in_time(registry().connect(format!("{url}?via={via}"))).await;
    let done = connected.map_err(|error| {
        assert!(
            error.to_string().contains(&format!("the proxy {via}")),
            "{error}"
        );
        error
    });
    if done.is_err() {
        in_time(serving).await.unwrap();
    }
    done
}

const METHOD: &[u8] = b"\x05\0";

#[tokio::test]
async fn bytes_behind_an_answer_belong_to_the_stream() {
    for (scheme, answers) in [
        (
            "socks5",
            &[METHOD, b"\x05\0\0\x01\x7f\0\0\x01\x01\x02early"][..],
        ),
        ("socks5", &[METHOD, b"\x05\0\0\x03\x01x\x01\x02early"]),
        (
            "socks5",
            &[
                METHOD,
                b"\x05\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x02early",
            ],
        ),
        ("http", &[b"HTTP/1.0 200 OK\r\n\r\nearly"]),
        (
            "http",
            &[b"HTTP/1.1 102 Wait\r\n\r\nHTTP/1.1 200 \r\nContent-Length: 0\r\n\r\nearly"],
        ),
    ] {
        let mut client = said(scheme, "tcp://192.0.2.1:9", answers).await.unwrap();
        assert_eq!(all(&mut client).await.unwrap(), b"early");
    }
}

#[tokio::test]
async fn what_a_proxy_says_is_one_clear_error() {
    use ErrorKind::{Denied, Protocol, Refused, Unreachable};

    for (scheme, answers, kind, words) in [
        (
            "socks5",
            &[&b"HTTP/1.1 400 Bad\r\n\x1b"[..]][..],
            Protocol,
            "it does not speak SOCKS5: it sent \"HTTP/1.1 400 Bad\\r\\n\\x1b\"",
        ),
        (
            "socks5",
            &[],
            ErrorKind::Reset,
            "it closed the connection in place of an answer to SOCKS5",
        ),
        (
            "socks5",
            &[b"\x05\xff"],
            Denied,
            "it lets nobody through without a user name",
        ),
        (
            "socks5",
            &[b"\x05\x02"],
            Protocol,
            "it chose the method 0x02, which was not offered",
        ),
        (
            "socks5",
            &[METHOD, b""],
            Unreachable,
            "it closed the connection in place of a reply",
        ),
        (
            "socks5",
            &[METHOD, b"\x05\x02\0\x01\0\0\0\0\0\0"],
            Denied,
            "192.0.2.1:9: not allowed by its rules (reply 2)",
        ),
        // Some say no more than this.
        (
            "socks5",
            &[METHOD, b"\x05\x05"],
            Refused,
            "the connection was refused (reply 5)",
        ),
        (
            "socks5",
            &[METHOD, b"\x05\x2a\0\x01"],
            ErrorKind::Other,
            "(reply 42)",
        ),
        (
            "socks5",
            &[METHOD, b"\x05\0\0\x07\0\0"],
            Protocol,
            "an address of the unknown type 7",
        ),
        (
            "socks5",
            &[METHOD, b"\x05\0\0\x01\0"],
            Unreachable,
            "in place of the end of a reply",
        ),
        (
            "socks5",
            &[METHOD, b"\x04\0\0\x01\0"],
            Protocol,
            "its reply is \"\\x04\\x00\\x00\\x01\\x00\"",
        ),
        (
            "http",
            &[b"\x05\0"],
            Protocol,
            "it does not speak HTTP: it sent \"\\x05\\x00\"",
        ),
        (
            "http",
            &[],
            Unreachable,
            "it closed the connection in place of an answer to CONNECT",
        ),
        (
            "http",
            &[b"HTTP/1.1 200 O"],
            Unreachable,
            "in place of the rest of an answer to CONNECT",
        ),
        (
            "http",
            &[b"HTTP/1.1 403 Not you\r\n\r\n"],
            Denied,
            "it did not connect to 192.0.2.1:9: 403 Not you",
        ),
        (
            "http",
            &[b"HTTP/1.1 503\r\n\r\n"],
            Unreachable,
            "192.0.2.1:9: 503",
        ),
        (
            "http",
            &[b"HTTP/1.1 407 Who?\r\n\r\n"],
            Denied,
            "it wants a user name and a password",
        ),
    ] {
        let error = said(scheme, "tcp://192.0.2.1:9", answers)
            .await
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains(words), "{words}: {text}");
        assert!(
            text.starts_with("cannot connect to tcp://192.0.2.1:9: the proxy "),
            "{text}"
        );
        assert_eq!(error.kind(), kind, "{text}");
        assert!(!text.contains('\x1b'), "{text}");
    }
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &vec![b'x'; 17 << 10]].concat();
    let error = said("http", "tcp://192.0.2.1:9", &[&endless])
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no blank line within 16384 bytes"),
        "{error}"
    );
}
