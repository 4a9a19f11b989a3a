//! Peers that say nothing, or stop in the middle of a handshake.

use socketry_tls::{Identity, Tls};
use socketry_transport::{ErrorKind, Listener, RecvExt, Registry, SendExt};
use tokio::time::timeout;

use super::{DEADLINE, has, serve};

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
