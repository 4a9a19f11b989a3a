//! Servers behind a balancer: whom they believe, and what becomes of the bytes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{Server, in_time};
use socketry_proxy::{Announce, Behind, Forwarded, Header, Origin, Version};
use socketry_transport::{
    Credentials, ErrorKind, Half, MemTransport, Received, RecvExt, Registry, SendExt, Stack,
    Transport, UpgradeLimits, connect,
};

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
const CLIENT: &str = "tcp://192.0.2.1:56324";
const TCP: &str = "tcp://127.0.0.1:0?proxy_from=127.0.0.0/8,::1";

#[tokio::test]
async fn the_peer_of_a_socket_is_the_client_of_the_balancer() {
    let mut server = Server::at(TCP).await;
    let mut balancer = connect(server.local()).await.unwrap();
    balancer.send_all(LINE).await.unwrap();
    let mut accepted = server.accept().await;
    assert_eq!(accepted.peer().to_string(), CLIENT);
    assert_eq!(accepted.local(), server.local());
    let forwarded: &Forwarded = accepted.info().get().unwrap();
    assert_eq!(forwarded.balancer().peer(), balancer.local());
    assert_eq!(forwarded.header().version(), Version::V1);
    balancer.send_all(b"hello").await.unwrap();
    assert_eq!(common::received(&mut accepted, 5).await, b"hello");
    accepted.send_all(b"back").await.unwrap();
    assert_eq!(common::received(&mut balancer, 4).await, b"back");
}

#[tokio::test]
async fn a_header_may_come_in_pieces_and_with_what_follows() {
    let mut server = Server::at(TCP).await;
    let origin = Origin::Client {
        source: CLIENT.parse().unwrap(),
        destination: "tcp://198.51.100.7:443".parse().unwrap(),
    };
    let binary = Header::new(Version::V2, origin);
    let binary = binary.with_checksum().unwrap().encode().unwrap();
    for header in [LINE, &binary] {
        let mut pieces = connect(&format!("{}?nodelay=true", server.local()))
            .await
            .unwrap();
        for byte in header.iter().chain(b"hello") {
            pieces.send_all(&[*byte]).await.unwrap();
        }
        let mut accepted = server.accept().await;
        assert_eq!(accepted.peer().to_string(), CLIENT);
        assert_eq!(common::received(&mut accepted, 5).await, b"hello");

        // More than one receive asks for, in one segment, and the end behind it.
        let body = vec![b'x'; 3000];
        let mut whole = connect(server.local()).await.unwrap();
        whole.send_all(&[header, &body].concat()).await.unwrap();
        whole.finish().await.unwrap();
        let mut accepted = server.accept().await;
        assert_eq!(common::received(&mut accepted, 3000).await, body);
        let end = in_time(accepted.recv(&mut [0; 9])).await.unwrap();
        assert_eq!(end, (0, Received::End));
    }
}

#[tokio::test]
async fn a_silent_balancer_keeps_no_other_waiting() {
    let mut server = Server::at(TCP).await;
    let _silent = connect(server.local()).await.unwrap();
    let mut other = connect(server.local()).await.unwrap();
    other.send_all(LINE).await.unwrap();
    assert_eq!(server.accept().await.peer().to_string(), CLIENT);
}

#[tokio::test(start_paused = true)]
async fn a_header_has_a_deadline() {
    let limits = UpgradeLimits {
        deadline: Duration::from_secs(3),
        ..UpgradeLimits::default()
    };
    let behind = Behind::new().limits(limits);
    let mut server = Server::of("mem://late?proxy_from=unix", behind).await;
    let mut client = connect(server.local()).await.unwrap();
    client.send_all(&LINE[..20]).await.unwrap();
    let words = server.refusal().await;
    assert!(words.contains("was not finished within 3"), "{words}");
    assert_eq!(client.recv(&mut [0; 9]).await.unwrap().1, Received::End);
}

