//! Deadlines for connecting, for silence and for a blocked send, over streams and datagrams.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::pending;
use std::io;
use std::time::Duration;

use socketry_transport::{
    BoxSocket, Deadlines, Endpoint, ErrorKind, Keys, Layer, Listener, MemListener, MemSocket,
    MemTransport, RecvExt, Registry, Result, SendExt, Socket, SocketOptions, Stack, TcpTransport,
    Transport, async_trait,
};
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

fn registry() -> Registry {
    ["tcp", "udp", "unix", "mem"]
        .into_iter()
        .fold(Registry::standard(), |registry, scheme| {
            registry.layer(scheme, Deadlines::default()).unwrap()
        })
}

/// A client with these options, and what the listener accepted, which was greeted.
async fn pair(url: &str, options: &[(&str, &str)]) -> (BoxSocket, BoxSocket) {
    let registry = registry();
    let mut server = registry.listen(url).await.unwrap();
    let mut to = server.local().clone();
    for (key, value) in options {
        to = to.with(key, value);
    }
    let mut client = registry.connect(to).await.unwrap();
    client.send_all(b"hello").await.unwrap();
    let mut accepted = server.accept().await.unwrap();
    let (len, _) = accepted.recv(&mut [0; 64]).await.unwrap();
    assert_eq!(len, 5);
    // A session of datagrams outlives its listener, too.
    (client, accepted)
}

