//! Sessions over a socket in memory, where every state can be reached, and over UDP, where the
//! kernel has its say.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::ReadBuf;
use tokio::sync::Notify;

use super::*;
use crate::contract::datagram::batch::Batch;
use crate::contract::datagram::{BoxFuture, PeerAddr, recv_from, send_to};
use crate::contract::endpoint::Address;
use crate::contract::socket::{Half, Received, RecvHalf, SendHalf, Socket};

type Arrival = io::Result<(Vec<u8>, Received, PeerAddr)>;

/// A datagram socket whose network is two vectors.
struct Wire {
    local: Endpoint,
    arriving: Mutex<VecDeque<Arrival>>,
    receiver: Mutex<Option<Waker>>,
    polls: AtomicUsize,
    sent: Mutex<Vec<(Vec<u8>, PeerAddr)>>,
    full: AtomicBool,
    room: Notify,
    failing: AtomicBool,
}

impl Wire {
    fn new() -> Arc<Self> {
        Arc::new(Wire {
            local: "mem://wire".parse().unwrap(),
            arriving: Mutex::default(),
            receiver: Mutex::default(),
            polls: AtomicUsize::new(0),
            sent: Mutex::default(),
            full: AtomicBool::new(false),
            room: Notify::new(),
            failing: AtomicBool::new(false),
        })
    }

    fn arrive(&self, arrival: Arrival) {
        self.arriving.lock().unwrap().push_back(arrival);
        if let Some(waker) = self.receiver.lock().unwrap().take() {
            waker.wake();
        }
    }

    fn from(&self, name: &str, text: &str) {
        self.arrive(Ok((text.into(), Received::Data, peer(name))));
    }

    fn sent(&self) -> Vec<(Vec<u8>, PeerAddr)> {
        std::mem::take(&mut self.sent.lock().unwrap())
    }
}

impl DatagramSocket for Wire {
    fn local(&self) -> &Endpoint {
        &self.local
    }
    fn max_len(&self) -> usize {
        100_000
    }
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        self.polls.fetch_add(1, SeqCst);
        if self.failing.load(SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionRefused.into()));
        }
        *self.receiver.lock().unwrap() = Some(cx.waker().clone());
        let Some(next) = self.arriving.lock().unwrap().pop_front() else {
            return Poll::Pending;
        };
        let (bytes, received, from) = next?;
        buf.put_slice(&bytes);
        Poll::Ready(Ok((received, from)))
    }
    fn try_send_to(&self, parts: &[IoSlice<'_>], to: &PeerAddr) -> io::Result<usize> {
        if self.full.load(SeqCst) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let bytes = joined(parts);
        let len = bytes.len();
        self.sent.lock().unwrap().push((bytes, to.clone()));
        Ok(len)
    }
    fn writable<'a>(&'a self, _: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(async {
            let room = self.room.notified();
            if self.full.load(SeqCst) {
                room.await;
            }
            Ok(())
        })
    }
}

/// The least that makes tokio's UDP socket one of ours.
struct Udp(tokio::net::UdpSocket, Endpoint);

impl Udp {
    async fn bind(at: &str) -> io::Result<Self> {
        let socket = tokio::net::UdpSocket::bind(at).await?;
        let local = Endpoint::new("udp", Address::Ip(socket.local_addr()?))?;
        Ok(Udp(socket, local))
    }

    fn address(&self) -> PeerAddr {
        self.0.local_addr().unwrap().into()
    }
}

impl DatagramSocket for Udp {
    fn local(&self) -> &Endpoint {
        &self.1
    }
    fn max_len(&self) -> usize {
        65_507
    }
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        let from = ready!(self.0.poll_recv_from(cx, buf))?;
        Poll::Ready(Ok((Received::Data, from.into())))
    }
    fn try_send_to(&self, parts: &[IoSlice<'_>], to: &PeerAddr) -> io::Result<usize> {
        let PeerAddr::Ip { address, .. } = to else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        self.0.try_send_to(&joined(parts), *address)
    }
    fn writable<'a>(&'a self, _: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>> {
        Box::pin(self.0.writable())
    }
}

