//! What goes wrong in a handshake is one clear line at both ends.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use common::Authority;
use socketry_tls::{Identity, Tls};
use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, ErrorKind, Half, Listener, RecvExt, Registry, SendExt,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(30);

static AUTHORITY: LazyLock<Authority> = LazyLock::new(|| Authority::named("The authority"));

/// A server that gives away the first socket, and the line for each handshake that failed.
struct Server {
    at: Endpoint,
    sockets: mpsc::UnboundedReceiver<BoxSocket>,
    lines: mpsc::UnboundedReceiver<String>,
}

async fn serve(tls: Tls, query: &str) -> Server {
    let (line, lines) = mpsc::unbounded_channel();
    let tls = tls.on_failure(move |failure| {
        let _ = line.send(failure.to_string());
    });
    let registry = tls.register(Registry::standard()).unwrap();
    let url = format!("tls://127.0.0.1:0?{query}");
    let mut listener: BoxListener = registry.listen(url.as_str()).await.unwrap();
    let at = listener.local().clone();
    let (give, sockets) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok(socket) = listener.accept().await {
            let _ = give.send(socket);
        }
    });
    Server { at, sockets, lines }
}

impl Server {
    async fn line(&mut self) -> String {
        let line = timeout(DEADLINE, self.lines.recv()).await.unwrap();
        line.unwrap()
    }

    async fn socket(&mut self) -> BoxSocket {
        let socket = timeout(DEADLINE, self.sockets.recv()).await.unwrap();
        socket.unwrap()
    }

    /// What a client learns that connects with this query.
    async fn refused(&self, query: &str) -> (ErrorKind, String) {
        let error = self.connect(query).await.unwrap_err();
        assert!(error.to_string().contains(self.at.as_str()), "{error}");
        (error.kind(), error.to_string())
    }

    async fn connect(&self, query: &str) -> socketry_transport::Result<BoxSocket> {
        let registry = Tls::new().register(Registry::standard()).unwrap();
        let to = format!("{}?{query}", self.at);
        timeout(DEADLINE, registry.connect(to.as_str()))
            .await
            .unwrap()
    }
}

fn has(line: &str, parts: &[&str]) {
    assert_eq!(line.lines().count(), 1, "{line}");
    for part in parts {
        assert!(line.contains(part), "'{part}' is not in: {line}");
    }
}

fn ca() -> String {
    format!("ca={}", AUTHORITY.file().display())
}

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

#[tokio::test]
async fn a_mismatch_of_protocols_is_told_with_both_lists() {
    let identity = Identity::made(["localhost"]).unwrap();
    let pin = identity.pin().unwrap();
    let mut server = serve(Tls::new().identity(identity), "alpn=chat/2,chat/1").await;
    let (kind, line) = server.refused(&format!("pin={pin}&alpn=h2,http/1.1")).await;
    assert_eq!(kind, ErrorKind::Protocol);
    has(&line, &["ALPN", "h2, http/1.1", "alpn="]);
    let line = server.line().await;
    has(&line, &["h2, http/1.1", "chat/2, chat/1"]);
    let client = server
        .connect(&format!("pin={pin}&alpn=chat/1,h2"))
        .await
        .unwrap();
    let tls: &socketry_tls::TlsInfo = client.info().get().unwrap();
    assert_eq!(tls.alpn(), Some(&b"chat/1"[..]));
}

#[tokio::test]
async fn an_empty_list_of_protocols_is_refused() {
    let identity = Identity::made(["localhost"]).unwrap();
    let tls = Tls::new().identity(identity).alpn(<[&str; 0]>::default());
    let registry = tls.register(Registry::standard()).unwrap();
    let error = registry.listen("tls://127.0.0.1:0").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    has(&error.to_string(), &["alpn"]);
}

#[tokio::test]
async fn plain_bytes_to_a_tls_port_are_shown() {
    let identity = Identity::made(["localhost"]).unwrap();
    let mut server = serve(Tls::new().identity(identity), "").await;
    let plain = server.at.with_scheme("tcp").unwrap();
    for sent in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        b"hello\n",
        &[0, 0, 0, 5, 1, 2, 3, 4],
    ] {
        let mut client = socketry_transport::connect(plain.clone()).await.unwrap();
        client.send_all(sent).await.unwrap();
        let begin = sent[..4].escape_ascii().to_string();
        has(
            &server.line().await,
            &["does not speak TLS", &begin, "plain form"],
        );
    }
}

