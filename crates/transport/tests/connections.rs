//! Connections in memory, used without care.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use socketry_transport::{
    BoxSocket, Connection, MemConnection, MemMux, MuxListener, MuxTransport, RecvExt, RecvHalf,
    SendExt, SendHalf,
};
use tokio::io::ReadBuf;

async fn pair(url: &str) -> (MemConnection, MemConnection) {
    let mux = MemMux::new();
    let mut listener = mux.listen(&url.parse().unwrap()).await.unwrap();
    let client = mux.connect(listener.local()).await.unwrap();
    (client, listener.accept().await.unwrap())
}

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

#[tokio::test]
async fn a_handle_that_is_dropped_while_it_waits_leaves_nothing() {
    let (mut client, _server) = pair("mem-mux://*?streams=1").await;
    let _only = client.open().await.unwrap();
    let nobody = Arc::new(Nobody);
    let waker = Waker::from(Arc::clone(&nobody));
    let mut cx = Context::from_waker(&waker);
    for _ in 0..100 {
        assert!(client.clone().poll_accept(&mut cx).is_pending());
        assert!(client.clone().poll_open(&mut cx).is_pending());
        let mut datagrams = client.datagrams().unwrap();
        let mut room = [0; 8];
        let mut buf = ReadBuf::new(&mut room);
        assert!(datagrams.poll_recv(&mut cx, &mut buf).is_pending());
    }
    drop(waker);
    assert_eq!(Arc::strong_count(&nobody), 1);
}

/// Whether another task of this thread runs while `busy` does, which never has to wait.
async fn lets_others_run(busy: impl Future<Output = ()>) -> bool {
    let ran = Arc::new(AtomicBool::new(false));
    let other = Arc::clone(&ran);
    tokio::spawn(async move { other.store(true, Ordering::Relaxed) });
    busy.await;
    ran.load(Ordering::Relaxed)
}

#[tokio::test]
async fn a_task_that_only_sends_datagrams_lets_others_run() {
    let (client, _server) = pair("mem-mux://*").await;
    let mut datagrams = client.datagrams().unwrap();
    let busy = async {
        for _ in 0..10_000 {
            datagrams.send(b"x").await.unwrap();
        }
    };
    assert!(lets_others_run(busy).await);
}

#[tokio::test]
async fn so_does_one_that_only_receives_them() {
    let (client, server) = pair("mem-mux://*").await;
    let (mut sent, mut arrived) = (client.datagrams().unwrap(), server.datagrams().unwrap());
    // As many as wait at once.
    for _ in 0..256 {
        sent.send(b"x").await.unwrap();
    }
    tokio::task::yield_now().await; // with a budget as at first
    let busy = async {
        for _ in 0..256 {
            let _ = arrived.recv(&mut [0; 8]).await.unwrap();
        }
    };
    assert!(lets_others_run(busy).await);
}

#[tokio::test]
async fn so_does_one_that_only_opens_or_accepts_streams() {
    let (mut client, mut server) = pair("mem-mux://*?streams=1000").await;
    let mut streams = Vec::new();
    let busy = async {
        for _ in 0..1_000 {
            streams.push(client.open().await.unwrap());
        }
    };
    assert!(lets_others_run(busy).await, "opening");
    let busy = async {
        for _ in 0..1_000 {
            server.accept().await.unwrap().unwrap();
        }
    };
    assert!(lets_others_run(busy).await, "accepting");
}

/// A task that uses connections when it is woken, and when it is dropped.
struct User {
    connections: Vec<MemConnection>,
    used: Arc<AtomicUsize>,
}

impl User {
    fn waker(connections: &[MemConnection], used: &Arc<AtomicUsize>) -> Waker {
        Waker::from(Arc::new(User {
            connections: connections.to_vec(),
            used: Arc::clone(used),
        }))
    }

    fn uses_all(&self) {
        for connection in &self.connections {
            assert!(connection.datagrams().is_some());
        }
        self.used.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wake for User {
    fn wake(self: Arc<Self>) {
        self.uses_all();
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.uses_all();
    }
}

/// Runs `body` on a thread of its own, which would wait for a lock for ever.
fn in_time(body: impl FnOnce() + Send + 'static) {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        body();
        let _ = done.send(());
    });
    let finished = finished.recv_timeout(Duration::from_secs(20));
    finished.expect("it hangs, or it panicked above");
}

type Ends = [MemConnection; 2];

/// The client and the server. Each stream has room for four bytes, and there is one at a time.
fn ends() -> Ends {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let pair = pair("mem-mux://*?streams=1&recv_buffer=4");
    runtime.unwrap().block_on(pair).into()
}

fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

fn now<T>(poll: Poll<io::Result<T>>) -> T {
    match poll {
        Poll::Ready(done) => done.unwrap(),
        Poll::Pending => panic!("it waits"),
    }
}

fn receives(socket: &mut impl RecvHalf, cx: &mut Context<'_>) {
    let mut room = [0; 8];
    assert!(
        socket
            .poll_recv(cx, &mut ReadBuf::new(&mut room))
            .is_pending()
    );
}

/// What a task waits for: an accepted stream.
fn accepts([_, server]: &mut Ends, cx: &mut Context<'_>) -> Vec<BoxSocket> {
    assert!(server.poll_accept(cx).is_pending());
    Vec::new()
}

/// Room for another stream.
fn opens([client, server]: &mut Ends, cx: &mut Context<'_>) -> Vec<BoxSocket> {
    let ours = now(client.poll_open(&mut nobody()));
    let theirs = now(server.poll_accept(&mut nobody())).unwrap();
    assert!(client.poll_open(cx).is_pending());
    vec![BoxSocket::new(ours), BoxSocket::new(theirs)]
}

/// Bytes of a stream, and room in it.
fn streams(ends: &mut Ends, cx: &mut Context<'_>) -> Vec<BoxSocket> {
    let mut both = opens(ends, &mut nobody());
    let full = [IoSlice::new(&[0; 4])];
    now(both[0].poll_send(cx, &full));
    assert!(both[0].poll_send(cx, &full).is_pending());
    receives(&mut both[0], cx);
    both
}

/// A datagram.
fn datagrams(ends: &mut Ends, cx: &mut Context<'_>) -> Vec<BoxSocket> {
    let mut sockets = ends.each_ref().map(|end| end.datagrams().unwrap());
    receives(&mut sockets[1], cx);
    sockets.into()
}

fn close(ends: &mut Ends, _: Vec<BoxSocket>) {
    ends[0].close(1, "");
}

/// A name, what waits, and what wakes it.
type Case = (
    &'static str,
    fn(&mut Ends, &mut Context<'_>) -> Vec<BoxSocket>,
    fn(&mut Ends, Vec<BoxSocket>),
);

const CASES: [Case; 8] = [
    ("an accept and a stream", accepts, |[client, _], _| {
        now(client.poll_open(&mut nobody()));
    }),
    ("an open and a stream that goes", opens, |_, both| {
        drop(both);
    }),
    ("a stream and its peer that goes", streams, |_, mut both| {
        drop(both.swap_remove(1));
    }),
    ("a datagram", datagrams, |_, mut both| {
        now(both[0].poll_send(&mut nobody(), &[IoSlice::new(b"x")]));
    }),
    ("an accept and a close", accepts, close),
    ("an open and a close", opens, close),
    ("a stream and a close", streams, close),
    ("datagrams and a close", datagrams, close),
];

#[test]
fn a_task_that_is_woken_may_use_its_connection() {
    for (name, wait, then) in CASES {
        in_time(move || {
            let mut ends = ends();
            let used = Arc::default();
            let waker = User::waker(&ends, &used);
            let sockets = wait(&mut ends, &mut Context::from_waker(&waker));
            then(&mut ends, sockets);
            assert!(used.load(Ordering::Relaxed) > 0, "{name}");
        });
    }
}

#[test]
fn a_task_that_waits_for_a_peer_that_goes_may_use_its_connection() {
    in_time(|| {
        let [mut client, server] = ends();
        let used = Arc::default();
        let waker = User::waker(&[client.clone()], &used);
        let cx = &mut Context::from_waker(&waker);
        let mut stream = now(client.poll_open(cx));
        assert!(client.poll_accept(cx).is_pending());
        receives(&mut stream, cx);
        drop(server);
        assert_eq!(used.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn a_task_that_no_longer_waits_may_go_with_its_connection() {
    for (_, wait, _) in CASES {
        in_time(move || {
            let mut ends = ends();
            let used = Arc::default();
            let waker = User::waker(&ends, &used);
            let mut sockets = wait(&mut ends, &mut Context::from_waker(&waker));
            drop(waker);
            // Another task polls what it polled.
            let [client, server] = &mut ends;
            let _ = server.poll_accept(&mut nobody());
            let _ = client.poll_open(&mut nobody());
            for socket in &mut sockets {
                let _ = socket.poll_recv(&mut nobody(), &mut ReadBuf::new(&mut [0; 8]));
                let _ = socket.poll_send(&mut nobody(), &[IoSlice::new(b"x")]);
            }
            assert!(used.load(Ordering::Relaxed) > 0);
        });
    }
}
