//! Handshakes in the background: one that fails or hangs harms no other client.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, Error, ErrorKind, Half, Listener, ListenerExt, Received,
    RecvExt, Result, SendExt, UpgradeLimits, UpgradeStats, UpgradeTrouble, Upgrading, connect,
    listen,
};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

type Greeted = Upgrading<BoxListener, BoxSocket>;

/// The peer says one byte: 1 is welcome, 2 makes the handshake fail, 3 makes it panic.
async fn greet(mut socket: BoxSocket) -> io::Result<BoxSocket> {
    let mut byte = [0];
    match (socket.recv(&mut byte).await?, byte) {
        ((1, Received::Data), [1]) => Ok(socket),
        ((1, Received::Data), [3]) => panic!("a handshake that panics"),
        _ => Err(io::Error::other("no welcome")),
    }
}

async fn greeting(url: &str, at_once: usize) -> Greeted {
    let deadline = SECOND;
    let limits = UpgradeLimits { at_once, deadline };
    listen(url).await.unwrap().upgrading(limits, greet)
}

async fn client(of: &impl Listener, byte: u8) -> BoxSocket {
    let mut client = connect(of.local()).await.unwrap();
    client.send_all(&[byte]).await.unwrap();
    client
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_delays_nobody_and_is_dropped_at_the_deadline() {
    for url in ["mem://*", "tcp://127.0.0.1:0"] {
        let mut listener = greeting(url, 8).await;
        let mut silent = connect(listener.local()).await.unwrap();
        let good = client(&listener, 1).await;
        let begun = Instant::now();
        let accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.peer(), good.local());
        assert!(begun.elapsed() < SECOND, "{url}: {:?}", begun.elapsed());

        let accepting = tokio::spawn(async move { listener.accept().await.map(drop) });
        let received = silent.recv(&mut [0; 8]).await;
        assert!(matches!(received, Ok((0, Received::End)) | Err(_)));
        assert!((SECOND..2 * SECOND).contains(&begun.elapsed()));
        accepting.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_counted_and_told_and_never_reaches_the_accept_loop() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let teller = Arc::clone(&told);
    let listener = greeting("mem://*", 8).await;
    let mut listener = listener.on_failure(move |failure| {
        let words = match &failure.trouble {
            UpgradeTrouble::Failed(error) => error.to_string(),
            other => format!("{other:?}"),
        };
        let mut told = teller.lock().unwrap();
        told.push((
            failure.peer.clone(),
            words,
            failure.elapsed,
            failure.to_string(),
        ));
    });
    let bad = client(&listener, 2).await;
    let ill = client(&listener, 3).await;
    let silent = connect(listener.local()).await.unwrap();
    let later = async {
        tokio::time::sleep(3 * SECOND).await;
        client(&Named(silent.peer().clone()), 1).await
    };
    let (accepted, good) = tokio::join!(listener.accept(), later);
    assert_eq!(accepted.unwrap().peer(), good.local());

    let told = told.lock().unwrap();
    let of = |socket: &BoxSocket| {
        let found = told.iter().filter(|(peer, ..)| peer == socket.local());
        let mut found: Vec<_> = found
            .map(|(_, why, after, line)| (&**why, *after, line))
            .collect();
        assert_eq!(found.len(), 1, "{told:?}");
        found.remove(0)
    };
    assert_eq!(of(&bad).0, "no welcome");
    assert_eq!(of(&ill).0, "Panicked");
    let (why, after, line) = of(&silent);
    assert_eq!((why, after), ("TimedOut", SECOND));
    let peer = silent.local();
    assert_eq!(
        *line,
        format!("the handshake with {peer} was not finished within 1s")
    );
    let stats = listener.stats();
    let UpgradeStats {
        succeeded,
        failed,
        timed_out,
        panicked,
        ..
    } = stats;
    assert_eq!((succeeded, failed, timed_out, panicked), (1, 1, 1, 1));
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "as this test wants");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_counted_and_told_if_its_value_panics_when_it_is_dropped() {
    let told = Arc::new(AtomicUsize::new(0));
    let teller = Arc::clone(&told);
    let limits = UpgradeLimits::default();
    let mut listener = listen("mem://*")
        .await
        .unwrap()
        .upgrading(
            limits,
            async |mut socket: BoxSocket| -> io::Result<BoxSocket> {
                let mut kind = [0];
                let _ = socket.recv(&mut kind).await?;
                match kind {
                    [1] => Ok(socket),
                    [2] => std::panic::panic_any(Bomb),
                    _ => {
                        let _bomb = Bomb;
                        std::future::pending().await
                    }
                }
            },
        )
        .on_failure(move |_| {
            teller.fetch_add(1, Ordering::Relaxed);
        });
    let _bad = [client(&listener, 2).await, client(&listener, 3).await];
    let at = Named(listener.local().clone());
    let later = async {
        tokio::time::sleep(2 * limits.deadline).await;
        client(&at, 1).await
    };
    let (accepted, _good) = tokio::join!(listener.accept(), later);
    accepted.unwrap();
    let stats = listener.stats();
    assert_eq!(
        (stats.panicked, stats.timed_out, stats.succeeded),
        (1, 1, 1)
    );
    assert_eq!(told.load(Ordering::Relaxed), 2);
}

/// Only a place to connect to.
struct Named(Endpoint);

impl Listener for Named {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        &self.0
    }
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_harms_nobody() {
    let listener = greeting("mem://*", 1).await;
    let mut listener = listener.on_failure(|failure| panic!("told of {failure}"));
    for byte in [2, 3, 2] {
        client(&listener, byte).await;
    }
    let good = client(&listener, 1).await;
    assert_eq!(listener.accept().await.unwrap().peer(), good.local());
}

/// With all places taken by peers that say nothing, those behind wait one deadline for each round
/// of places before them, and no longer.
#[tokio::test(start_paused = true)]
async fn a_thousand_silent_peers_keep_a_good_one_waiting_no_longer_than_their_deadlines() {
    for (url, at_once, deadlines) in [
        ("mem://*?backlog=2000", 2_000, 0),
        ("mem://*?backlog=2000", 1_000, 1),
        ("mem://*?backlog=2000", 300, 3),
        ("tcp://127.0.0.1:0?backlog=2000", 2_000, 0),
    ] {
        let mut listener = greeting(url, at_once).await;
        let mut silent = Vec::new();
        for _ in 0..1_000 {
            silent.push(connect(listener.local()).await.unwrap());
        }
        let good = client(&listener, 1).await;
        let begun = Instant::now();
        let accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.peer(), good.local());
        let most = (deadlines * SECOND) + SECOND / 10;
        assert!(begun.elapsed() <= most, "{url}: {:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_places_run_at_once_and_finished_ones_count() {
    let running = Arc::new(Semaphore::new(100));
    let counted = Arc::clone(&running);
    let limits = UpgradeLimits {
        at_once: 3,
        deadline: SECOND,
    };
    let listener = listen("mem://*").await.unwrap();
    let mut listener = listener.upgrading(limits, move |socket: BoxSocket| {
        let counted = Arc::clone(&counted);
        async move {
            counted
                .acquire()
                .await
                .map(tokio::sync::SemaphorePermit::forget)?;
            Ok::<_, tokio::sync::AcquireError>(socket)
        }
    });
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(client(&listener, 1).await);
    }
    let mut accepted = vec![listener.accept().await.unwrap()];
    tokio::time::sleep(10 * SECOND).await;
    // One was given out; at most three more are finished or run.
    assert!(running.available_permits() >= 100 - 4);
    while accepted.len() < clients.len() {
        accepted.push(listener.accept().await.unwrap());
    }
    let mut peers: Vec<_> = accepted
        .iter()
        .map(|socket| socket.peer().to_string())
        .collect();
    let mut locals: Vec<_> = clients
        .iter()
        .map(|socket| socket.local().to_string())
        .collect();
    peers.sort();
    locals.sort();
    assert_eq!(peers, locals);
    assert_eq!(listener.stats().succeeded, 10);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_accept_loses_nobody() {
    let mut listener = greeting("mem://*", 8).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(client(&listener, 1).await);
    }
    let mut accepted = 0;
    while accepted < clients.len() {
        // Polled once, and dropped.
        tokio::select! {
            biased;
            socket = listener.accept() => { socket.unwrap(); accepted += 1; }
            () = std::future::ready(()) => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_the_listener_drops_the_handshakes() {
    let mut listener = greeting("mem://*", 8).await;
    let mut silent = connect(listener.local()).await.unwrap();
    let nobody = timeout(SECOND / 10, listener.accept()).await;
    assert!(nobody.is_err());
    let begun = Instant::now();
    drop(listener);
    let received = silent.recv(&mut [0; 8]).await;
    assert!(matches!(received, Ok((0, Received::End)) | Err(_)));
    assert!(begun.elapsed() < SECOND / 2);
}

/// Gives out its sockets, and then fails each time.
struct Failing {
    local: Endpoint,
    sockets: Vec<BoxSocket>,
}

impl Listener for Failing {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        &self.local
    }
    fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        let failed = || Error::new(ErrorKind::Closed, "accept at", &self.local);
        Poll::Ready(self.sockets.pop().ok_or_else(failed))
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_of_the_listener_comes_after_all_that_had_begun() {
    let mut server = listen("mem://*").await.unwrap();
    let (mut clients, mut sockets) = (Vec::new(), Vec::new());
    for byte in [1, 2, 1] {
        clients.push(client(&server, byte).await);
        sockets.push(server.accept().await.unwrap());
    }
    clients.push(connect(server.local()).await.unwrap());
    sockets.push(server.accept().await.unwrap());
    let local = server.local().clone();
    let limits = UpgradeLimits {
        at_once: 8,
        deadline: SECOND,
    };
    let mut listener = Failing { local, sockets }.upgrading(limits, greet);
    for _ in 0..2 {
        listener.accept().await.unwrap();
    }
    for _ in 0..2 {
        let error = listener.accept().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    }
    let stats = listener.stats();
    assert_eq!((stats.succeeded, stats.failed, stats.timed_out), (2, 1, 1));
}
