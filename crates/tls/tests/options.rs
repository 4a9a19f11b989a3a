//! What can be asked for: resumption, a key log, an error for an end without `close_notify`.

#![allow(clippy::unwrap_used, reason = "tests")]

use socketry_tls::{Identity, Tls, TlsInfo, Trust};
use socketry_transport::{
    BoxListener, BoxSocket, Half, Listener, Received, RecvExt, Registry, SendExt,
};

fn both_ends() -> Tls {
    let identity = Identity::made(["localhost"]).unwrap();
    let trust = Trust::pin(identity.pin().unwrap());
    Tls::new().identity(identity).trust(trust)
}

async fn meet(registry: &Registry, listener: &mut BoxListener, query: &str) -> [BoxSocket; 2] {
    let to = format!("{}?{query}", listener.local());
    let (client, server) = tokio::join!(registry.connect(to.as_str()), listener.accept());
    [client.unwrap(), server.unwrap()]
}

#[test]
fn whether_clients_need_a_certificate_is_known_before_listening() {
    let pin = Identity::made(["localhost"]).unwrap().pin().unwrap();
    let (asks, requires) = (Tls::new(), Tls::new());
    let asks = asks.ask_clients(Trust::pin(pin));
    let requires = requires.require_clients(Trust::pin(pin));
    let with = format!("pin={pin}");
    let optional = format!("pin={pin}&clients=optional");
    for (tls, query, required) in [
        (Tls::new(), "", false),
        (Tls::new(), &*with, true),
        (Tls::new(), "ca=no-such-file", true),
        (Tls::new(), &*optional, false),
        (asks.clone(), "", false),
        (asks.clone(), "clients=required", true),
        (asks, &with, true),
        (requires.clone(), "", true),
        (requires, "clients=optional", false),
    ] {
        let at = format!("tls://[::]:9?{query}").parse().unwrap();
        assert_eq!(tls.requires_clients(&at).unwrap(), required, "{query}");
    }
    let unclear = "tls://[::]:9?clients=perhaps".parse().unwrap();
    assert!(Tls::new().requires_clients(&unclear).is_err());
}

#[tokio::test]
async fn sessions_are_resumed_where_that_is_asked_for() {
    for on in [false, true] {
        let tls = both_ends().resumption(on);
        let registry = tls.register(Registry::standard()).unwrap();
        let mut listener = registry.listen("tls://127.0.0.1:0").await.unwrap();
        for number in 0..3 {
            let [mut client, mut server] = meet(&registry, &mut listener, "").await;
            let resumed = client.info().get::<TlsInfo>().unwrap().is_resumed();
            assert_eq!(resumed, on && number > 0, "connection {number}, {on}");
            // Tickets arrive before the first byte.
            server.send_all(b"x").await.unwrap();
            assert_eq!(client.recv(&mut [0; 8]).await.unwrap().0, 1);
        }
    }
}

#[tokio::test]
async fn an_end_without_close_notify_is_told() {
    let registry = both_ends().register(Registry::standard()).unwrap();
    let mut listener = registry.listen("tls://127.0.0.1:0").await.unwrap();
    let mut buf = [0; 8];
    // It finished.
    let [mut client, mut server] = meet(&registry, &mut listener, "close_notify=required").await;
    assert_eq!(
        client.info().get::<TlsInfo>().unwrap().ended_in_order(),
        None
    );
    server.finish().await.unwrap();
    assert_eq!(client.recv(&mut buf).await.unwrap(), (0, Received::End));
    assert_eq!(
        client.info().get::<TlsInfo>().unwrap().ended_in_order(),
        Some(true)
    );
    // It was dropped.
    for query in ["", "close_notify=required"] {
        let [mut client, server] = meet(&registry, &mut listener, query).await;
        drop(server);
        let ended = client.recv(&mut buf).await;
        assert_eq!(
            client.info().get::<TlsInfo>().unwrap().ended_in_order(),
            Some(false)
        );
        match query {
            "" => assert_eq!(ended.unwrap(), (0, Received::End)),
            _ => assert!(ended.unwrap_err().to_string().contains("close_notify")),
        }
    }
}

/// The child of the next test.
#[tokio::test]
#[ignore = "the test of the key log starts it"]
async fn key_log_child() {
    let registry = both_ends().register(Registry::standard()).unwrap();
    for query in ["", "?key_log=true"] {
        let at = format!("tls://127.0.0.1:0{query}");
        let mut listener = registry.listen(at.as_str()).await.unwrap();
        let _both = meet(&registry, &mut listener, query.trim_start_matches('?')).await;
        let path = std::env::var("SSLKEYLOGFILE").unwrap();
        let log = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(log.contains("CLIENT_TRAFFIC_SECRET_0"), !query.is_empty());
    }
}

#[test]
fn secrets_are_logged_where_that_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "key_log_child", "--ignored"])
        .env("SSLKEYLOGFILE", directory.path().join("keys"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success() && said.contains("1 passed"),
        "{said}"
    );
}
