//! How streams and connections end.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::io::ErrorKind;
use std::time::Duration;

use common::network::Network;
use common::{Pair, limits, quic};
use socketry_transport::{
    Aborted, Closed, Connection, Received, RecvExt, RecvHalf, SendExt, SendHalf, Socket,
    StreamReset,
};

/// All that comes, and how it ends.
async fn all(stream: &mut impl RecvHalf) -> (usize, std::io::Result<()>) {
    let (mut len, mut buf) = (0, vec![0; 65_536]);
    loop {
        match stream.recv(&mut buf).await {
            Ok((more, Received::Data)) => len += more,
            Ok(_) => return (len, Ok(())),
            Err(error) => return (len, Err(error)),
        }
    }
}

#[tokio::test]
async fn a_finish_and_a_close_at_once_lose_nothing() {
    let mut pair = Pair::new(&quic()).await;
    let (mut opened, mut accepted) = pair.stream().await;
    let sending = async {
        opened.send_all(&[7; 100_000]).await.unwrap();
        opened.finish().await.unwrap();
        pair.client.close(0, "");
    };
    let ((), (len, end)) = tokio::join!(sending, all(&mut accepted));
    assert_eq!(len, 100_000);
    end.unwrap();
}

#[tokio::test]
async fn a_reader_that_closes_at_the_end_does_not_fail_the_finish() {
    for _ in 0..50 {
        let mut pair = Pair::new(&quic()).await;
        let (mut opened, mut accepted) = pair.stream().await;
        let sending = async {
            opened.send_all(&[7; 100_000]).await.unwrap();
            opened.finish().await
        };
        let reading = async {
            let (len, end) = all(&mut accepted).await;
            pair.server.close(0, "");
            (len, end)
        };
        let (finished, (len, end)) = tokio::join!(sending, reading);
        finished.unwrap();
        end.unwrap();
        assert_eq!(len, 100_000);
    }
}

#[tokio::test]
async fn a_dropped_stream_arrives_whole_and_its_connection_waits_for_it() {
    let mut pair = Pair::new(&quic()).await;
    let (mut opened, mut accepted) = pair.stream().await;
    let sending = async {
        opened.send_all(&[7; 100_000]).await.unwrap();
        drop((opened, pair.client));
    };
    let ((), (len, end)) = tokio::join!(sending, all(&mut accepted));
    assert_eq!(len, 100_000);
    end.unwrap();
    assert!(pair.server.accept().await.unwrap().is_none());
}

/// 2,000,000 bytes are offered, which is more than the windows have room for.
async fn cut(opened: &mut impl SendHalf) -> usize {
    opened.send(&[7; 2_000_000]).await.unwrap()
}

#[tokio::test]
async fn a_stream_that_is_dropped_inside_a_send_does_not_look_whole() {
    let quic = quic().limits(limits(|limits| limits.stream_window = 100_000));
    let mut pair = Pair::new(&quic).await;
    let (mut opened, mut accepted) = pair.stream().await;
    assert!(cut(&mut opened).await < 2_000_000);
    drop(opened);
    let (_, end) = all(&mut accepted).await;
    assert_eq!(
        StreamReset::of(&end.unwrap_err()),
        Some(&StreamReset::new(0))
    );
}

#[tokio::test]
async fn the_rest_of_a_send_makes_it_whole_again() {
    let quic = quic().limits(limits(|limits| limits.stream_window = 100_000));
    let mut pair = Pair::new(&quic).await;
    let (mut opened, mut accepted) = pair.stream().await;
    let sending = async {
        let taken = cut(&mut opened).await;
        opened.send_all(&vec![7; 2_000_000 - taken]).await.unwrap();
        drop(opened);
    };
    let ((), (len, end)) = tokio::join!(sending, all(&mut accepted));
    assert_eq!(len, 2_000_000);
    end.unwrap();
}

#[tokio::test]
async fn an_abort_is_told_before_the_connection_closes() {
    let mut pair = Pair::new(&quic()).await;
    let (mut opened, mut accepted) = pair.stream().await;
    assert_eq!(opened.abort(77).unwrap(), Aborted::Reset);
    drop((opened, pair.client));
    let (_, end) = all(&mut accepted).await;
    assert_eq!(
        StreamReset::of(&end.unwrap_err()),
        Some(&StreamReset::new(77))
    );
    assert!(pair.server.accept().await.unwrap().is_none());
}

#[tokio::test]
async fn who_reads_no_more_is_a_broken_pipe_and_an_abort_a_reset() {
    let mut pair = Pair::new(&quic()).await;
    for (code, kind) in [(0, ErrorKind::BrokenPipe), (9, ErrorKind::ConnectionReset)] {
        let (mut opened, mut accepted) = pair.stream().await;
        match code {
            0 => drop(accepted),
            code => {
                let _ = accepted.abort(code).unwrap();
            }
        }
        let error = loop {
            if let Err(error) = opened.send(&[0; 1000]).await {
                break error;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(error.kind(), kind, "{error}");
        let told = StreamReset::of(&error).map(|reset| reset.code);
        assert_eq!(told, (code != 0).then_some(code));
        let error = opened.finish().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn a_close_is_told_with_code_and_reason() {
    let mut pair = Pair::new(&quic()).await;
    let (_opened, mut accepted) = pair.stream().await;
    pair.client.close(u64::MAX, "\u{1b}too much");
    let (_, end) = all(&mut accepted).await;
    let error = end.unwrap_err();
    // The largest number that QUIC can write.
    let most = (1 << 62) - 1;
    assert_eq!(
        Closed::of(&error),
        Some(&Closed::by_peer(most, "\u{1b}too much"))
    );
    assert!(!error.to_string().contains('\u{1b}'));
}

#[tokio::test]
async fn a_peer_that_never_reads_ends_a_finish_at_its_deadline() {
    let quic = quic().limits(limits(|limits| {
        limits.stream_window = 1000;
        limits.finish = Duration::from_millis(100);
    }));
    let mut pair = Pair::new(&quic).await;
    let (mut opened, mut accepted) = pair.stream().await;
    // The window is full, and one byte more waits here. A send that waits takes nothing.
    while let Ok(sent) =
        tokio::time::timeout(Duration::from_millis(50), opened.send(&[0; 100])).await
    {
        sent.unwrap();
    }
    // What the peer's QUIC has, it has: unread bytes are no reason to wait.
    opened.finish().await.unwrap();
    assert!(all(&mut accepted).await.1.is_ok());
}

#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_ends_a_finish_at_its_deadline() {
    let network = Network::new(0);
    let quic = quic().limits(limits(|limits| limits.finish = Duration::from_millis(100)));
    let mut pair = Pair::new(&network.under(&quic)).await;
    let (mut opened, _accepted) = pair.stream().await;
    network.cut();
    opened.send_all(b"heard by nobody").await.unwrap();
    let error = opened.finish().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}

#[tokio::test]
async fn the_halves_end_the_stream_when_both_are_gone() {
    let mut pair = Pair::new(&quic()).await;
    let (opened, mut accepted) = pair.stream().await;
    let (recv, mut send) = opened.split();
    drop(recv);
    send.send_all(b"still here").await.unwrap();
    let mut buf = [0; 32];
    assert_eq!(accepted.recv(&mut buf).await.unwrap().0, 10);
    accepted.send_all(b"nobody reads").await.unwrap();
    drop(send);
    assert_eq!(accepted.recv(&mut buf).await.unwrap(), (0, Received::End));
}
