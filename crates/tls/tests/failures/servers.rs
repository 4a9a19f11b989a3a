//! Certificates of servers that a client does not trust.

use socketry_tls::{Identity, Tls};
use socketry_transport::ErrorKind;

use super::common::Authority;
use super::{AUTHORITY, ca, has, serve};

#[tokio::test]
async fn a_wrong_pin_is_told_with_both_fingerprints() {
    let (found, other) = (
        Identity::made(["a"]).unwrap(),
        Identity::made(["a"]).unwrap(),
    );
    let (found_pin, pinned) = (found.pin().unwrap(), other.pin().unwrap());
    let mut server = serve(Tls::new().identity(found), "").await;
    let (kind, line) = server.refused(&format!("pin={pinned}")).await;
    assert_eq!(kind, ErrorKind::Untrusted);
    has(&line, &[&found_pin.to_string(), &pinned.to_string(), "pin"]);
    has(
        &server.line().await,
        &["127.0.0.1", "refused our certificate"],
    );
    // The right one among several is accepted.
    server
        .connect(&format!("pin={pinned},{found_pin}"))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_pinned_certificate_is_no_authority() {
    // The pin of the authority does not vouch for what it signed.
    let files = AUTHORITY.sign("pinned.example");
    let text = std::fs::read(AUTHORITY.file()).unwrap();
    use rustls::pki_types::pem::PemObject;
    use socketry_tls::rustls;
    let der = rustls::pki_types::CertificateDer::from_pem_slice(&text).unwrap();
    let pin = socketry_tls::Pin::of(&der).unwrap();
    let server = serve(Tls::new(), &files.query()).await;
    let (kind, _) = server
        .refused(&format!("pin={pin}&name=pinned.example"))
        .await;
    assert_eq!(kind, ErrorKind::Untrusted);
}

#[tokio::test]
async fn a_certificate_out_of_date_is_told_with_its_date() {
    let files = AUTHORITY.sign_expired("localhost");
    let mut server = serve(Tls::new(), &files.query()).await;
    let (kind, line) = server.refused(&format!("{}&name=localhost", ca())).await;
    assert_eq!(kind, ErrorKind::Untrusted);
    has(&line, &["expired on 2020-01-02", "clock"]);
    has(
        &server.line().await,
        &["refused our certificate", "Expired"],
    );

    let files = AUTHORITY.sign_early("localhost");
    let server = serve(Tls::new(), &files.query()).await;
    let (kind, line) = server.refused(&format!("{}&name=localhost", ca())).await;
    assert_eq!(kind, ErrorKind::Untrusted);
    has(&line, &["valid from", "clock"]);
}

#[tokio::test]
async fn a_wrong_name_is_told_with_both_names() {
    let files = AUTHORITY.sign("right.example");
    let mut server = serve(Tls::new(), &files.query()).await;
    let (kind, line) = server.refused(&ca()).await;
    assert_eq!(kind, ErrorKind::Untrusted);
    has(&line, &["right.example", "127.0.0.1", "name="]);
    has(&server.line().await, &["refused our certificate"]);
    server
        .connect(&format!("{}&name=right.example", ca()))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_unknown_authority_is_told_with_the_ways_out() {
    for stranger in [Authority::new(), Authority::named("The authority")] {
        unknown(&stranger).await;
    }
}

async fn unknown(stranger: &Authority) {
    let files = stranger.sign("localhost");
    let mut server = serve(Tls::new(), &files.query()).await;
    for query in [
        format!("{}&name=localhost", ca()),
        "name=localhost".to_owned(),
    ] {
        let (kind, line) = server.refused(&query).await;
        assert_eq!(kind, ErrorKind::Untrusted);
        has(&line, &["signed by no authority", "ca=FILE", "pin="]);
        has(&server.line().await, &["refused our certificate"]);
    }
}
