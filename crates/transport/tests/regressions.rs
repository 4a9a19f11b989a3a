//! What reviews found in the transports, so that it does not come back.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use socketry_transport::{
    Aborted, Endpoint, Half, Info, Listener, PeerAddr, Received, RecvExt, RecvHalf, SendExt,
    SendHalf, SessionLimits, Shape, SocketOptions, Transport, UnixDgramTransport, UnixTransport,
    connect, listen, recv_from, send_to,
};

fn at(url: &str) -> Endpoint {
    url.parse().unwrap()
}

/// The room for a datagram that arrives is what *we* may send.
#[tokio::test]
async fn a_small_send_buffer_cuts_nothing_that_arrives() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let mut server = listen(format!("unix-dgram://{}", path.display()))
        .await
        .unwrap();
    let client = connect(format!("unix-dgram://{}?send_buffer=2048", path.display())).await;
    let mut client = client.unwrap();
    client.send_all(b"hello").await.unwrap();
    let mut session = server.accept().await.unwrap();
    session.send_all(&[7; 50_000]).await.unwrap();
    // What `Framed` and `TextSocket` do.
    let mut buf = vec![0; client.recv_room()];
    let (_, received) = client.recv(&mut buf).await.unwrap();
    assert_eq!(received, Received::Data);
}

#[tokio::test]
async fn many_parts_are_sent_in_part() {
    let mut server = listen("tcp://127.0.0.1:0").await.unwrap();
    let mut client = connect(server.local()).await.unwrap();
    let _accepted = server.accept().await.unwrap();
    let parts = vec![IoSlice::new(b"x"); 2000];
    let sent = poll_fn(|cx| client.poll_send(cx, &parts)).await;
    assert!(sent.is_ok_and(|sent| sent > 0));
}

/// What the option `only_v6` says of them: a program that lets some addresses in relies on it.
#[tokio::test]
async fn an_ipv4_peer_of_a_listener_for_both_has_a_mapped_address() {
    let mut server = listen("tcp://[::]:0?only_v6=false").await.unwrap();
    let to = format!("tcp://127.0.0.1:{}", server.local().port().unwrap());
    let client = connect(&*to).await.unwrap();
    let accepted = server.accept().await.unwrap();
    let (peer, local) = (accepted.peer().socket_addr(), client.local().socket_addr());
    let (peer, local) = (peer.unwrap(), local.unwrap());
    assert!(peer.is_ipv6());
    assert_eq!(peer.ip().to_canonical(), local.ip());
    assert_eq!(peer.port(), local.port());
}

#[tokio::test]
async fn what_stands_behind_many_empty_parts_is_sent() {
    let mut server = listen("tcp://127.0.0.1:0").await.unwrap();
    let mut client = connect(server.local()).await.unwrap();
    let _accepted = server.accept().await.unwrap();
    let mut parts = vec![IoSlice::new(b""); 2000];
    parts.push(IoSlice::new(b"x"));
    let sent = poll_fn(|cx| client.poll_send(cx, &parts)).await;
    assert_eq!(sent.unwrap(), 1);
    let sent = poll_fn(|cx| client.poll_send(cx, &parts[..2000])).await;
    assert_eq!(sent.unwrap(), 0);
}

/// A datagram socket whose flush takes a while.
struct Slow {
    sent: Arc<Mutex<Vec<Vec<u8>>>>,
    flushed: bool,
    info: Info,
}

