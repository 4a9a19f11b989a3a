//! A server of ours behind a balancer, and what it saw.

use std::net::SocketAddr;

use socketry_proxy::{Behind, Forwarded, Header, Origin};
use socketry_testkit::in_time;
use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, Half, Listener, Received, RecvExt, RecvHalf, Registry,
    SendExt,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A server that trusts the balancers of this machine.
pub(crate) struct Backend {
    pub(crate) listener: BoxListener,
    pub(crate) refused: UnboundedReceiver<String>,
}

impl Backend {
    pub(crate) async fn at(url: &str) -> Self {
        Backend::over(url, |registry| registry).await
    }

    /// The same with more layers over that one.
    pub(crate) async fn over(url: &str, more: impl FnOnce(Registry) -> Registry) -> Self {
        let (telling, refused) = unbounded_channel();
        let behind = Behind::new().on_failure(move |failure| {
            let _ = telling.send(failure.to_string());
        });
        let registry = more(behind.register(Registry::standard()).unwrap());
        let listener = registry.listen(url).await.unwrap();
        Backend { listener, refused }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local().port().unwrap()
    }

    pub(crate) async fn accept(&mut self) -> BoxSocket {
        let accepted = in_time("a connection", self.listener.accept()).await;
        let refused = self.refused.try_recv();
        assert!(refused.is_err(), "{refused:?}");
        accepted.unwrap()
    }
}

/// What the balancer said of this connection.
pub(crate) fn header(socket: &impl Half) -> &Header {
    let forwarded: &Forwarded = socket.info().get().unwrap();
    forwarded.header()
}

/// The end of the balancer.
pub(crate) fn balancer(socket: &impl Half) -> &Endpoint {
    let forwarded: &Forwarded = socket.info().get().unwrap();
    forwarded.balancer().peer()
}

/// The client that the header tells.
pub(crate) fn source(socket: &impl Half) -> String {
    match header(socket).origin() {
        Origin::Client { source, .. } => source.to_string(),
        other => format!("{other:?}"),
    }
}

/// One word each way, whose first bytes the client sends.
pub(crate) async fn talk(client: &mut BoxSocket, server: &mut BoxSocket) {
    client.send_all(b"hello").await.unwrap();
    assert_eq!(&word(server).await, b"hello");
    server.send_all(b"there").await.unwrap();
    assert_eq!(&word(client).await, b"there");
}

async fn word(socket: &mut BoxSocket) -> [u8; 5] {
    let (mut word, mut len) = ([0; 5], 0);
    while len < word.len() {
        let got = in_time("a word", socket.recv(&mut word[len..])).await;
        len += got.unwrap().0;
    }
    word
}

/// How a connection ends from which nothing comes.
pub(crate) async fn end(socket: &mut impl RecvHalf) -> std::io::Result<(usize, Received)> {
    in_time("an end", socket.recv(&mut [0; 64])).await
}

/// The client's own address at a port of the loopback interface.
pub(crate) fn address(client: &impl Half) -> SocketAddr {
    SocketAddr::try_from(client.local()).unwrap()
}