fn joined(parts: &[IoSlice<'_>]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.to_vec()).collect()
}

fn peer(name: &str) -> PeerAddr {
    PeerAddr::Name(name.into())
}

fn listen(wire: &Arc<Wire>, limits: SessionLimits) -> SessionListener<Wire> {
    SessionListener::new(Arc::clone(wire), limits)
}

/// Ten seconds, of real or of paused time: longer than any wait in these tests.
async fn in_time<T>(wait: impl Future<Output = T>) -> T {
    let limited = tokio::time::timeout(Duration::from_secs(10), wait).await;
    limited.expect("it comes in time")
}

async fn accept<D: DatagramSocket>(listener: &mut SessionListener<D>) -> Session<D> {
    in_time(listener.accept()).await.unwrap()
}

async fn recv(half: &mut impl RecvHalf) -> (Received, Vec<u8>) {
    let mut bytes = vec![0; 200_000];
    let mut buf = ReadBuf::new(&mut bytes);
    let received = in_time(poll_fn(|cx| half.poll_recv(cx, &mut buf))).await;
    (received.unwrap(), buf.filled().to_vec())
}

async fn recv_text(half: &mut impl RecvHalf) -> String {
    let (received, bytes) = recv(half).await;
    assert_eq!(received, Received::Data);
    String::from_utf8(bytes).unwrap()
}

async fn send(half: &mut impl SendHalf, text: &str) -> io::Result<usize> {
    poll_fn(|cx| half.poll_send(cx, &[IoSlice::new(text.as_bytes())])).await
}

/// Lets the others run until something holds; fails after ten seconds of real time.
async fn until(mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10), "in time");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_peer_gets_a_session_and_its_own_datagrams() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    for (name, text) in [("ann", "a1"), ("bob", "b1"), ("ann", "a2"), ("ann", "")] {
        wire.from(name, text);
    }
    let mut ann = accept(&mut listener).await;
    let mut bob = accept(&mut listener).await;
    assert_eq!(ann.peer().to_string(), "mem://ann");
    assert_eq!(bob.peer_addr(), &peer("bob"));
    assert_eq!(ann.local(), listener.local());
    assert_eq!(recv_text(&mut bob).await, "b1");
    for text in ["a1", "a2", ""] {
        assert_eq!(recv_text(&mut ann).await, text);
    }
    assert_eq!(send(&mut bob, "hi").await.unwrap(), 2);
    assert_eq!(wire.sent(), [(b"hi".to_vec(), peer("bob"))]);
    assert_eq!(listener.stats(), SessionStats::default());
}

#[tokio::test]
async fn accept_then_talk_over_udp_and_the_address_is_free_afterwards() {
    let server = Udp::bind("127.0.0.1:0").await.unwrap();
    let at = server.address();
    let mut listener = SessionListener::new(server, SessionLimits::default());
    let (one, two) = (
        Udp::bind("127.0.0.1:0").await.unwrap(),
        Udp::bind("127.0.0.1:0").await.unwrap(),
    );
    let mut sessions = Vec::new();
    for client in [&one, &two] {
        send_to(client, b"hello", &at).await.unwrap();
        let session = accept(&mut listener).await;
        assert_eq!(session.peer_addr(), &client.address());
        sessions.push(session);
    }
    drop(listener);
    for (client, session) in [&one, &two].into_iter().zip(&mut sessions) {
        assert_eq!(recv_text(session).await, "hello");
        send_to(client, b"again", &at).await.unwrap();
        assert_eq!(recv_text(session).await, "again");
        send(session, "answer").await.unwrap();
        let mut buf = [0; 16];
        let (len, _, from) = recv_from(client, &mut buf).await.unwrap();
        assert_eq!((&buf[..len], from), (&b"answer"[..], at.clone()));
    }
    drop(sessions);
    let PeerAddr::Ip { address, .. } = at else {
        unreachable!()
    };
    until(|| std::net::UdpSocket::bind(address).is_ok()).await;
}

