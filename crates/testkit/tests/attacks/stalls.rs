//! Clients of TLS that begin a handshake and stall.

use std::time::Duration;

use allocation_counter::measure;
use socketry_transport::{BoxSocket, Endpoint, Listener, RecvExt, SendExt};
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use crate::victims::{connect, listen, served_once};

const STALLED: usize = 1_000;
const STALL: Duration = Duration::from_secs(60);

/// The most that both ends of a handshake which stalls may hold, in bytes: of it, 4 KiB are the
/// buffer of rustls.
const MOST: u64 = 16 << 10;

/// The begin of a record with a hello, cut anywhere: it may be nothing.
fn beginning(number: usize) -> &'static [u8] {
    let hello = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];
    &hello[..number % (hello.len() + 1)]
}

async fn stalled(plain: &Endpoint, count: usize) -> Vec<BoxSocket> {
    let mut all = Vec::new();
    for number in 0..count {
        let mut socket = connect(plain).await.unwrap();
        socket.send_all(beginning(number)).await.unwrap();
        all.push(socket);
        // The listener accepts, and the handshake begins.
        tokio::task::yield_now().await;
    }
    all
}

/// Clients come while `count` handshakes stall, which all end at their deadline.
async fn clients_beside(count: usize) {
    let at = format!("tls+mem://*?handshake_timeout={}s", STALL.as_secs());
    let mut listener = listen(&at.parse().unwrap()).await.unwrap();
    let local = listener.local().clone().without_query();
    let (give, mut accepted) = mpsc::unbounded_channel();
    let accepting = tokio::spawn(async move {
        while let Ok(socket) = listener.accept().await {
            let _ = give.send(socket);
        }
    });
    let begun = Instant::now();
    let mut all = stalled(&local.with_scheme("mem").unwrap(), count).await;
    for _ in 0..5 {
        // Virtual time passes only while no task can go on.
        let asked = Instant::now();
        let client = connect(&local).await.unwrap();
        served_once(client, accepted.recv().await.unwrap()).await;
        assert!(asked.elapsed() < Duration::from_secs(1));
        sleep(STALL / 10).await;
    }
    assert!(begun.elapsed() < STALL);
    for socket in &mut all {
        let gone = timeout(2 * STALL, socket.recv(&mut [0; 64])).await;
        assert!(!matches!(gone, Ok(Ok((1.., _))) | Err(_)), "{gone:?}");
    }
    let late = begun.elapsed().saturating_sub(STALL);
    assert!(late < Duration::from_secs(1), "{late:?} after the deadline");
    accepting.abort();
}

#[test]
fn a_thousand_stalled_handshakes_delay_nobody_and_hold_little() {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    // What the first handshake makes, and all others use.
    runtime.block_on(clients_beside(0));
    let quiet = measure(|| runtime.block_on(clients_beside(0))).bytes_max;
    let held = measure(|| runtime.block_on(clients_beside(STALLED))).bytes_max - quiet;
    let each = held / STALLED as u64;
    assert!(each < MOST, "{each} bytes for each handshake that stalls");
}
