//! A server of hyper hands its connection over, with the types that axum has too.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::convert::Infallible;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socketry_transport::{Endpoint, Half, Received, RecvExt, Registry, SendExt};
use socketry_ws::{UpgradedSocket, Ws, WsInfo};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// Serves one connection, and gives the sockets that come of its requests.
async fn serve(listener: TcpListener, ws: Ws, sockets: mpsc::Sender<UpgradedSocket>) {
    let (stream, peer) = listener.accept().await.unwrap();
    let ends = [stream.local_addr().unwrap(), peer].map(|at| Endpoint::new("ws", at).unwrap());
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        let [local, peer] = ends.clone();
        let (answer, upgraded) = ws.upgrade(&mut request, local, peer);
        let sockets = sockets.clone();
        tokio::spawn(async move {
            if let Ok(socket) = upgraded.await {
                sockets.send(socket).await.unwrap();
            }
        });
        async move { Ok::<_, Infallible>(answer) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let _ = serving.await;
}

#[tokio::test]
async fn a_server_of_hyper_hands_its_connection_over() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "ws://{}/a%2Fb?room=1&protocol=echo",
        listener.local_addr().unwrap()
    );
    let (sockets, mut upgraded) = mpsc::channel(1);
    let serving = tokio::spawn(serve(listener, Ws::new().protocols(["echo"]), sockets));
    let registry = Ws::new().register(Registry::standard()).unwrap();
    let mut client = registry.connect(url).await.unwrap();
    let mut server = upgraded.recv().await.unwrap();
    let info = server.info().get::<WsInfo>().unwrap();
    assert_eq!(
        (&*info.target, info.protocol.as_deref()),
        ("/a%2Fb?room=1", Some("echo"))
    );
    assert_eq!(server.peer().scheme(), "ws");
    client.send_all(b"there").await.unwrap();
    let mut buf = [0; 16];
    assert_eq!(server.recv(&mut buf).await.unwrap(), (5, Received::Data));
    server.send_all(b"and back").await.unwrap();
    assert_eq!(client.recv(&mut buf).await.unwrap(), (8, Received::Data));
    client.finish().await.unwrap();
    assert_eq!(server.recv(&mut buf).await.unwrap(), (0, Received::End));
    assert_eq!(client.recv(&mut buf).await.unwrap(), (0, Received::End));
    serving.await.unwrap();
}

#[tokio::test]
async fn its_answers_to_what_is_no_handshake_have_words() {
    for (query, words) in [
        (
            "?origin=http://evil.example",
            "403 Forbidden: pages of http://evil.example may not",
        ),
        (
            "?protocol=chat",
            "400 Bad Request: no subprotocol in common",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/{query}", listener.local_addr().unwrap());
        let (sockets, _never) = mpsc::channel(1);
        let ws = match query.starts_with("?protocol") {
            true => Ws::new().protocols(["mqtt"]),
            false => Ws::new(),
        };
        let serving = tokio::spawn(serve(listener, ws, sockets));
        let registry = Ws::new().register(Registry::standard()).unwrap();
        let error = registry.connect(url).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        serving.abort();
    }
}
