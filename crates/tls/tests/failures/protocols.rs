//! Ends that have no protocol in common: one of an application, or TLS itself.

use socketry_tls::{Identity, Tls};
use socketry_transport::{ErrorKind, Half, Listener, RecvExt, Registry, SendExt};
use tokio::time::timeout;

use super::{DEADLINE, has, serve};

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
