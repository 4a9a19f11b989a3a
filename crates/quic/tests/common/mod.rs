//! A server and clients that know it.
#![allow(dead_code, clippy::unwrap_used, reason = "tests")]

pub(crate) mod network;

use socketry_quic::{Quic, QuicConnection, QuicLimits, QuicListener, QuicStream};
use socketry_tls::{Identity, Tls, Trust};
use socketry_transport::{Connection, Endpoint, MuxListener, MuxTransport, RecvExt, SendExt};

/// Both ends: a key, and trust in it.
pub(crate) fn quic() -> Quic {
    let identity = Identity::made(["localhost"]).unwrap();
    let pin = identity.pin().unwrap();
    Quic::new().tls(Tls::new().identity(identity).trust(Trust::pin(pin)))
}

pub(crate) fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

pub(crate) struct Pair {
    pub(crate) client: QuicConnection,
    pub(crate) server: QuicConnection,
    pub(crate) listener: QuicListener,
}

impl Pair {
    pub(crate) async fn new(quic: &Quic) -> Self {
        let listener = quic.listen(&at("quic://127.0.0.1:0")).await.unwrap();
        Self::at(quic, listener).await
    }

    pub(crate) async fn at(quic: &Quic, mut listener: QuicListener) -> Self {
        let to = listener.local().clone();
        let (client, server) = tokio::join!(quic.connect(&to), listener.accept());
        Pair {
            client: client.unwrap(),
            server: server.unwrap(),
            listener,
        }
    }

    pub(crate) async fn stream(&mut self) -> (QuicStream, QuicStream) {
        let mut opened = self.client.open().await.unwrap();
        opened.send_all(b"!").await.unwrap();
        let mut accepted = self.server.accept().await.unwrap().unwrap();
        assert_eq!(accepted.recv(&mut [0; 8]).await.unwrap().0, 1);
        (opened, accepted)
    }
}

pub(crate) fn limits(change: impl FnOnce(&mut QuicLimits)) -> QuicLimits {
    let mut limits = QuicLimits::default();
    change(&mut limits);
    limits
}