#[tokio::test]
async fn a_trusted_source_without_a_header_is_refused_in_words() {
    let mut server = Server::at(TCP).await;
    let mut plain = connect(server.local()).await.unwrap();
    plain.send_all(b"GET / HTTP/1.1\r\n\x1b").await.unwrap();
    let words = server.refusal().await;
    assert!(
        words.contains(r#"it sent no PROXY header, but "GET / HTTP/1.1\r\n\x1b""#),
        "{words}"
    );
    assert!(words.contains(plain.local().as_str()), "{words}");

    let mut short = connect(server.local()).await.unwrap();
    short.send_all(b"PROXY TC").await.unwrap();
    short.finish().await.unwrap();
    let words = server.refusal().await;
    assert!(
        words.contains(r#"behind "PROXY TC": it closed the connection"#),
        "{words}"
    );
    connect(server.local())
        .await
        .unwrap()
        .finish()
        .await
        .unwrap();
    let words = server.refusal().await;
    assert!(
        words.contains("before a PROXY header: it closed"),
        "{words}"
    );
    assert!(words.contains("a check of this server's health"), "{words}");
}

#[tokio::test]
async fn another_source_is_served_and_its_header_is_refused() {
    let mut server = Server::at("tcp://127.0.0.1:0?proxy_from=10.0.0.0/8").await;
    let mut plain = connect(server.local()).await.unwrap();
    // It says nothing yet, and is served at once.
    let mut accepted = server.accept().await;
    assert_eq!(accepted.peer(), plain.local());
    assert!(accepted.info().get::<Forwarded>().is_none());
    plain.send_all(b"PROXY is a word").await.unwrap();
    assert_eq!(
        common::received(&mut accepted, 15).await,
        b"PROXY is a word"
    );
    plain.send_all(LINE).await.unwrap();
    let len = LINE.len();
    assert_eq!(
        common::received(&mut accepted, len).await,
        LINE,
        "not at the beginning"
    );

    for header in [LINE, b"PROXY UNKNOWN\r\n", LOCAL] {
        let mut forger = connect(server.local()).await.unwrap();
        forger.send_all(header).await.unwrap();
        let mut accepted = server.accept().await;
        assert_eq!(accepted.peer(), forger.local());
        let mut buf = [0; 64];
        for _ in 0..2 {
            let error = in_time(accepted.recv(&mut buf)).await.unwrap_err();
            assert_eq!(ErrorKind::from(&error), ErrorKind::Denied);
            let words = error.to_string();
            assert!(
                words.contains("sent a PROXY header, and is not a trusted source"),
                "{words}"
            );
            assert!(words.contains(forger.local().as_str()), "{words}");
            assert_eq!(accepted.recv(&mut []).await.unwrap(), (0, Received::Data));
        }
    }
}

#[tokio::test]
async fn a_forged_header_in_pieces_is_refused_when_it_is_known() {
    let mut server = Server::at("tcp://127.0.0.1:0?proxy_from=10.0.0.0/8").await;
    let mut forger = connect(server.local()).await.unwrap();
    let mut accepted = server.accept().await;
    for byte in &LINE[..10] {
        forger.send_all(&[*byte]).await.unwrap();
        assert_eq!(common::received(&mut accepted, 1).await, [*byte]);
    }
    forger.send_all(&LINE[10..]).await.unwrap();
    let error = in_time(accepted.recv(&mut [0; 9])).await.unwrap_err();
    assert_eq!(ErrorKind::from(&error), ErrorKind::Denied);
}

#[tokio::test]
async fn other_sources_can_be_refused_at_once() {
    let behind = Behind::new().only_trusted(true);
    let mut server = Server::of("tcp://127.0.0.1:0?proxy_from=10.0.0.0/8", behind).await;
    let mut client = connect(server.local()).await.unwrap();
    let words = server.refusal().await;
    assert!(
        words.contains("it is not one of the sources that may connect"),
        "{words}"
    );
    let (len, end) = in_time(client.recv(&mut [0; 9])).await.unwrap();
    assert_eq!((len, end), (0, Received::End));
}

#[tokio::test]
async fn a_check_is_an_end_however_it_ends() {
    let mut server = Server::at(TCP).await;
    for header in [Some(LOCAL), Some(b"PROXY UNKNOWN\r\n"), None] {
        let mut check = connect(server.local()).await.unwrap();
        // HAProxy tells itself as the client, in version 1.
        let own = || Header::of(Version::V1, check.info()).encode().unwrap();
        let header = header.map_or_else(own, <[u8]>::to_vec);
        check.send_all(&header).await.unwrap();
        let mut accepted = server.accept().await;
        assert_eq!(accepted.peer(), check.local());
        assert!(accepted.info().get::<Forwarded>().is_some());
        let _reset = socketry_transport::SendHalf::abort(&mut check, 0).unwrap();
        for _ in 0..2 {
            let end = in_time(accepted.recv(&mut [0; 9])).await.unwrap();
            assert_eq!(end, (0, Received::End));
        }
    }
    // A client of a Unix socket of the balancer looks the same, until it speaks.
    let mut client = connect(server.local()).await.unwrap();
    client.send_all(LOCAL).await.unwrap();
    client.send_all(b"hello").await.unwrap();
    let mut accepted = server.accept().await;
    assert_eq!(common::received(&mut accepted, 5).await, b"hello");
    let _reset = socketry_transport::SendHalf::abort(&mut client, 0).unwrap();
    let error = in_time(accepted.recv(&mut [0; 9])).await.unwrap_err();
    assert_eq!(ErrorKind::from(&error), ErrorKind::Reset);
}

#[tokio::test]
async fn lists_are_asked_for_ipv4_where_the_socket_says_ipv6() {
    let url = "tcp://[::]:0?only_v6=false&proxy_from=127.0.0.1/32";
    let Ok(mut server) = Server::try_at(url).await else {
        return; // a machine without IPv6
    };
    let port = server.local().port().unwrap();
    let mut balancer = connect(&format!("tcp://127.0.0.1:{port}")).await.unwrap();
    balancer.send_all(LINE).await.unwrap();
    assert_eq!(server.accept().await.peer().to_string(), CLIENT);
}

#[tokio::test]
async fn what_is_true_of_the_balancer_is_not_told_of_its_client() {
    let places = tempfile::tempdir().unwrap();
    let path = places.path().join("s");
    let url = format!("unix://{}?proxy_from=unix", path.display());
    let mut server = Server::at(&url).await;
    let mut balancer = connect(server.local()).await.unwrap();
    balancer.send_all(LINE).await.unwrap();
    let accepted = server.accept().await;
    assert_eq!(accepted.peer().to_string(), CLIENT);
    assert!(accepted.info().get::<Credentials>().is_none());
    let forwarded: &Forwarded = accepted.info().get().unwrap();
    assert!(forwarded.balancer().get::<Credentials>().is_some());
}

#[tokio::test]
async fn a_client_says_what_its_url_asks_for() {
    let registry = Announce::new().register(Registry::standard()).unwrap();
    let mut server = Server::at(TCP).await;
    for (value, version) in [
        ("v1", Version::V1),
        ("v2", Version::V2),
        ("local", Version::V2),
    ] {
        let url = server.local().clone().with("send_proxy", value);
        let client = registry.connect(url).await.unwrap();
        let accepted = server.accept().await;
        assert_eq!(accepted.peer(), client.local());
        let forwarded: &Forwarded = accepted.info().get().unwrap();
        let is_local = *forwarded.header().origin() == Origin::Local;
        assert_eq!(
            (forwarded.header().version(), is_local),
            (version, value == "local")
        );
    }
    let url = server.local().clone().with("send_proxy", "v3");
    let error = registry.connect(url).await.unwrap_err().to_string();
    assert!(error.contains("it is v1, v2 or local"), "{error}");
    let error = registry
        .listen("tcp://127.0.0.1:0?send_proxy=v1")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("send_proxy= is for connecting"),
        "{error}"
    );
}

#[tokio::test]
async fn wrong_lists_are_refused_with_the_way_out() {
    for (list, reason) in [
        ("10.0.0.1/8", "10.0.0.1 has bits behind the first 8"),
        ("10.0.0.0/33", "a length from 0 to 32"),
        ("localhost", "'localhost' is no IP address, and not 'unix'"),
        ("10.0.0.0/8,", "'' is no IP address"),
    ] {
        let url = format!("tcp://127.0.0.1:0?proxy_from={list}");
        let error = Server::try_at(&url).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.to_string().contains(reason), "{error}");
        assert!(error.to_string().contains("write 10.0.0.0/8"), "{error}");
    }
    let registry = Behind::new().register(Registry::standard()).unwrap();
    let error = registry
        .connect("tcp://127.0.0.1:1?proxy_from=unix")
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("proxy_from= is for listening"),
        "{error}"
    );
}

#[tokio::test]
async fn without_sources_no_header_is_expected() {
    let stack = Stack::new(MemTransport::default()).with(Behind::new());
    let mut listener = stack.listen(&"mem://plain".parse().unwrap()).await.unwrap();
    let mut client = connect("mem://plain").await.unwrap();
    client.send_all(LINE).await.unwrap();
    let mut accepted = socketry_transport::Listener::accept(&mut listener)
        .await
        .unwrap();
    assert!(
        accepted.is::<socketry_transport::MemSocket>(),
        "the socket as it is"
    );
    assert_eq!(common::received(&mut accepted, LINE.len()).await, LINE);
}
