//! What a peer of TLS sends after its handshake: messages that cost it little.

use std::sync::Arc;

use allocation_counter::measure;
use socketry_testkit::{Places, in_time};
use socketry_tls::rustls::pki_types::ServerName;
use socketry_transport::{BoxSocket, Listener, Received, RecvExt, SendExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::victims::{TLS, connect, free, listen};

/// The most that both ends may hold, in bytes.
const MOST: u64 = 400 << 10;

/// A server of ours, and a client that is not.
async fn met() -> (TlsStream<TcpStream>, BoxSocket) {
    let mut listener = listen(&free(&Places::new(), "tls")).await.unwrap();
    let port = listener.local().port().unwrap();
    let connector = TlsConnector::from(Arc::new(TLS.client_config().unwrap()));
    let connecting = async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        connector.connect(name, stream).await.unwrap()
    };
    let (client, server) = tokio::join!(connecting, listener.accept());
    (client, server.unwrap())
}

fn little(what: &str, attack: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let held = measure(|| runtime.block_on(in_time(what, attack))).bytes_max;
    assert!(held < MOST, "{what}: {held} bytes");
}

async fn update(client: &mut TlsStream<TcpStream>) {
    client.get_mut().1.refresh_traffic_keys().unwrap();
    // The victim may have closed.
    let _ = client.flush().await;
}

/// Each asks for an answer, and for new keys.
#[test]
fn key_updates_by_the_thousand_are_given_up() {
    little("key updates", async {
        let (mut client, mut server) = met().await;
        let flooding = async {
            for _ in 0..1_000 {
                update(&mut client).await;
            }
        };
        let mut buf = [0; 64];
        let ((), received) = tokio::join!(flooding, server.recv(&mut buf));
        let line = received.unwrap_err().to_string();
        assert!(line.contains("TooManyKeyUpdateRequests"), "{line}");
    });
}

/// With data between, they are a peer that is careful: all arrives, and what is not read of our
/// answers does not pile up.
#[test]
fn key_updates_between_data_cost_little() {
    little("key updates between data", async {
        let (mut client, mut server) = met().await;
        let sending = async {
            for _ in 0..1_000 {
                client.write_all(b"x").await.unwrap();
                update(&mut client).await;
            }
            client
        };
        let receiving = async {
            let (mut come, mut buf) = (0, [0; 64]);
            while come < 1_000 {
                come += server.recv(&mut buf).await.unwrap().0;
            }
            server.send_all(b"done").await.unwrap();
        };
        let (mut client, ()) = tokio::join!(sending, receiving);
        let mut answer = [0; 4];
        client.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"done");
    });
}

/// A server that sends tickets without end, before what our client waits for.
#[test]
fn tickets_by_the_thousand_are_read_over() {
    little("tickets", async {
        let mut config = TLS.server_config().unwrap();
        config.send_tls13_tickets = 1_000;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let serving = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            stream.write_all(b"at last").await.unwrap();
            let mut come = Vec::new();
            stream.read_to_end(&mut come).await.unwrap();
            come
        };
        let to = format!("tls://127.0.0.1:{port}").parse().unwrap();
        let asking = async {
            let mut client = connect(&to).await.unwrap();
            let mut buf = [0; 64];
            assert_eq!(client.recv(&mut buf).await.unwrap().0, 7);
            client.send_all(&[7; 100_000]).await.unwrap();
            client.finish().await.unwrap();
            let end = client.recv(&mut buf).await.unwrap();
            assert_eq!(end, (0, Received::End));
        };
        let (come, ()) = tokio::join!(serving, asking);
        assert_eq!(come.len(), 100_000);
    });
}

/// 22 bytes of overhead for each byte: they are passed on, and nothing is kept for each.
#[test]
fn records_of_a_byte_are_received_as_they_come() {
    const COUNT: usize = 100_000;
    little("records of a byte", async {
        let (mut client, mut server) = met().await;
        let sending = async {
            for _ in 0..COUNT {
                client.write_all(b"x").await.unwrap();
            }
            client.flush().await.unwrap();
        };
        let receiving = async {
            let (mut come, mut buf) = (0, [0; 4096]);
            while come < COUNT {
                let (len, _) = server.recv(&mut buf).await.unwrap();
                assert!(buf[..len].iter().all(|byte| *byte == b'x'));
                come += len;
            }
        };
        tokio::join!(sending, receiving);
    });
}