#[tokio::test]
async fn a_full_table_refuses_the_newcomer_and_keeps_the_others() {
    let wire = Wire::new();
    let limits = SessionLimits {
        max_peers: 2,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "1");
    wire.from("bob", "1");
    let mut ann = accept(&mut listener).await;
    let bob = accept(&mut listener).await;
    wire.from("eve", "1");
    wire.from("ann", "2");
    assert_eq!(recv_text(&mut ann).await, "1");
    assert_eq!(recv_text(&mut ann).await, "2");
    assert_eq!(listener.stats().refused_peers, 1);

    drop(bob);
    wire.from("eve", "2");
    let mut eve = accept(&mut listener).await;
    assert_eq!(recv_text(&mut eve).await, "2");
}

#[tokio::test]
async fn a_full_backlog_refuses_the_newcomer() {
    let wire = Wire::new();
    let limits = SessionLimits {
        backlog: 1,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    for name in ["ann", "bob", "ann"] {
        wire.from(name, "x");
    }
    until(|| listener.stats().refused_peers == 1).await;
    let mut ann = accept(&mut listener).await;
    assert_eq!(ann.peer_addr(), &peer("ann"));
    wire.from("bob", "now");
    let mut bob = accept(&mut listener).await;
    assert_eq!(recv_text(&mut bob).await, "now");
    for _ in 0..2 {
        assert_eq!(recv_text(&mut ann).await, "x");
    }
}

#[tokio::test]
async fn a_full_queue_drops_the_newest() {
    let wire = Wire::new();
    let limits = SessionLimits {
        queue: 2,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    for text in ["1", "2", "3", "4"] {
        wire.from("ann", text);
    }
    until(|| listener.stats().dropped_datagrams == 2).await;
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv_text(&mut ann).await, "1");
    assert_eq!(recv_text(&mut ann).await, "2");
    wire.from("ann", "5");
    assert_eq!(recv_text(&mut ann).await, "5");
}

#[tokio::test]
async fn a_queue_is_bounded_in_bytes_too() {
    let wire = Wire::new();
    let limits = SessionLimits {
        queue_bytes: 5,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    for text in ["one alone fits", "no", "room"] {
        wire.from("ann", text);
    }
    until(|| listener.stats().dropped_datagrams == 2).await;
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv_text(&mut ann).await, "one alone fits");
    for text in ["four", "1", "2"] {
        wire.from("ann", text);
    }
    until(|| listener.stats().dropped_datagrams == 3).await;
    assert_eq!(recv_text(&mut ann).await, "four");
    assert_eq!(recv_text(&mut ann).await, "1");
}

#[tokio::test]
async fn senders_without_a_name_are_counted_and_make_no_session() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.arrive(Ok((b"?".to_vec(), Received::Data, PeerAddr::Unnamed)));
    wire.from("ann", "x");
    assert_eq!(accept(&mut listener).await.peer_addr(), &peer("ann"));
    assert_eq!(listener.stats().unnamed, 1);
}

#[tokio::test]
async fn cut_datagrams_say_so() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.arrive(Ok((b"head".to_vec(), Received::Cut, peer("ann"))));
    wire.from("ann", "longer");
    wire.from("ann", "next");
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv(&mut ann).await, (Received::Cut, b"head".to_vec()));

    let mut nothing = ReadBuf::new(&mut []);
    let received = poll_fn(|cx| ann.poll_recv(cx, &mut nothing)).await;
    assert_eq!(received.unwrap(), Received::Data, "and nothing is lost");
    let mut short = [0; 4];
    let mut buf = ReadBuf::new(&mut short);
    let received = poll_fn(|cx| ann.poll_recv(cx, &mut buf)).await;
    assert_eq!(received.unwrap(), Received::Cut);
    assert_eq!(buf.filled(), b"long");
    assert_eq!(recv_text(&mut ann).await, "next");
}

