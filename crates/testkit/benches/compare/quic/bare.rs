//! quinn, by hand.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, Connection, Endpoint, RecvStream, SendStream, ServerConfig, TransportConfig,
    VarInt,
};

use super::{CLIENT, NAME, PIECE, QUESTION, SERVER, TLS, limits, run};
use crate::stream::{Found, Load};
use crate::tally::Tally;

const ANY: &str = "127.0.0.1:0";

/// As ours configures it.
fn transport() -> Arc<TransportConfig> {
    let limits = limits();
    let number = |number: u64| VarInt::from_u64(number).unwrap();
    let silent = |time: Duration| time.try_into().unwrap();
    let mut config = TransportConfig::default();
    config
        .max_concurrent_bidi_streams(number(limits.streams))
        .max_concurrent_uni_streams(number(0))
        .stream_receive_window(number(limits.stream_window))
        .receive_window(number(limits.window))
        .send_window(limits.send_window)
        .datagram_receive_buffer_size(Some(limits.datagrams))
        .datagram_send_buffer_size(limits.datagrams)
        .max_idle_timeout(limits.idle.map(silent))
        .keep_alive_interval(limits.keep_alive);
    Arc::new(config)
}

struct Stream {
    send: SendStream,
    recv: RecvStream,
    connection: Connection,
}

impl Stream {
    /// Fills `buf`. `false` at the end.
    async fn fill(&mut self, buf: &mut [u8]) -> bool {
        self.recv.read_exact(buf).await.is_ok()
    }

    /// Waits until the peer has everything.
    async fn finish(&mut self) {
        self.send.finish().unwrap();
        self.send.stopped().await.unwrap();
    }

    /// Holds the connection until the peer closes it.
    fn linger(self) {
        tokio::spawn(async move { self.connection.closed().await });
    }
}

async fn accepted(found: Found) -> Stream {
    let at = format!("quic://{ANY}").parse().unwrap();
    let (tls, _) = TLS.server_within(&at).await.unwrap();
    let crypto = QuicServerConfig::try_from(Arc::clone(tls.config())).unwrap();
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(transport());
    let endpoint = Endpoint::server(config, ANY.parse().unwrap()).unwrap();
    let at = endpoint.local_addr().unwrap();
    found.send(at.to_string()).unwrap();
    let connection = endpoint.accept().await.unwrap().await.unwrap();
    let (send, recv) = connection.accept_bi().await.unwrap();
    Stream {
        send,
        recv,
        connection,
    }
}

async fn connected(to: &str) -> Stream {
    let url = format!("quic://{to}").parse().unwrap();
    let (tls, _) = TLS.client_within(&url).await.unwrap();
    let crypto = QuicClientConfig::try_from(Arc::clone(tls.config())).unwrap();
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(transport());
    let endpoint = Endpoint::client(ANY.parse().unwrap()).unwrap();
    let to: SocketAddr = to.parse().unwrap();
    let connecting = endpoint.connect_with(config, to, NAME).unwrap();
    let connection = connecting.await.unwrap();
    let (send, recv) = connection.open_bi().await.unwrap();
    Stream {
        send,
        recv,
        connection,
    }
}

pub(super) fn receive(found: Found) -> Tally {
    run(&SERVER, async move {
        let mut stream = accepted(found).await;
        let (mut tally, mut buf) = (Tally::default(), vec![0; PIECE]);
        while stream.fill(&mut buf).await {
            tally.see(&buf);
        }
        stream.linger();
        tally
    })
}

pub(super) fn send(to: &str, load: &Load) -> Instant {
    let (to, load) = (to.to_owned(), load.clone());
    run(&CLIENT, async move {
        let mut stream = connected(&to).await;
        let begun = Instant::now();
        for _ in 0..load.count {
            stream.send.write_all(&load.frame).await.unwrap();
        }
        stream.finish().await;
        begun
    })
}

pub(super) fn echo(found: Found) {
    run(&SERVER, async move {
        let mut stream = accepted(found).await;
        let mut buf = [0; QUESTION];
        while stream.fill(&mut buf).await {
            stream.send.write_all(&buf).await.unwrap();
        }
        stream.linger();
    });
}

pub(super) fn ask(to: &str, load: &Load) -> Instant {
    let (to, load) = (to.to_owned(), load.clone());
    run(&CLIENT, async move {
        let mut stream = connected(&to).await;
        let mut buf = [0; QUESTION];
        let begun = Instant::now();
        for _ in 0..load.count {
            stream.send.write_all(&load.frame).await.unwrap();
            assert!(stream.fill(&mut buf).await);
            assert_eq!(buf[..], load.frame);
        }
        stream.finish().await;
        begun
    })
}
