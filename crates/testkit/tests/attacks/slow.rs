//! Peers that send next to nothing, from as many connections as there are places.

use std::time::Duration;

use socketry_apps::matrix::App;
use socketry_apps::{chat, command, file};
use socketry_testkit::Places;
use socketry_transport::{BoxSocket, Endpoint, Received, RecvExt, RecvHalf, SendExt};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::victims::{connect, framed, free, serves, service};

/// In virtual time a real socket would come too late.
const IN_MEMORY: [&str; 2] = ["mem", "tls+mem"];

/// How many conversations a server has at once.
const PLACES: usize = 1024;

/// How long an unfinished frame may take, and how long a server may take to notice.
const DEADLINE: Duration = Duration::from_secs(30);
const SLACK: Duration = Duration::from_secs(2);

/// Sends the beginning of a frame, one byte each `pause`, until the server closes. Returns how long
/// that took.
async fn drip(mut socket: BoxSocket, pause: Duration) -> Duration {
    let begun = Instant::now();
    let mut frame = 1_000i32.to_ne_bytes().to_vec();
    frame.resize(1_004, b'{');
    for byte in frame {
        if socket.send_all(&[byte]).await.is_err() {
            break;
        }
        let mut buf = [0; 64];
        match timeout(pause, socket.recv(&mut buf)).await {
            Ok(Ok((_, Received::Data))) | Err(_) => {}
            Ok(_) => break,
        }
    }
    begun.elapsed()
}

/// Reads until the end or an error.
async fn hung_up(socket: &mut (impl RecvHalf + ?Sized)) -> bool {
    let mut buf = [0; 64];
    loop {
        match socket.recv(&mut buf).await {
            Ok((_, Received::Data | Received::Cut(_))) => {}
            Ok((_, Received::End)) | Err(_) => return true,
        }
    }
}

async fn besiege(app: App, at: &Endpoint) {
    let service = service("json");
    let begun = Instant::now();
    let mut attackers = JoinSet::new();
    for number in 0..PLACES {
        let socket = connect(at).await.unwrap();
        // Some bytes come exactly at the deadline, some between.
        let pause = Duration::from_millis([1_000, 700, 1_500, 250][number % 4]);
        attackers.spawn(drip(socket, pause));
        tokio::task::yield_now().await;
    }
    sleep(Duration::from_secs(5)).await;
    let mut refused = connect(at).await.unwrap();
    let early = timeout(Duration::from_secs(1), hung_up(&mut refused)).await;
    assert!(early.is_ok(), "{app}: there is no place for one more");

    let slowest = attackers.join_all().await.into_iter().max().unwrap();
    assert!(
        slowest <= DEADLINE + SLACK,
        "{app}: one held out for {slowest:?}"
    );
    assert!(
        slowest >= DEADLINE - SLACK,
        "{app}: nobody had the time that a frame may take"
    );
    assert!(
        begun.elapsed() <= DEADLINE + SLACK,
        "{app}: all at one deadline"
    );
    // A server's work with files and processes takes real time.
    tokio::time::resume();
    serves(app, &service, at).await;
    tokio::time::pause();
}

/// If only silence had a deadline, a byte a second would keep a place for ever. The time of a frame
/// runs from its first byte.
#[tokio::test(start_paused = true)]
async fn a_byte_a_second_from_as_many_as_there_are_places() {
    for scheme in IN_MEMORY {
        besiege_each_app(&free(&Places::new(), scheme)).await;
    }
}

async fn besiege_each_app(at: &Endpoint) {
    let json = service("json");
    let stop = std::future::pending;

    let server = chat::Server::bind(&json, at).await.unwrap();
    let place = server.local().clone();
    let (console, _operator) = chat::Console::channel();
    tokio::spawn(server.run(console, stop()));
    besiege(App::Chat, &place).await;

    let server = command::Server::bind(&json, at, command::Policy::AllowAny)
        .await
        .unwrap();
    let place = server.local().clone();
    tokio::spawn(server.run(stop()));
    besiege(App::Command, &place).await;

    let root = tempfile::tempdir().unwrap();
    let server = file::Server::bind(&json, at, root.path()).await.unwrap();
    let place = server.local().clone();
    tokio::spawn(server.run(stop()));
    besiege(App::File, &place).await;
}

/// Bytes that come so often that some are always there at the deadline gain no time.
#[tokio::test(start_paused = true)]
async fn no_rhythm_outlives_the_deadline() {
    for scheme in IN_MEMORY {
        let at = free(&Places::new(), scheme);
        for pause in [1, 2, 10, 100, 333, 999, 1_000, 1_001, 5_000].map(Duration::from_millis) {
            for codec in ["struct", "line", "json:bare"] {
                let (mut attacker, victim) = framed(&at, codec.parse().unwrap()).await;
                let mut victim = victim.frame_time(Some(Duration::from_secs(3)));
                let begun = Instant::now();
                let receiving = tokio::spawn(async move { victim.recv().await.map(drop) });
                let begin: &[u8] = if codec == "struct" {
                    &100_000i32.to_ne_bytes()
                } else {
                    b"{"
                };
                let mut sent = attacker.send_all(begin).await;
                // If both are due, this task runs first, so that a byte is there already.
                while sent.is_ok() && begun.elapsed() < DEADLINE {
                    sleep(pause).await;
                    sent = attacker.send_all(b"a").await;
                }
                let took = begun.elapsed();
                assert!(
                    took <= Duration::from_secs(4) + 2 * pause,
                    "{scheme}, {codec}, every {pause:?}: {took:?}"
                );
                let error = receiving.await.unwrap().unwrap_err();
                assert!(error.is_fatal(), "{error}");
            }
        }
    }
}