#[tokio::test]
async fn a_batch_takes_all_that_is_queued_large_ones_too() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    let large = "x".repeat(90_000);
    wire.from("ann", "small");
    wire.from("ann", &large);
    wire.arrive(Ok((b"head".to_vec(), Received::Cut, peer("ann"))));
    wire.from("bob", "last");
    let mut ann = accept(&mut listener).await;
    drop(accept(&mut listener).await);
    let mut batch = Batch::new();
    let received = poll_fn(|cx| ann.poll_recv_batch(cx, &mut batch)).await;
    assert_eq!(received.unwrap(), Received::Data);
    let got: Vec<_> = batch.iter().map(|d| (d.bytes.len(), d.cut)).collect();
    assert_eq!(got, [(5, false), (90_000, false), (4, true)]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_session_ends_and_its_address_is_a_new_peers() {
    let wire = Wire::new();
    let limits = SessionLimits {
        idle: Duration::from_millis(6400),
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "early");
    let mut old = accept(&mut listener).await;
    let began = tokio::time::Instant::now();
    assert_eq!(recv_text(&mut old).await, "early");
    assert_eq!(recv(&mut old).await.0, Received::End);
    let lasted = began.elapsed().as_secs_f32();
    assert!((6.39..=6.61).contains(&lasted), "{lasted}");
    assert_eq!(recv(&mut old).await.0, Received::End, "and so it stays");
    let error = send(&mut old, "late").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);

    wire.from("ann", "back");
    let mut new = accept(&mut listener).await;
    drop(old);
    wire.from("ann", "still here");
    assert_eq!(recv_text(&mut new).await, "back");
    assert_eq!(recv_text(&mut new).await, "still here");
}

#[tokio::test(start_paused = true)]
async fn traffic_in_either_direction_and_waiting_in_the_backlog_keep_a_session() {
    let wire = Wire::new();
    let limits = SessionLimits {
        idle: Duration::from_millis(6400),
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "x");
    tokio::time::sleep(Duration::from_secs(1000)).await;
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv_text(&mut ann).await, "x");
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_secs(5)).await;
        send(&mut ann, "ping").await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        wire.from("ann", "pong");
        assert_eq!(recv_text(&mut ann).await, "pong");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_idle_time_is_no_overflow() {
    let wire = Wire::new();
    let limits = SessionLimits {
        idle: Duration::MAX,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "x");
    let mut ann = accept(&mut listener).await;
    tokio::time::sleep(Duration::from_secs(86_400)).await;
    send(&mut ann, "still").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn errors_neither_stop_nor_spin_the_pump() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.failing.store(true, SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let polls = wire.polls.load(SeqCst);
    assert!((50..100).contains(&polls), "{polls} in a minute");
    assert_eq!(listener.stats().errors, polls as u64);

    wire.failing.store(false, SeqCst);
    wire.from("ann", "x");
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv_text(&mut ann).await, "x");
    // One error among datagrams concerns no other, and costs no time.
    let began = tokio::time::Instant::now();
    wire.arrive(Err(io::ErrorKind::ConnectionRefused.into()));
    wire.from("ann", "y");
    assert_eq!(recv_text(&mut ann).await, "y");
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test]
async fn sessions_outlive_the_listener_and_the_pump_ends_with_the_last() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.from("ann", "1");
    wire.from("bob", "1");
    let mut ann = accept(&mut listener).await;
    until(|| wire.arriving.lock().unwrap().is_empty()).await;
    drop(listener);
    wire.from("eve", "ignored");
    wire.from("ann", "2");
    assert_eq!(recv_text(&mut ann).await, "1");
    assert_eq!(recv_text(&mut ann).await, "2");

    let (recv, send) = ann.split();
    drop(recv);
    assert!(Arc::strong_count(&wire) > 1);
    drop(send);
    until(|| Arc::strong_count(&wire) == 1).await;
}

#[tokio::test]
async fn a_listener_without_sessions_takes_the_pump_with_it() {
    let wire = Wire::new();
    let listener = listen(&wire, SessionLimits::default());
    wire.from("ann", "never accepted");
    until(|| wire.arriving.lock().unwrap().is_empty()).await;
    drop(listener);
    until(|| Arc::strong_count(&wire) == 1).await;
}

#[tokio::test]
async fn a_dropped_receiving_half_keeps_nothing() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.from("ann", "1");
    let (recv, mut sender) = accept(&mut listener).await.split();
    drop(recv);
    wire.from("ann", "2");
    until(|| listener.stats().dropped_datagrams == 1).await;
    send(&mut sender, "still").await.unwrap();
}

