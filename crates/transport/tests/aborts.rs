//! What an abort is on each kind of socket, beyond what the laws of streams say.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::ErrorKind;
use std::time::Duration;

use socketry_transport::{
    Aborted, Endpoint, FromIo, Half, Info, Listener, MemTransport, Received, RecvExt, SendExt,
    SendHalf, Shape, Socket, TcpTransport, Transport, UdpTransport, UnixTransport,
};
use tokio::time::timeout;

fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

async fn pair<T: Transport>(
    transport: T,
    url: &str,
) -> (T::Socket, <T::Listener as Listener>::Socket, T::Listener) {
    let mut listener = transport.listen(&at(url)).await.unwrap();
    let mut to = listener.local().clone();
    if let Some(wildcard) = to.socket_addr().filter(|to| to.ip().is_unspecified()) {
        to = at(&format!("{}://127.0.0.1:{}", to.scheme(), wildcard.port()));
    }
    let (client, server) = tokio::join!(transport.connect(&to), async {
        // Of datagrams the first makes the session.
        if to.scheme() == "udp" {
            None
        } else {
            Some(listener.accept().await.unwrap())
        }
    });
    let mut client = client.unwrap();
    let server = match server {
        Some(server) => server,
        None => {
            client.send(b"first").await.unwrap();
            listener.accept().await.unwrap()
        }
    };
    (client, server, listener)
}

#[tokio::test]
async fn memory_gives_the_reason_and_what_had_arrived() {
    let (mut client, mut server, _listener) = pair(MemTransport::default(), "mem://*").await;
    client.send_all(b"before").await.unwrap();
    assert_eq!(client.abort(7).unwrap(), Aborted::Reset);
    assert_eq!(client.abort(8).unwrap(), Aborted::Reset);
    let mut buf = [0; 16];
    assert_eq!(server.recv(&mut buf).await.unwrap(), (6, Received::Data));
    for _ in 0..2 {
        let error = server.recv(&mut buf).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(error.to_string().contains("code 7"), "{error}");
    }
    assert_eq!(server.recv(&mut []).await.unwrap(), (0, Received::Data));
}

#[tokio::test]
async fn an_end_that_was_sent_stays_one() {
    let (mut client, mut server, _listener) = pair(MemTransport::default(), "mem://*").await;
    client.send_all(b"all").await.unwrap();
    client.finish().await.unwrap();
    assert_eq!(client.abort(0).unwrap(), Aborted::End);
    let mut buf = [0; 16];
    assert_eq!(server.recv(&mut buf).await.unwrap(), (3, Received::Data));
    assert_eq!(server.recv(&mut buf).await.unwrap().1, Received::End);
    let error = server.send(b"x").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn each_stream_answers_what_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let (mut tcp, _peer, _listener) = pair(TcpTransport::default(), "tcp://127.0.0.1:0").await;
    let url = format!("unix://{}", directory.path().join("s").display());
    let (mut unix, _peer, _listener) = pair(UnixTransport::default(), &url).await;
    let info = Info::new(Shape::Stream, at("pipe://us"), at("pipe://them"));
    let mut pipe = FromIo::from_io(tokio::io::duplex(8).0, info);
    let cases: [(&mut dyn SendHalf, Aborted); 3] = [
        (&mut tcp, Aborted::Reset),
        (&mut unix, Aborted::End),
        (&mut pipe, Aborted::End),
    ];
    for (socket, answer) in cases {
        assert_eq!(socket.abort_on_drop(true).unwrap(), answer);
        assert_eq!(socket.abort_on_drop(false).unwrap(), Aborted::End);
        assert_eq!(socket.abort(0).unwrap(), answer);
    }
}

/// The kernel forgets it: this end's address was never asked for before.
#[tokio::test]
async fn both_ends_are_known_after_an_abort() {
    let (client, mut server, _listener) = pair(TcpTransport::default(), "tcp://0.0.0.0:0").await;
    let _ = server.abort(0).unwrap();
    assert_eq!(server.local(), client.peer());
    assert_eq!(server.peer(), client.local());
}

#[tokio::test]
async fn a_session_that_is_aborted_ends_and_gives_its_place_up() {
    let transport = UdpTransport::default();
    let (mut client, session, mut listener) =
        pair(transport, "udp://127.0.0.1:0?max_peers=1").await;
    let (mut recv, mut send) = session.split();
    let mut buf = [0; 16];
    assert_eq!(recv.recv(&mut buf).await.unwrap().0, 5);
    let waiting = tokio::spawn(async move { recv.recv(&mut [0; 16]).await.unwrap().1 });
    tokio::task::yield_now().await;
    assert_eq!(send.abort(7).unwrap(), Aborted::Nothing);
    assert_eq!(waiting.await.unwrap(), Received::End);
    let error = send.send(b"late").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BrokenPipe);

    // The peer saw nothing, and is a new one.
    client.send(b"again").await.unwrap();
    let next = timeout(Duration::from_secs(30), listener.accept()).await;
    let mut next = next.expect("there is a place").unwrap();
    assert_eq!(next.recv(&mut buf).await.unwrap().0, 5);
    assert_eq!(client.abort(0).unwrap(), Aborted::Nothing);
    client.send(b"still").await.unwrap();
    assert_eq!(next.recv(&mut buf).await.unwrap().0, 5);
}
