//! The effects of faults on connections with many streams.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io;
use std::time::Duration;

use socketry_testkit::{Fault, Faults, FaultyConnection, FaultyMux, Trace, in_time};
use socketry_transport::{
    Closed, Connection, Endpoint, MemConnection, MemMux, MuxListener, MuxTransport, Received,
    RecvExt, SendExt, StreamReset,
};
use tokio::time::Instant;
use tokio_test::{assert_pending, task};

const ALWAYS: u16 = 1000;
const CODE: u64 = 77;

/// Both ends of a connection, of which the client's has these faults.
async fn pair(plan: &Faults) -> (FaultyConnection<MemConnection>, MemConnection) {
    let mux = MemMux::new();
    let mut listener = mux.listen(&any()).await.unwrap();
    let client = mux.connect(listener.local()).await.unwrap();
    let server = listener.accept().await.unwrap();
    (plan.over_connection(client), server)
}

fn any() -> Endpoint {
    "mem-mux://*".parse().unwrap()
}

fn only(fault: Fault) -> Faults {
    Faults::none().with(fault, ALWAYS).code(CODE)
}

/// Fails unless `error` says that the peer closed with the code of the plan.
fn is_closed_by_peer(error: &io::Error) {
    let closed = Closed::of(error).unwrap_or_else(|| panic!("{error} is no close"));
    assert_eq!((closed.code, closed.by_peer), (CODE, true));
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn both_ends_see_a_close_by_the_peer_in_the_middle() {
    let trace = Trace::new();
    let (mut client, mut server) = pair(&only(Fault::Close).within(4000).traced(&trace)).await;
    let mut other = client.clone();
    let accepting = tokio::spawn(async move { other.accept().await.map(drop) });
    let mut stream = client.open().await.unwrap();
    let mut accepted = server.accept().await.unwrap().unwrap();
    let sending = async {
        loop {
            if let Err(error) = stream.send(&[7; 100]).await {
                return error;
            }
        }
    };
    is_closed_by_peer(&in_time("the close", sending).await);
    is_closed_by_peer(&stream.recv(&mut [0; 8]).await.unwrap_err());
    is_closed_by_peer(&client.open().await.unwrap_err());
    is_closed_by_peer(&client.accept().await.unwrap_err());
    let waited = in_time("the task that accepts", accepting).await.unwrap();
    is_closed_by_peer(&waited.unwrap_err());
    let mut datagrams = client.datagrams().unwrap();
    is_closed_by_peer(&datagrams.send(b"late").await.unwrap_err());

    is_closed_by_peer(&server.accept().await.unwrap_err());
    let heard = async {
        loop {
            if let Err(error) = accepted.recv(&mut [0; 4096]).await {
                return error;
            }
        }
    };
    is_closed_by_peer(&in_time("the peer's error", heard).await);

    let events = trace.events();
    assert_eq!(trace.count(Fault::Close), 1, "{events:?}");
    let words = events[0].to_string();
    assert!(
        words.starts_with("connection 0, socket 0, sending, byte ") && words.ends_with(": Close"),
        "{words}"
    );
}

#[tokio::test]
async fn a_close_by_the_user_comes_before_a_fault() {
    let (mut client, mut server) = pair(&only(Fault::Close).within(1000)).await;
    let mut stream = client.open().await.unwrap();
    client.close(0, "done");
    let error = stream.send(&[0; 5000]).await.unwrap_err();
    let closed = Closed::of(&error).unwrap();
    assert_eq!((closed.code, closed.by_peer), (0, false));
    assert!(client.accept().await.unwrap().is_none());
    assert!(server.accept().await.unwrap().is_some());
    assert!(server.accept().await.unwrap().is_none());
}

#[tokio::test]
async fn a_reset_ends_a_stream_with_its_code_and_no_other() {
    let (mut client, mut server) = pair(&only(Fault::Reset).within(0)).await;
    let mut broken = client.open().await.unwrap();
    let mut accepted = server.accept().await.unwrap().unwrap();
    let error = broken.send(b"never").await.unwrap_err();
    assert_eq!(StreamReset::of(&error), Some(&StreamReset::new(CODE)));
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    drop(broken);
    let error = accepted.recv(&mut [0; 8]).await.unwrap_err();
    assert!(StreamReset::of(&error).is_some(), "{error}");

    let mut datagrams = client.datagrams().unwrap();
    let refused = datagrams.send(b"lost").await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    datagrams.send(b"sent").await.unwrap();
    let mut buf = [0; 8];
    let heard = server.datagrams().unwrap().recv(&mut buf).await.unwrap();
    assert_eq!((heard, &buf[..4]), ((4, Received::Data), &b"sent"[..]));
    let _another = client.open().await.unwrap();
    assert!(server.accept().await.unwrap().is_some());
}

#[tokio::test]
async fn datagrams_are_lost_and_doubled() {
    let mut buf = [0; 8];
    let (client, server) = pair(&only(Fault::Duplication)).await;
    let mut sender = server.datagrams().unwrap();
    sender.send(b"echo").await.unwrap();
    let mut datagrams = client.datagrams().unwrap();
    for _ in 0..2 {
        assert_eq!(datagrams.recv(&mut buf).await.unwrap().0, 4);
    }
    let (client, server) = pair(&only(Fault::Loss)).await;
    let mut sender = server.datagrams().unwrap();
    sender.send(b"gone").await.unwrap();
    let mut datagrams = client.datagrams().unwrap();
    let mut receiving = task::spawn(datagrams.recv(&mut buf));
    assert_pending!(receiving.poll());
}

#[tokio::test]
async fn an_open_and_an_accept_are_pending_once() {
    let trace = Trace::new();
    let (mut client, mut server) = pair(&only(Fault::Pending).traced(&trace)).await;
    let mut opening = task::spawn(client.open());
    assert_pending!(opening.poll());
    assert!(opening.is_woken());
    let _stream = opening.await.unwrap();
    let _asked = server.open().await.unwrap();
    let mut accepting = task::spawn(client.accept());
    assert_pending!(accepting.poll());
    assert!(accepting.is_woken());
    assert!(accepting.await.unwrap().is_some());
    let words: Vec<_> = trace.events().iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "connection 0, handle 0, opening stream 0: Pending",
            "connection 0, handle 0, accepting stream 0: Pending"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_open_waits_for_its_delay() {
    let hour = Duration::from_secs(3600);
    let (mut client, _server) = pair(&only(Fault::Delay).longest_delay(hour)).await;
    let before = Instant::now();
    let _stream = client.open().await.unwrap();
    let waited = before.elapsed();
    assert!(!waited.is_zero() && waited <= hour, "{waited:?}");
}

/// The faults of one conversation over connections from a transport.
async fn conversation(seed: u64) -> String {
    let trace = Trace::new();
    let plan = Faults::harmless().seed(seed).traced(&trace);
    let mux = FaultyMux::new(MemMux::new(), &plan.longest_delay(Duration::ZERO));
    let mut listener = mux.listen(&any()).await.unwrap();
    for _ in 0..2 {
        let mut client = mux.connect(listener.local()).await.unwrap();
        let mut server = listener.accept().await.unwrap();
        for _ in 0..3 {
            let mut sender = client.open().await.unwrap();
            let mut receiver = server.accept().await.unwrap().unwrap();
            sender.send_all(&[7; 300]).await.unwrap();
            sender.finish().await.unwrap();
            let mut heard = 0;
            while let (len, Received::Data) = receiver.recv(&mut [0; 64]).await.unwrap() {
                heard += len;
            }
            assert_eq!(heard, 300);
        }
    }
    let lines: Vec<_> = trace.events().iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[tokio::test]
async fn a_seed_repeats_the_faults_of_all_streams() {
    let first = conversation(1).await;
    assert_eq!(first, conversation(1).await);
    assert_ne!(first, conversation(2).await);
    for connection in [
        "connection 0,",
        "connection 1,",
        "connection 2,",
        "connection 3,",
    ] {
        assert!(first.contains(connection), "{connection} in\n{first}");
    }
}
