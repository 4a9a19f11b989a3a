//! QUIC over networks that lose and change, and over sockets that are not the kernel's.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::time::Duration;

use common::network::Network;
use common::{Pair, at, limits, quic};
use socketry_transport::{ErrorKind, MuxListener, MuxTransport, Received, RecvExt, SendExt};

async fn carries(pair: &mut Pair, bytes: usize) {
    let (mut opened, mut accepted) = pair.stream().await;
    let piece: Vec<u8> = (0..=250).collect();
    let sending = async {
        let mut sent = 0;
        while sent < bytes {
            let part = &piece[..piece.len().min(bytes - sent)];
            opened.send_all(part).await.unwrap();
            sent += part.len();
        }
        opened.finish().await.unwrap();
    };
    let receiving = async {
        let (mut got, mut buf) = (0, vec![0; 65_536]);
        while let (len, Received::Data) = accepted.recv(&mut buf).await.unwrap() {
            let right = buf[..len]
                .iter()
                .zip(got..)
                .all(|(byte, place)| usize::from(*byte) == place % 251);
            assert!(right, "wrong bytes behind {got}");
            got += len;
        }
        assert_eq!(got, bytes);
    };
    tokio::join!(sending, receiving);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_bytes_arrive_whatever_the_network_does() {
    let network = Network::new(20);
    let mut pair = Pair::new(&network.under(&quic())).await;
    carries(&mut pair, 4 << 20).await;
    assert!(network.lost() > 20, "only {} were lost", network.lost());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_congestion_control_recovers_from_losses() {
    for congestion in ["cubic", "reno", "bbr"] {
        let network = Network::new(20);
        let quic = network.under(&quic().limits(limits(|limits| {
            limits.congestion = congestion.parse().unwrap();
        })));
        let mut pair = Pair::new(&quic).await;
        carries(&mut pair, 1 << 20).await;
        assert!(network.lost() > 5, "{congestion}: {} lost", network.lost());
    }
}

#[tokio::test]
async fn a_congestion_control_that_there_is_not_is_refused() {
    let at = at("quic://127.0.0.1:0?congestion=vegas");
    let refused = quic().listen(&at).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidOption);
    let words = refused.to_string();
    assert!(words.contains("not cubic, reno or bbr"), "{words}");
}

#[tokio::test]
async fn a_client_that_moves_keeps_its_connection() {
    let mut pair = Pair::new(&quic()).await;
    let (mut opened, mut accepted) = pair.stream().await;
    let before = pair.server.remote();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let moved = socket.local_addr().unwrap();
    pair.client.rebind(socket).unwrap();
    let mut buf = [0; 16];
    for _ in 0..2 {
        opened.send_all(b"from elsewhere").await.unwrap();
        assert_eq!(accepted.recv(&mut buf).await.unwrap().0, 14);
        accepted.send_all(b"heard").await.unwrap();
        assert_eq!(opened.recv(&mut buf).await.unwrap().0, 5);
    }
    assert_ne!(before, moved);
    assert_eq!(pair.server.remote(), moved);
    assert!(
        pair.server
            .rebind(std::net::UdpSocket::bind("127.0.0.1:0").unwrap())
            .is_err()
    );
}

#[tokio::test]
async fn a_client_that_may_not_move_is_not_followed() {
    let quic = quic().limits(limits(|limits| {
        limits.migration = false;
        limits.finish = Duration::from_millis(300);
    }));
    let mut pair = Pair::new(&quic).await;
    let (mut opened, _accepted) = pair.stream().await;
    let before = pair.server.remote();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    pair.client.rebind(socket).unwrap();
    opened.send_all(b"from elsewhere").await.unwrap();
    assert!(opened.finish().await.is_err());
    assert_eq!(pair.server.remote(), before);
}

#[tokio::test]
async fn a_silent_peer_is_given_up_and_a_quiet_one_is_not() {
    let network = Network::new(0);
    let quiet = quic().limits(limits(|limits| {
        limits.idle = Some(Duration::from_millis(400));
        limits.keep_alive = Some(Duration::from_millis(50));
    }));
    let mut pair = Pair::new(&network.under(&quiet)).await;
    let (_opened, mut accepted) = pair.stream().await;
    let mut buf = [0; 8];
    let waiting = accepted.recv(&mut buf);
    let quiet = tokio::time::timeout(Duration::from_millis(1200), waiting).await;
    assert!(
        quiet.is_err(),
        "a connection that is asked now and then ended: {quiet:?}"
    );
    network.cut();
    let error = accepted.recv(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn beyond_a_bound_clients_prove_their_address_and_show_a_token_when_they_come_again() {
    let quic = quic().limits(limits(|limits| limits.retry_above = 0));
    let pair = Pair::new(&quic).await;
    assert_eq!(pair.listener.stats().retried, 1);
    // The token comes with the server's first packets after the handshake.
    let mut pair = pair;
    let (mut opened, mut accepted) = pair.stream().await;
    accepted.send_all(b"!").await.unwrap();
    assert_eq!(opened.recv(&mut [0; 8]).await.unwrap().0, 1);
    let pair = Pair::at(&quic, pair.listener).await;
    let stats = pair.listener.stats();
    assert_eq!((stats.retried, stats.done), (1, 2), "{stats:?}");
}

#[tokio::test]
async fn clients_beyond_the_backlog_are_refused_in_one_line() {
    let quic = quic();
    let mut listener = quic
        .listen(&at("quic://127.0.0.1:0?backlog=1"))
        .await
        .unwrap();
    let to = listener.local().clone();
    let first = quic.connect(&to).await.unwrap();
    // It is in the backlog once the server's handshake has ended, too.
    let refused = loop {
        match quic.connect(&to).await {
            Err(error) => break error,
            Ok(connection) => drop(connection),
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
    assert!(refused.to_string().contains(to.as_str()), "{refused}");
    assert!(listener.stats().refused > 0);
    drop(listener.accept().await.unwrap());
    drop(first);
    quic.connect(&to).await.unwrap();
}

#[tokio::test]
async fn clients_that_stall_delay_nobody() {
    let quic = quic();
    let listener = quic.listen(&at("quic://127.0.0.1:0")).await.unwrap();
    let to = listener.local().socket_addr().unwrap();
    // Each says hello, and never answers: only its first packets get through.
    let stalled = Network::new(0);
    let halves = stalled.under(&quic);
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (halves, to) = (halves.clone(), listener.local().clone());
        waiting.spawn(async move { halves.connect(&to).await.map(drop) });
    }
    tokio::task::yield_now().await;
    stalled.cut();
    let pair = Pair::at(&quic, listener).await;
    assert_eq!(pair.client.remote(), to);
    waiting.abort_all();
}