#[tokio::test(start_paused = true)]
async fn silence_fails_the_receive_and_leaves_the_socket_as_it_was() {
    for url in ["mem://*", "tcp://127.0.0.1:0", "udp://127.0.0.1:0"] {
        let (mut client, mut server) = pair(url, &[("silence", "5s")]).await;
        let begun = Instant::now();
        let error = client.recv(&mut [0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "the peer sent nothing for 5s");
        let took = begun.elapsed();
        assert!((5 * SECOND..6 * SECOND).contains(&took), "{url}: {took:?}");

        server.send_all(b"late").await.unwrap();
        let (len, _) = client.recv(&mut [0; 64]).await.unwrap();
        assert_eq!(len, 4);
        // Each receive waits anew, and both halves do.
        let (mut recv, _send) = client.split();
        let begun = Instant::now();
        let error = recv.recv(&mut [0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() >= 5 * SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn what_arrives_in_time_begins_the_silence_anew() {
    let (mut client, mut server) = pair("mem://*", &[("silence", "5s")]).await;
    let talking = tokio::spawn(async move {
        for _ in 0..4 {
            tokio::time::sleep(4 * SECOND).await;
            server.send_all(b"still here").await.unwrap();
        }
        server
    });
    for _ in 0..4 {
        let (len, _) = client.recv(&mut [0; 64]).await.unwrap();
        assert_eq!(len, 10);
    }
    let _server = talking.await.unwrap();
    assert!(client.recv(&mut [0; 64]).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_the_user_does_between_receives_does_not_count() {
    let (mut client, mut server) = pair("mem://*", &[("silence", "5s")]).await;
    tokio::time::sleep(60 * SECOND).await;
    let answering = async {
        tokio::time::sleep(4 * SECOND).await;
        server.send_all(b"an answer").await.unwrap();
    };
    let mut buf = [0; 64];
    let (received, ()) = tokio::join!(client.recv(&mut buf), answering);
    assert_eq!(received.unwrap().0, 9);
}

#[tokio::test(start_paused = true)]
async fn a_receive_that_is_cancelled_again_and_again_times_out_all_the_same() {
    let (mut client, _server) = pair("mem://*", &[("silence", "5s")]).await;
    let begun = Instant::now();
    let error = loop {
        if let Ok(received) = timeout(SECOND, client.recv(&mut [0; 64])).await {
            break received.unwrap_err();
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert!(begun.elapsed() <= 6 * SECOND, "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_time_after_a_receive_that_is_cancelled_counts() {
    let (mut client, mut server) = pair("mem://*", &[("silence", "5s")]).await;
    let cancelled = timeout(SECOND, client.recv(&mut [0; 64])).await;
    assert!(cancelled.is_err());
    tokio::time::sleep(60 * SECOND).await;
    let begun = Instant::now();
    let error = client.recv(&mut [0; 64]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed(), Duration::ZERO);

    // Bytes that have arrived in that time are received.
    let cancelled = timeout(SECOND, client.recv(&mut [0; 64])).await;
    assert!(cancelled.is_err());
    server.send_all(b"late").await.unwrap();
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(client.recv(&mut [0; 64]).await.unwrap().0, 4);
}

#[tokio::test(start_paused = true)]
async fn a_blocked_send_fails_and_goes_on_when_the_peer_reads() {
    for url in ["mem://*", "tcp://127.0.0.1:0"] {
        let (mut client, mut server) = pair(url, &[("send_within", "5s")]).await;
        let bytes = [7; 64 * 1024];
        let (mut sent, mut begun) = (0, Instant::now());
        let error = loop {
            match client.send(&bytes).await {
                Ok(len) => sent += len,
                Err(error) => break error,
            }
            begun = Instant::now();
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "the peer took nothing for 5s");
        assert!(begun.elapsed() >= 5 * SECOND);
        let mut buf = vec![0; 1 << 20];
        while sent > 0 {
            sent -= server.recv(&mut buf).await.unwrap().0;
        }
        client.send_all(b"again").await.unwrap();
        assert_eq!(server.recv(&mut buf).await.unwrap().0, 5);
    }
}

/// A transport whose connect never ends.
struct Endless;

#[async_trait]
impl Transport for Endless {
    type Socket = MemSocket;
    type Listener = MemListener;

    fn keys(&self) -> Keys {
        Keys::new(&["colour"])
    }
    async fn connect(&self, to: &Endpoint) -> Result<MemSocket> {
        SocketOptions::from_query(to, self.keys())?;
        pending().await
    }
    async fn listen(&self, at: &Endpoint) -> Result<MemListener> {
        MemTransport::default().listen(at).await
    }
}

#[tokio::test(start_paused = true)]
async fn connecting_has_a_deadline() {
    let layered = Deadlines::default()
        .connect_within(7 * SECOND)
        .layer(Endless);
    for (url, seconds) in [
        ("endless://x", 7),
        ("endless://x?connect_within=2s&colour=red", 2),
    ] {
        let begun = Instant::now();
        let error = layered.connect(&at(url)).await.unwrap_err();
        assert_eq!(begun.elapsed(), seconds * SECOND);
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let words = format!("cannot connect to {url}: not connected within {seconds}s");
        assert_eq!(error.to_string(), words);
    }
}

#[tokio::test]
async fn the_url_is_read_and_what_is_wrong_in_it_is_named() {
    let stack = Stack::new(TcpTransport::default()).with(Deadlines::default());
    let keys = stack.keys();
    for key in ["nodelay", "connect_within", "silence", "send_within"] {
        assert!(keys.contains(key), "{key} is not in {keys:?}");
    }
    for (query, words) in [
        (
            "silence=soon",
            "option 'silence': 'soon' is not a time; write 250ms, 5s or 1h30m, say",
        ),
        ("silenced=5s", "there is no option 'silenced'"),
        ("silence=1s&silence=2s", "option 'silence' is given twice"),
    ] {
        let error = stack
            .listen(&at(&format!("tcp://127.0.0.1:0?{query}")))
            .await;
        let error = error.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidOption);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn zero_is_without_bound_and_the_url_goes_over_the_layer() {
    let registry = Registry::standard();
    let registry = registry
        .layer("mem", Deadlines::default().silence(SECOND))
        .unwrap();
    let mut server = registry.listen("mem://*").await.unwrap();
    let to = server.local().clone();
    let mut bound = registry.connect(to.clone()).await.unwrap();
    let mut unbound = registry.connect(to.with("silence", "0s")).await.unwrap();
    let _accepted = (
        server.accept().await.unwrap(),
        server.accept().await.unwrap(),
    );
    assert!(timeout(60 * SECOND, bound.recv(&mut [0; 8])).await.is_ok());
    assert!(
        timeout(60 * SECOND, unbound.recv(&mut [0; 8]))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_time_beyond_what_the_clock_counts_is_without_bound() {
    let deadlines = Deadlines::default()
        .connect_within(Duration::MAX)
        .silence(Duration::MAX)
        .send_within(Duration::MAX);
    let registry = Registry::standard().layer("mem", deadlines).unwrap();
    let server = registry.listen("mem://*?recv_buffer=1").await.unwrap();
    let mut client = registry.connect(server.local()).await.unwrap();
    let moment = Duration::from_millis(10);
    let (mut buf, bytes) = ([0; 1], [0; 2]);
    assert!(timeout(moment, client.recv(&mut buf)).await.is_err());
    assert!(timeout(moment, client.send_all(&bytes)).await.is_err());
}

#[tokio::test]
async fn closing_may_take_for_ever() {
    let (client, server) = pair("mem://*", &[]).await;
    drop(server);
    let closed = socketry_transport::close(client, 1024, Duration::MAX).await;
    closed.unwrap();
}
