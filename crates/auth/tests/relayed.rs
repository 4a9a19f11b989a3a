//! Exchanges that another end hands on, records, or turns around.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{Server, line, name, read_all, say, token, tokens, with};
use socketry_transport::{BoxSocket, ErrorKind, Listener, SendExt, connect};

/// Hands on the four lines of an exchange, with more bytes behind the last one of each end.
async fn hand_on(outer: &mut BoxSocket, inner: &mut BoxSocket, more: [&str; 2]) -> [String; 4] {
    let hello = line(outer).await;
    say(inner, &format!("{hello}\n")).await;
    let challenge = line(inner).await;
    say(outer, &format!("{challenge}\n")).await;
    let proof = line(outer).await;
    say(inner, &format!("{proof}\n{}", more[0])).await;
    let welcome = line(inner).await;
    say(outer, &format!("{welcome}\n{}", more[1])).await;
    [hello, challenge, proof, welcome]
}

#[tokio::test]
async fn bytes_right_behind_the_exchange_are_not_lost() {
    let mut server = Server::at("tcp://127.0.0.1:0", tokens()).await;
    let mut middle = socketry_transport::listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let to = middle.local().clone();
    let client = tokio::spawn(async move { with(token("ann", 1)).connect(to).await });
    let mut outer = middle.accept().await.unwrap();
    let mut inner = connect(&*server.url()).await.unwrap();
    let handing_on = hand_on(&mut outer, &mut inner, ["early", "at once"]);
    let (_lines, mut accepted) = tokio::join!(handing_on, server.accept());
    let mut client = client.await.unwrap().unwrap();
    inner.finish().await.unwrap();
    outer.finish().await.unwrap();
    assert_eq!(read_all(&mut accepted).await, b"early");
    assert_eq!(read_all(&mut client).await, b"at once");
}

#[tokio::test]
async fn a_recorded_exchange_cannot_be_replayed() {
    let mut server = Server::at("tcp://127.0.0.1:0", tokens()).await;
    // What a client said, in the middle.
    let mut middle = socketry_transport::listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let to = middle.local().clone();
    let client = tokio::spawn(async move { with(token("ann", 1)).connect(to).await });
    let mut outer = middle.accept().await.unwrap();
    let mut inner = connect(&*server.url()).await.unwrap();
    let handing_on = hand_on(&mut outer, &mut inner, ["", ""]);
    let (lines, accepted) = tokio::join!(handing_on, server.accept());
    let [hello, challenge, proof, welcome] = lines;
    assert_eq!(name(&accepted), "ann");
    assert!(client.await.unwrap().is_ok());

    // To the server: its nonce is another one now.
    let mut again = connect(&*server.url()).await.unwrap();
    say(&mut again, &format!("{hello}\n{proof}\n")).await;
    let why = server.refuses().await;
    assert!(why.contains("'ann' is wrong"), "{why}");
    assert_ne!(line(&mut again).await, challenge);
    assert!(line(&mut again).await.starts_with("socketry-auth refused"));

    // To a client: its nonce is another one, too.
    let to = middle.local().clone();
    let client = tokio::spawn(async move { with(token("ann", 1)).connect(to).await });
    let mut outer = middle.accept().await.unwrap();
    say(&mut outer, &format!("{challenge}\n{welcome}\n")).await;
    assert_ne!(line(&mut outer).await, hello);
    assert_ne!(line(&mut outer).await, proof);
    let error = client.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Untrusted);
    assert!(error.to_string().contains("did not prove"), "{error}");
}

/// Somebody without the token gives a client its own proof back, and has a server prove to it what
/// it then says to the same server.
#[tokio::test]
async fn a_proof_is_worth_nothing_in_the_other_role() {
    let mut fake = socketry_transport::listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let to = fake.local().clone();
    let client = tokio::spawn(async move { with(token("ann", 1)).connect(to).await });
    let mut socket = fake.accept().await.unwrap();
    let hello = line(&mut socket).await;
    let nonce = hello.split(' ').nth(3).unwrap();
    // The nonce, too.
    say(&mut socket, &format!("socketry-auth 1 {nonce} plain\n")).await;
    let proof = line(&mut socket).await;
    let reflected = proof.replace("proof", "welcome");
    say(&mut socket, &format!("{reflected}\n")).await;
    let error = client.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Untrusted);

    // Two clients, of which each is to be the other's server.
    let client = |to| tokio::spawn(async move { with(token("ann", 1)).connect(to).await });
    let (one, other) = (client(fake.local().clone()), client(fake.local().clone()));
    let mut first = fake.accept().await.unwrap();
    let mut second = fake.accept().await.unwrap();
    let nonce_of = |hello: String| hello.split(' ').nth(3).unwrap().to_owned();
    let nonces = (
        nonce_of(line(&mut first).await),
        nonce_of(line(&mut second).await),
    );
    say(&mut first, &format!("socketry-auth 1 {} plain\n", nonces.1)).await;
    say(
        &mut second,
        &format!("socketry-auth 1 {} plain\n", nonces.0),
    )
    .await;
    let proofs = (line(&mut first).await, line(&mut second).await);
    say(
        &mut first,
        &format!("{}\n", proofs.1.replace("proof", "welcome")),
    )
    .await;
    say(
        &mut second,
        &format!("{}\n", proofs.0.replace("proof", "welcome")),
    )
    .await;
    for client in [one, other] {
        let error = client.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Untrusted);
    }
}