#[tokio::test]
async fn a_plain_port_is_told_by_what_it_answers() {
    let mut plain = socketry_transport::listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let to = plain.local().with_scheme("tls").unwrap();
    let registry = Tls::new().register(Registry::standard()).unwrap();
    let serving = async {
        let mut greeter = plain.accept().await.unwrap();
        greeter
            .send_all(b"220 mail.example ESMTP\r\n")
            .await
            .unwrap();
        let _ = greeter.recv(&mut [0; 4096]).await;
        let mut echo = plain.accept().await.unwrap();
        let mut buf = [0; 4096];
        let (len, _) = echo.recv(&mut buf).await.unwrap();
        echo.send_all(&buf[..len]).await.unwrap();
        let mut closing = plain.accept().await.unwrap();
        let _ = closing.recv(&mut buf).await;
        (greeter, echo)
    };
    let connecting = async {
        let error = registry.connect(to.clone()).await.unwrap_err();
        has(
            &error.to_string(),
            &["does not speak TLS", "220 mail", "plain"],
        );
        let error = registry.connect(to.clone()).await.unwrap_err();
        has(&error.to_string(), &["out of turn", "echo"]);
        let error = registry.connect(to.clone()).await.unwrap_err();
        has(
            &error.to_string(),
            &["closed the connection", "does a TLS server listen there?"],
        );
    };
    timeout(DEADLINE, async { tokio::join!(serving, connecting) })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let silent = socketry_transport::listen("tcp://127.0.0.1:0")
        .await
        .unwrap();
    let registry = Tls::new().register(Registry::standard()).unwrap();
    let to = silent.local().with_scheme("tls").unwrap();
    for key in ["handshake_timeout", "connect_timeout"] {
        let error = registry
            .connect(to.clone().with(key, "20ms"))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        has(
            &error.to_string(),
            &["no TLS handshake within", "TLS server"],
        );
    }
}

#[tokio::test]
async fn a_stalled_client_delays_nobody_and_is_gone_at_its_deadline() {
    let identity = Identity::made(["localhost"]).unwrap();
    let pin = identity.pin().unwrap();
    let mut server = serve(Tls::new().identity(identity), "handshake_timeout=500ms").await;
    let plain = server.at.with_scheme("tcp").unwrap();
    let mut stalled = Vec::new();
    for number in 0..20_usize {
        let mut client = socketry_transport::connect(plain.clone()).await.unwrap();
        // Some say nothing, some begin a record and stop.
        client
            .send_all(&[22, 3, 1, 2, 0, 1][..number % 7])
            .await
            .unwrap();
        stalled.push(client);
    }
    let client = server.connect(&format!("pin={pin}")).await.unwrap();
    let accepted = server.socket().await;
    for client in &mut stalled {
        has(&server.line().await, &["was not finished within"]);
        // Reset or ended: it is closed.
        let gone = timeout(DEADLINE, client.recv(&mut [0; 64])).await.unwrap();
        assert!(!matches!(gone, Ok((1.., _))), "{gone:?}");
    }
    drop((client, accepted));
}

#[tokio::test]
async fn options_that_do_not_fit_are_refused_with_the_reason() {
    let registry = Tls::new().register(Registry::standard()).unwrap();
    let registry = Arc::new(registry);
    for (query, reason) in [
        ("pin=sha256:short", "64 hexadecimal digits"),
        ("pin=", "no value"),
        ("cert=/a", "as many files each"),
        ("identity=/a&cert=/b&key=/c", "exclude each other"),
        ("ca=/no/such/file", "/no/such/file"),
        ("clients=optional", "clients= is for listening"),
        ("key_log=maybe", "'false' or 'true'"),
        ("handshake_timeout=soon", "handshake_timeout"),
        ("name=..", "'..' is no name"),
        ("alpn=", "no value"),
    ] {
        let to = format!("tls://127.0.0.1:1?{query}");
        let error = registry.connect(to.as_str()).await.unwrap_err();
        has(&error.to_string(), &[reason]);
    }
    for (query, reason) in [
        ("", "needs a certificate"),
        ("name=x&identity=/nowhere", "name= is for connecting"),
        ("cert=/no/such&key=/no/such", "the certificate in /no/such"),
    ] {
        let at = format!("tls://127.0.0.1:0?{query}");
        let error = registry.listen(at.as_str()).await.unwrap_err();
        has(&error.to_string(), &[reason]);
    }
}
