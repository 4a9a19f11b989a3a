//! Tokens: who is let in, and who is not.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::{Server, line, name, over, read_all, say, token, tokens, with};
use socketry_auth::{Anonymous, Auth, FirstOf, Identity, Proof, Token};
use socketry_transport::{
    BoxSocket, ErrorKind, Half, Listener, Received, RecvExt, Registry, SendExt, UpgradeLimits,
    connect,
};
use tokio::time::{Instant, sleep};

/// Frames go both ways behind the exchange, whoever speaks first.
async fn talk(mut one: BoxSocket, mut other: BoxSocket) {
    say(&mut one, "there").await;
    say(&mut other, "and back").await;
    one.finish().await.unwrap();
    other.finish().await.unwrap();
    assert_eq!(read_all(&mut other).await, b"there");
    assert_eq!(read_all(&mut one).await, b"and back");
}

#[tokio::test]
async fn both_ends_know_each_other_by_the_token() {
    let directory = tempfile::tempdir().unwrap();
    let path = format!("unix://{}", directory.path().join("s").display());
    for url in ["tcp://127.0.0.1:0", "mem://*", &path] {
        let mut server = Server::at(url, tokens()).await;
        for (who, byte) in [("ann", 1), ("ben", 2)] {
            let (registry, url) = (with(token(who, byte)), server.url());
            let (client, accepted) = tokio::join!(registry.connect(&*url), server.accept());
            let client = client.unwrap();
            let identity = Identity::new(who, Proof::Token);
            assert_eq!(Identity::of(client.info()), Some(&identity), "{url}");
            assert_eq!(Identity::of(accepted.info()), Some(&identity), "{url}");
            assert_eq!(accepted.local(), server.listener.local());
            talk(client, accepted).await;
        }
    }
}