#[tokio::test]
async fn all_who_wait_for_room_are_served() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.full.store(true, SeqCst);
    let mut tasks = tokio::task::JoinSet::new();
    let waiting = Arc::new(AtomicUsize::new(0));
    for i in 0..20 {
        wire.from(&format!("peer{i}"), "x");
        let mut session = accept(&mut listener).await;
        let waiting = Arc::clone(&waiting);
        tasks.spawn(async move {
            let mut first = true;
            poll_fn(|cx| {
                let sent = session.poll_send(cx, &[IoSlice::new(b"y")]);
                if std::mem::take(&mut first) {
                    assert!(sent.is_pending());
                    waiting.fetch_add(1, SeqCst);
                }
                sent
            })
            .await
        });
    }
    until(|| waiting.load(SeqCst) == 20).await;
    wire.full.store(false, SeqCst);
    wire.room.notify_waiters();
    let all = tokio::time::timeout(Duration::from_secs(10), tasks.join_all()).await;
    assert!(all.unwrap().into_iter().all(|sent| sent.unwrap() == 1));
    assert_eq!(wire.sent().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_is_told_when_the_session_ends() {
    let wire = Wire::new();
    let limits = SessionLimits {
        idle: Duration::from_millis(6400),
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "x");
    let mut ann = accept(&mut listener).await;
    wire.full.store(true, SeqCst);
    let began = tokio::time::Instant::now();
    let error = in_time(send(&mut ann, "y")).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert!(began.elapsed() < Duration::from_secs(7), "at once");
}

#[tokio::test]
async fn too_long_is_refused_with_both_numbers_and_finished_is_finished() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.from("ann", "x");
    let mut ann = accept(&mut listener).await;
    let error = send(&mut ann, &"x".repeat(100_001)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let words = error.to_string();
    assert!(
        words.contains("100001") && words.contains("100000"),
        "{words}"
    );

    poll_fn(|cx| ann.poll_finish(cx)).await.unwrap();
    poll_fn(|cx| ann.poll_finish(cx)).await.unwrap();
    let error = send(&mut ann, "y").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(wire.sent(), []);
    assert_eq!(recv_text(&mut ann).await, "x", "receiving goes on");
}

#[test]
fn when_the_runtime_goes_nobody_waits_for_ever() {
    let wire = Wire::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut listener, mut ann) = runtime.block_on(async {
        let mut listener = listen(&wire, SessionLimits::default());
        wire.from("ann", "x");
        let ann = accept(&mut listener).await;
        (listener, ann)
    });
    drop(runtime);
    let other = tokio::runtime::Runtime::new().unwrap();
    other.block_on(async {
        assert_eq!(recv_text(&mut ann).await, "x");
        assert_eq!(recv(&mut ann).await.0, Received::End);
        let error = in_time(listener.accept()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_that_come_and_go_under_load_lock_nobody_out() {
    let wire = Wire::new();
    let limits = SessionLimits {
        max_peers: 20,
        queue: 4,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    let flood = tokio::spawn({
        let wire = Arc::clone(&wire);
        async move {
            for i in 0..20_000 {
                wire.from(&format!("peer{}", i % 50), "x");
                if i % 100 == 0 {
                    until(|| wire.arriving.lock().unwrap().len() < 100).await;
                }
            }
        }
    });
    let mut talks = tokio::task::JoinSet::new();
    while !flood.is_finished() {
        let Ok(accepted) =
            tokio::time::timeout(Duration::from_millis(100), listener.accept()).await
        else {
            continue;
        };
        let (mut receiver, mut sender) = accepted.unwrap().split();
        talks.spawn(async move {
            assert_eq!(recv_text(&mut receiver).await, "x");
            drop(receiver);
            send(&mut sender, "y").await.unwrap();
        });
    }
    flood.await.unwrap();
    drop(listener);
    while let Some(talk) = talks.join_next().await {
        talk.unwrap();
    }
    assert!(wire.sent().len() > 20, "many more than fit at once");
    until(|| Arc::strong_count(&wire) == 1).await;
}
