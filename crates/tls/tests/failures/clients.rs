//! Certificates of clients that a server does not trust, or misses.

use socketry_tls::{Identity, Tls};
use socketry_transport::{Half, RecvExt, SendExt};

use super::common::Authority;
use super::{AUTHORITY, ca, has, serve};

#[tokio::test]
async fn a_missing_client_certificate_is_told_by_the_alert() {
    let files = AUTHORITY.sign("localhost");
    let mut server = serve(Tls::new(), &format!("{}&{}", files.query(), ca())).await;
    let query = format!("{}&name=localhost", ca());
    let mut client = server.connect(&query).await.unwrap();
    let error = client.recv(&mut [0; 8]).await.unwrap_err();
    has(
        &error.to_string(),
        &["requires a client certificate", "cert=FILE"],
    );
    has(&server.line().await, &["sent no certificate"]);

    // It is told at a write, too, where that fails before anybody reads.
    let mut client = server.connect(&query).await.unwrap();
    server.line().await;
    let error = loop {
        if let Err(error) = client.send_all(&[7; 65_536]).await {
            break error;
        }
    };
    has(
        &error.to_string(),
        &["requires a client certificate", "cert=FILE"],
    );
    // And afterwards at a read.
    let error = client.recv(&mut [0; 8]).await.unwrap_err();
    has(&error.to_string(), &["requires a client certificate"]);
}

#[tokio::test]
async fn a_refused_client_certificate_is_told_at_both_ends() {
    let files = AUTHORITY.sign("localhost");
    let mine = AUTHORITY.sign("me.example");
    let mut server = serve(Tls::new(), &format!("{}&{}", files.query(), ca())).await;
    let other = Authority::new();
    let stranger = other.sign("someone");
    let query = format!("{}&name=localhost&{}", ca(), stranger.query());
    let mut client = server.connect(&query).await.unwrap();
    let error = client.recv(&mut [0; 8]).await.unwrap_err();
    has(
        &error.to_string(),
        &["refused our certificate", "Unknown CA"],
    );
    has(&server.line().await, &["signed by no authority"]);

    let query = format!("{}&name=localhost&{}", ca(), mine.query());
    let _client = server.connect(&query).await.unwrap();
    let accepted = server.socket().await;
    let tls: &socketry_tls::TlsInfo = accepted.info().get().unwrap();
    assert_eq!(tls.peer_certificates().len(), 1);
    assert_eq!(tls.server_name(), Some("localhost"));
}

#[tokio::test]
async fn a_client_is_known_by_the_pin_of_its_key() {
    let files = AUTHORITY.sign("localhost");
    let mine = AUTHORITY.sign("me.example");
    let pin = Identity::from_files([(&mine.cert, &mine.key)])
        .unwrap()
        .pin()
        .unwrap();
    let mut server = serve(Tls::new(), &format!("{}&pin={pin}", files.query())).await;
    let query = format!("{}&name=localhost", ca());
    let _client = server
        .connect(&format!("{query}&{}", mine.query()))
        .await
        .unwrap();
    let accepted = server.socket().await;
    let tls: &socketry_tls::TlsInfo = accepted.info().get().unwrap();
    assert_eq!(tls.peer_pin(), Some(pin));

    // The same authority, and another key.
    let other = AUTHORITY.sign("other.example");
    let mut client = server
        .connect(&format!("{query}&{}", other.query()))
        .await
        .unwrap();
    let error = client.recv(&mut [0; 8]).await.unwrap_err();
    has(&error.to_string(), &["refused our certificate"]);
    has(
        &server.line().await,
        &["its key is sha256:", &pin.to_string()],
    );

    // Optional: who has none is let in, and who has a wrong one is not.
    let query = format!("{}&pin={pin}&clients=optional", files.query());
    let mut server = serve(Tls::new(), &query).await;
    let query = format!("{}&name=localhost", ca());
    let _client = server.connect(&query).await.unwrap();
    let accepted = server.socket().await;
    let tls: &socketry_tls::TlsInfo = accepted.info().get().unwrap();
    assert_eq!(tls.peer_pin(), None);
    let mut client = server
        .connect(&format!("{query}&{}", other.query()))
        .await
        .unwrap();
    client.recv(&mut [0; 8]).await.unwrap_err();
}