impl Half for Slow {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl SendHalf for Slow {
    fn poll_send(&mut self, _: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let all: Vec<u8> = parts.iter().flat_map(|part| part.to_vec()).collect();
        let len = all.len();
        self.sent.lock().unwrap().push(all);
        Poll::Ready(Ok(len))
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if std::mem::replace(&mut self.flushed, true) {
            return Poll::Ready(Ok(()));
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Ok(Aborted::Nothing)
    }
}

#[tokio::test]
async fn a_flush_that_waits_does_not_send_again() {
    let sent = Arc::default();
    let mut socket = Slow {
        sent: Arc::clone(&sent),
        flushed: false,
        info: Info::new(
            Shape::Datagram { max_len: 100 },
            at("mem://slow"),
            at("mem://slow"),
        ),
    };
    socket.send_all(b"once").await.unwrap();
    assert_eq!(*sent.lock().unwrap(), [b"once"]);
}

/// One server stops while the next one starts: the next one's file stays.
#[test]
fn a_listener_that_goes_leaves_its_successors_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let place = at(&format!("unix://{}", path.display()));
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().build().unwrap()
    };
    let ours = runtime();
    let (mut lost, mut failed) = (0, Vec::new());
    for _ in 0..300 {
        let old = ours
            .block_on(UnixTransport::default().listen(&place))
            .unwrap();
        let going = Arc::new(AtomicBool::new(false));
        let (told, place) = (Arc::clone(&going), place.clone());
        let next = std::thread::spawn(move || {
            let runtime = runtime();
            let mut errors = Vec::new();
            told.store(true, Ordering::Release);
            loop {
                match runtime.block_on(UnixTransport::default().listen(&place)) {
                    Ok(listener) => return (runtime, listener, errors),
                    Err(error) => errors.push(error.kind()),
                }
            }
        });
        while !going.load(Ordering::Acquire) {
            std::hint::spin_loop();
        }
        drop(old);
        let (runtime, listener, errors) = next.join().unwrap();
        lost += usize::from(!path.exists());
        failed.extend(errors);
        drop((listener, runtime));
        let _ = std::fs::remove_file(&path);
    }
    failed.retain(|kind| *kind != socketry_transport::ErrorKind::InUse);
    assert!(
        lost == 0 && failed.is_empty(),
        "{lost} files of live listeners were removed; strange errors: {failed:?}"
    );
}

#[test]
fn the_default_backlog_is_the_one_that_is_documented() {
    let limits = SessionLimits::from(&SocketOptions::default());
    let documented = usize::try_from(SocketOptions::DEFAULT_BACKLOG).unwrap();
    assert_eq!(limits.backlog, documented);
}

/// A dual-stack socket tells IPv6's limit of IPv4 peers too.
#[tokio::test]
async fn a_largest_datagram_is_one_that_can_be_sent() {
    let mut server = listen("udp://[::]:0").await.unwrap();
    let (_, port) = server.local().host_port().unwrap();
    let mut client = connect(format!("udp://127.0.0.1:{port}")).await.unwrap();
    client.send_all(b"x").await.unwrap();
    let mut session = server.accept().await.unwrap();
    let Shape::Datagram { max_len } = session.shape() else {
        panic!("datagrams")
    };
    session.send_all(&vec![0; max_len]).await.unwrap();
}

/// The kernel disconnects a Unix datagram socket whose peer is gone, and lets any process send to
/// it from then on.
#[tokio::test]
async fn no_stranger_takes_the_place_of_a_peer_that_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name| {
        at(&format!(
            "unix-dgram://{}/{name}",
            directory.path().display()
        ))
    };
    let transport = UnixDgramTransport::default();
    let bound = transport.bind(&place("peer")).await.unwrap();
    let stranger = transport.bind(&place("stranger")).await.unwrap();
    let mut client = connect(place("peer")).await.unwrap();
    let to = PeerAddr::try_from(client.local()).unwrap();
    drop(bound);
    for _ in 0..3 {
        let refused = client.send(b"anybody?").await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        send_to(&stranger, b"trust me", &to).await.unwrap_err();
    }
    // The client reaches the next socket that is bound there, and receives from it.
    let back = transport.bind(&place("peer")).await.unwrap();
    client.send_all(b"again").await.unwrap();
    let mut buf = [0; 16];
    let (len, _, from) = recv_from(&back, &mut buf).await.unwrap();
    assert_eq!(&buf[..len], b"again");
    send_to(&stranger, b"trust me", &to).await.unwrap_err();
    send_to(&back, b"here", &from).await.unwrap();
    assert_eq!(client.recv(&mut buf).await.unwrap(), (4, Received::Data));
    assert_eq!(&buf[..4], b"here");
}