/// The words are the same for a name that there is not, so that nobody learns which there are.
#[tokio::test]
async fn a_wrong_token_is_refused_at_both_ends_in_one_line() {
    let mut server = Server::at("tcp://127.0.0.1:0", tokens()).await;
    for (claimed, words) in [
        (token("ann", 9), "the proof of the token 'ann' is wrong"),
        (token("eve", 9), "there is no token 'eve'"),
    ] {
        let (registry, url) = (with(claimed), server.url());
        let (client, why) = tokio::join!(registry.connect(&*url), server.refuses());
        let error = client.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        let told = error.to_string();
        assert!(
            told.ends_with(
                "the server refuses: the token is not known here, or its proof is wrong"
            ),
            "{told}"
        );
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test]
async fn a_client_without_a_token_is_told_what_is_needed() {
    let mut server = Server::at("tcp://127.0.0.1:0", tokens()).await;
    let mut plain = connect(&*server.url()).await.unwrap();
    say(&mut plain, "{\"run\":\"id\"}").await;
    let why = server.refuses().await;
    assert!(why.contains("a token is needed"), "{why}");
    let told = read_all(&mut plain).await;
    assert_eq!(told, b"socketry-auth refused: a token is needed\n");
}

#[tokio::test]
async fn plain_clients_stay_welcome_beside_tokens() {
    let who = FirstOf::new().or(tokens()).or(Anonymous);
    let mut server = Server::at("tcp://127.0.0.1:0", who).await;
    // Bytes that begin like an exchange, too.
    for text in ["hello", "s", "socketry", "socketry-auth", "\0\0\0\x02{}"] {
        let mut plain = connect(&*server.url()).await.unwrap();
        say(&mut plain, text).await;
        plain.finish().await.unwrap();
        let mut accepted = server.accept().await;
        assert_eq!(Identity::of(accepted.info()), Some(&Identity::anonymous()));
        assert_eq!(read_all(&mut accepted).await, text.as_bytes());
    }
    let (registry, url) = (with(token("ann", 1)), server.url());
    let (client, accepted) = tokio::join!(registry.connect(&*url), server.accept());
    assert_eq!(name(&accepted), "ann");
    talk(client.unwrap(), accepted).await;
    // A wrong token is not anonymous.
    let registry = with(token("ann", 9));
    let (client, why) = tokio::join!(registry.connect(&*url), server.refuses());
    assert_eq!(client.unwrap_err().kind(), ErrorKind::Denied);
    assert!(why.contains("wrong"), "{why}");
}

/// Time is virtual.
#[tokio::test(start_paused = true)]
async fn a_client_that_only_listens_is_let_in_after_a_while() {
    let who = FirstOf::new().or(tokens()).or(Anonymous);
    let auth = Auth::new().require(who).patience(Duration::from_secs(2));
    let mut server = Server::of("mem://*", auth, Registry::standard()).await;
    for begun in ["", "socketry-"] {
        let since = Instant::now();
        let mut plain = connect(&*server.url()).await.unwrap();
        say(&mut plain, begun).await;
        let mut accepted = server.accept().await;
        assert_eq!(since.elapsed().as_secs(), 2);
        assert_eq!(name(&accepted), "anonymous");
        say(&mut accepted, "news").await;
        let mut buf = [0; 9];
        let _data = plain.recv(&mut buf).await.unwrap();
        assert!(buf.starts_with(b"news"));
        say(&mut plain, "late").await;
        plain.finish().await.unwrap();
        let all = read_all(&mut accepted).await;
        assert_eq!(all, format!("{begun}late").as_bytes());
    }
}

#[tokio::test]
async fn what_is_no_exchange_is_refused() {
    let nonce = "0".repeat(64);
    let hello = format!("socketry-auth 1 ann {nonce} plain\n");
    for (bytes, words) in [
        (
            format!("socketry-auth 2 ann {nonce} plain\n"),
            "version '2'",
        ),
        ("socketry-auth 1 ann\n".to_owned(), "fields"),
        (
            format!("socketry-auth 1 a\u{e9} {nonce} plain\n"),
            "no line of ASCII",
        ),
        (format!("{hello}proof 00\n"), "not 'proof'"),
        (format!("{hello}{hello}"), "not 'proof'"),
        (
            format!("socketry-auth {}", "x".repeat(9999)),
            "512 bytes without a line",
        ),
        (
            format!("{hello}{}", "x".repeat(9999)),
            "512 bytes without a line",
        ),
        (format!("{hello}proof {}\n", "0".repeat(64)), "is wrong"),
    ] {
        for who in [
            FirstOf::new().or(tokens()),
            FirstOf::new().or(tokens()).or(Anonymous),
        ] {
            let mut server = Server::at("tcp://127.0.0.1:0", who).await;
            let mut raw = connect(&*server.url()).await.unwrap();
            say(&mut raw, &bytes).await;
            raw.finish().await.unwrap();
            let why = server.refuses().await;
            assert!(why.contains(words), "{why}");
            let told = String::from_utf8(read_all(&mut raw).await).unwrap();
            let last = told.lines().last().unwrap();
            assert!(last.starts_with("socketry-auth refused: "), "{told}");
        }
    }
}

#[tokio::test]
async fn a_client_that_breaks_off_is_no_trouble() {
    let nonce = "0".repeat(64);
    let mut server = Server::at("tcp://127.0.0.1:0", tokens()).await;
    for bytes in [
        String::new(),
        "socketry-au".to_owned(),
        format!("socketry-auth 1 ann {nonce} plain\n"),
    ] {
        let mut raw = connect(&*server.url()).await.unwrap();
        say(&mut raw, &bytes).await;
        raw.finish().await.unwrap();
        let why = server.refuses().await;
        assert!(
            why.contains("closed the connection") || why.contains("a token is needed"),
            "{why}"
        );
    }
}

/// Time is virtual: a byte a second, and a client that says nothing.
#[tokio::test(start_paused = true)]
async fn slow_clients_are_gone_at_the_deadline_and_delay_nobody() {
    let limits = UpgradeLimits {
        at_once: 8,
        deadline: Duration::from_secs(10),
    };
    let auth = Auth::new().require(tokens()).limits(limits);
    let mut server = Server::of("mem://*", auth, Registry::standard()).await;
    let since = Instant::now();
    let mut slow = connect(&*server.url()).await.unwrap();
    let mut silent = connect(&*server.url()).await.unwrap();
    let (registry, url) = (with(token("ann", 1)), server.url());
    let (client, accepted) = tokio::join!(registry.connect(&*url), server.accept());
    assert_eq!(name(&accepted), "ann");
    drop(client);
    assert_eq!(since.elapsed().as_secs(), 0, "ann waited for nobody");

    let dripping = tokio::spawn(async move {
        for byte in b"socketry-auth 1 ann 0000000000000000000000000000000000000000000" {
            if slow.send_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
        since.elapsed()
    });
    for _ in 0..2 {
        let why = server.refuses().await;
        assert!(why.contains("proved nothing within 10s"), "{why}");
    }
    assert!(since.elapsed() < Duration::from_secs(14));
    let told = read_all(&mut silent).await;
    assert_eq!(
        told,
        b"socketry-auth refused: it has proved nothing within 10s\n"
    );
    let gone = dripping.await.unwrap();
    assert!(gone < Duration::from_secs(15), "{gone:?}");
}

#[tokio::test]
async fn a_server_that_takes_no_tokens_is_told_from_one_that_does() {
    let mut plain = socketry_transport::listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    for (answer, kind, words) in [
        (
            "\x20\0\0\0{\"error\":\"what?\"}",
            ErrorKind::Protocol,
            "does it take tokens?",
        ),
        ("", ErrorKind::Reset, "closed the connection"),
        ("socketry-auth 1 0 plain\n", ErrorKind::Protocol, "nonce"),
    ] {
        let to = plain.local().clone();
        let client = tokio::spawn(async move { with(token("ann", 1)).connect(to).await });
        let mut socket = plain.accept().await.unwrap();
        line(&mut socket).await;
        say(&mut socket, answer).await;
        drop(socket);
        let error = client.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_given_up() {
    let mut plain = socketry_transport::listen("mem://*").await.unwrap();
    let since = Instant::now();
    let error = with(token("ann", 1)).connect(plain.local().clone()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(since.elapsed().as_secs(), 10);
    drop(plain.accept().await);
}

#[tokio::test]
async fn over_datagrams_a_token_is_refused_and_anonymous_is_not() {
    let who = FirstOf::new().or(tokens()).or(Anonymous);
    let mut server = Server::at("udp://127.0.0.1:0", who).await;
    let error = with(token("ann", 1)).connect(&*server.url()).await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("over a stream"), "{error}");
    let mut plain = connect(&*server.url()).await.unwrap();
    say(&mut plain, "socketry-auth 1").await;
    let mut accepted = server.accept().await;
    assert_eq!(name(&accepted), "anonymous");
    let mut buf = [0; 32];
    let (len, received) = accepted.recv(&mut buf).await.unwrap();
    assert_eq!(
        (&buf[..len], received),
        (&b"socketry-auth 1"[..], Received::Data)
    );

    let mut server = Server::at("udp://127.0.0.1:0", tokens()).await;
    let mut plain = connect(&*server.url()).await.unwrap();
    say(&mut plain, "hello").await;
    let why = server.refuses().await;
    assert!(why.contains("cannot be proved over datagrams"), "{why}");
}

#[tokio::test]
async fn without_an_authenticator_nothing_listens() {
    let error = over(&Auth::new()).listen("mem://*").await.unwrap_err();
    assert!(error.to_string().contains("who may connect"), "{error}");
    let nobody = FirstOf::new();
    let mut server = Server::at("tcp://127.0.0.1:0", nobody).await;
    let _client = connect(&*server.url()).await.unwrap();
    assert!(server.refuses().await.contains("serves nobody"));
}

#[test]
fn no_secret_is_shown() {
    let token = Token::new(
        "ann",
        socketry_auth::Secret::new(*b"hunter2hunter2hunter2").unwrap(),
    );
    let token = token.unwrap();
    let shown = format!(
        "{token:?} {:?} {:?}",
        Auth::new().token(token.clone()),
        socketry_auth::Tokens::new([token.clone()]).unwrap()
    );
    assert!(
        !shown.contains("hunter2") && !shown.contains("104, 117"),
        "{shown}"
    );
    assert!(shown.contains("ann"), "{shown}");
}
