//! Runs of datagrams and batches of them on UDP sockets, with singles in between.
#![cfg(any(target_os = "linux", target_os = "android"))]
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::io::IoSlice;

use quinn_udp::{EcnCodepoint, RecvMeta, UdpSocketState};
use socket2::SockRef;
use socketry_transport::{
    Batch, Cut, DatagramSocket, Endpoint, Half, OsDatagram, OsSocket, PeerAddr, Received, RecvExt,
    RecvHalf, SendExt, SendHalf, SocketParts, Transport, UdpTransport, recv_from, send_to,
};

async fn bound(at: &str) -> OsDatagram {
    let at: Endpoint = at.parse().unwrap();
    UdpTransport::default().bind(&at).await.unwrap()
}

async fn connected(to: &Endpoint) -> OsSocket {
    UdpTransport::default().connect(to).await.unwrap()
}

/// Two sockets that are connected to each other.
async fn pair() -> (OsSocket, OsSocket) {
    let any = "127.0.0.1:0";
    let (one, two) = (
        std::net::UdpSocket::bind(any),
        std::net::UdpSocket::bind(any),
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    one.connect(two.local_addr().unwrap()).unwrap();
    two.connect(one.local_addr().unwrap()).unwrap();
    let os = |socket| SocketParts::from(std::os::fd::OwnedFd::from(socket)).connected();
    (os(one).unwrap(), os(two).unwrap())
}

/// Datagrams of `size` bytes, no two of them alike.
fn run(count: usize, size: usize) -> Vec<u8> {
    (0..count * size)
        .map(|at| (at / size * 7 + at % 251) as u8)
        .collect()
}

async fn send_run(socket: &mut OsSocket, bytes: &[u8], size: usize) -> usize {
    poll_fn(|cx| socket.poll_send_run(cx, bytes, size))
        .await
        .unwrap()
}

async fn receive_batch(socket: &mut OsSocket, batch: &mut Batch) {
    let received = poll_fn(|cx| socket.poll_recv_batch(cx, batch)).await;
    assert_eq!(received.unwrap(), Received::Data);
}

#[tokio::test]
async fn a_run_that_is_longer_than_one_call_takes_goes_in_several() {
    let (mut from, mut to) = pair().await;
    let bytes = run(200, 1200);
    let (mut sent, mut got, mut batch) = (0, Vec::new(), Batch::new());
    while sent < bytes.len() {
        let taken = send_run(&mut from, &bytes[sent..], 1200).await;
        assert!(taken > 1200 && taken <= 65_507 && taken.is_multiple_of(1200));
        sent += taken;
        while got.len() < sent {
            receive_batch(&mut to, &mut batch).await;
            batch.iter().for_each(|datagram| {
                assert_eq!(datagram.bytes.len(), 1200);
                got.extend_from_slice(datagram.bytes);
            });
            batch.clear();
        }
    }
    assert_eq!(got, bytes);
}

#[tokio::test]
async fn a_run_is_its_datagrams_whatever_their_length() {
    let (mut from, mut to) = pair().await;
    for (count, size, last) in [
        (64, 1, 1),
        (65, 1, 1),
        (3, 100, 40),
        (1, 65_507, 0),
        (1, 40_000, 20_000),
    ] {
        let mut bytes = run(count, size);
        bytes.extend_from_slice(&vec![9; last]);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let taken = send_run(&mut from, rest, size).await;
            for expected in rest[..taken].chunks(size) {
                let mut buf = vec![0; 65_535];
                let (len, received) = to.recv(&mut buf).await.unwrap();
                assert_eq!((&buf[..len], received), (expected, Received::Data));
            }
            rest = &rest[taken..];
        }
    }
    assert_eq!(send_run(&mut from, b"", 5).await, 0);
    assert_eq!(to.recv(&mut [0; 5]).await.unwrap(), (0, Received::Data));
}

#[tokio::test]
async fn a_run_of_datagrams_that_are_too_long_is_refused() {
    let (mut from, _to) = pair().await;
    let bytes = vec![0; 140_000];
    let refused = poll_fn(|cx| from.poll_send_run(cx, &bytes, 65_508)).await;
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[tokio::test]
async fn one_call_receives_a_whole_run() {
    let (mut from, mut to) = pair().await;
    let mut batch = Batch::new();
    // The first batch turns merging on, and what waits then was not merged.
    from.send_all(b"first").await.unwrap();
    receive_batch(&mut to, &mut batch).await;
    batch.clear();
    assert_eq!(send_run(&mut from, &run(50, 1200), 1200).await, 60_000);
    receive_batch(&mut to, &mut batch).await;
    assert_eq!(batch.len(), 50);
    assert!(
        batch
            .iter()
            .all(|datagram| datagram.from.is_none() && datagram.cut.is_none())
    );
}

/// What was sent and must come in this order, by whatever calls.
struct Both {
    from: OsSocket,
    to: OsSocket,
    waiting: VecDeque<Vec<u8>>,
    batch: Batch,
}

impl Both {
    async fn send(&mut self, dice: &mut fastrand::Rng) {
        let (count, size) = (dice.usize(1..20), dice.usize(0..1500));
        let mut bytes = run(count, size);
        bytes.extend((0..dice.usize(0..=size)).map(|at| at as u8));
        if size == 0 || dice.bool() {
            let first = &bytes[..size.min(bytes.len())];
            self.from.send_all(first).await.unwrap();
            return self.waiting.push_back(first.to_vec());
        }
        let taken = send_run(&mut self.from, &bytes, size).await;
        let chunks = bytes[..taken].chunks(size);
        self.waiting.extend(chunks.map(<[u8]>::to_vec));
    }

    async fn receive_one(&mut self, dice: &mut fastrand::Rng) {
        let Some(expected) = self.waiting.pop_front() else {
            return;
        };
        let mut buf = vec![0; dice.usize(1..2000)];
        let (len, received) = self.to.recv(&mut buf).await.unwrap();
        let fits = expected.len().min(buf.len());
        assert_eq!(&buf[..len], &expected[..fits]);
        let cut = (fits < expected.len()).then_some(Cut {
            room: fits,
            len: Some(expected.len()),
        });
        assert_eq!(received.cut(), cut);
    }

    async fn receive_many(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        receive_batch(&mut self.to, &mut self.batch).await;
        for datagram in self.batch.iter() {
            let expected = self.waiting.pop_front().unwrap();
            assert_eq!((datagram.bytes, datagram.cut), (&expected[..], None));
        }
        self.batch.clear();
    }
}

#[tokio::test]
async fn singles_and_batches_lose_nothing_in_any_order_of_calls() {
    for seed in 0..200 {
        let mut dice = fastrand::Rng::with_seed(seed);
        let (from, to) = pair().await;
        let mut both = Both {
            from,
            to,
            waiting: VecDeque::new(),
            batch: Batch::new(),
        };
        for _ in 0..60 {
            let waiting: usize = both.waiting.iter().map(|bytes| bytes.len() + 1000).sum();
            match dice.u8(..) {
                // No more than the receive buffer holds.
                0..100 if waiting < 50_000 => both.send(&mut dice).await,
                0..200 => both.receive_one(&mut dice).await,
                _ => both.receive_many().await,
            }
        }
        while !both.waiting.is_empty() {
            both.receive_one(&mut dice).await;
        }
        assert!(
            both.to.as_socket().peek(&mut []).is_err(),
            "seed {seed}: more came than was sent"
        );
    }
}

#[tokio::test]
async fn what_came_merged_is_cut_datagram_by_datagram() {
    let (mut from, mut to) = pair().await;
    let mut batch = Batch::new();
    from.send_all(b"merge from here on").await.unwrap();
    receive_batch(&mut to, &mut batch).await;
    let bytes = run(4, 1000);
    assert_eq!(send_run(&mut from, &bytes, 1000).await, bytes.len());
    let mut buf = [0; 1200];
    for (expected, room) in bytes.chunks(1000).zip([600, 1000, 999]) {
        let received = to.recv(&mut buf[..room]).await.unwrap();
        let cut = if room < 1000 {
            Received::Cut(Cut {
                room,
                len: Some(1000),
            })
        } else {
            Received::Data
        };
        assert_eq!(received, (room, cut));
        assert_eq!(buf[..room], expected[..room]);
    }
    batch.clear();
    receive_batch(&mut to, &mut batch).await;
    let last: Vec<_> = batch.iter().map(|datagram| datagram.bytes).collect();
    assert_eq!(last, [&bytes[3000..]]);
}

#[tokio::test]
async fn the_type_of_service_goes_with_a_run() {
    // Made on another socket, so that nothing but the type of service comes along with a datagram.
    let state = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let state = UdpSocketState::new((&state).into()).unwrap();
    for at in ["127.0.0.1:0", "[::1]:0"] {
        let witness = std::net::UdpSocket::bind(at).unwrap();
        let asked = match witness.local_addr().unwrap().is_ipv4() {
            true => SockRef::from(&witness).set_recv_tos_v4(true),
            false => SockRef::from(&witness).set_recv_tclass_v6(true),
        };
        asked.unwrap();
        let to = format!("udp://{}?tos=2", witness.local_addr().unwrap());
        let mut from = connected(&to.parse().unwrap()).await;
        assert_eq!(send_run(&mut from, &run(3, 100), 100).await, 300);

        let (mut bytes, mut meta) = ([0; 1000], [RecvMeta::default()]);
        let mut slots = [io::IoSliceMut::new(&mut bytes)];
        let received = state.recv((&witness).into(), &mut slots, &mut meta);
        assert_eq!((received.unwrap(), meta[0].len), (1, 100));
        assert_eq!(meta[0].ecn, Some(EcnCodepoint::Ect0));
    }
}

#[tokio::test]
async fn a_batch_of_many_peers_names_each() {
    for at in ["udp://127.0.0.1:0", "udp://[::1]:0"] {
        let server = bound(at).await;
        let mut peers = Vec::new();
        for _ in 0..40 {
            peers.push(connected(server.local()).await);
        }
        let mut expected = Vec::new();
        for (number, peer) in peers.iter_mut().enumerate() {
            let bytes = run(3, number + 1);
            assert_eq!(send_run(peer, &bytes, number + 1).await, bytes.len());
            let from = PeerAddr::try_from(peer.local()).unwrap();
            expected.extend(
                bytes
                    .chunks(number + 1)
                    .map(|one| (one.to_vec(), from.clone())),
            );
        }
        let (mut batch, mut calls) = (Batch::new(), 0);
        while batch.len() < expected.len() {
            poll_fn(|cx| server.poll_recv_batch(cx, &mut batch))
                .await
                .unwrap();
            calls += 1;
        }
        let got = batch
            .iter()
            .map(|one| (one.bytes.to_vec(), one.from.unwrap().clone()));
        assert_eq!(got.collect::<Vec<_>>(), expected);
        assert!(calls < 10, "{calls} calls for 120 datagrams");
    }
}

#[tokio::test]
async fn a_bound_socket_sends_runs_and_names_whom_it_received_from_one_by_one() {
    let (server, client) = (
        bound("udp://127.0.0.1:0").await,
        bound("udp://127.0.0.1:0").await,
    );
    let to = PeerAddr::try_from(server.local()).unwrap();
    let us = PeerAddr::try_from(client.local()).unwrap();
    let mut batch = Batch::new();
    send_to(&client, b"merge from here on", &to).await.unwrap();
    poll_fn(|cx| server.poll_recv_batch(cx, &mut batch))
        .await
        .unwrap();

    let bytes = run(5, 700);
    assert_eq!(client.try_send_run(&bytes, 700, &to).unwrap(), bytes.len());
    client
        .try_send_to(&[IoSlice::new(b"after it")], &to)
        .unwrap();
    let mut buf = [0; 1000];
    for expected in bytes.chunks(700).chain([&b"after it"[..]]) {
        let (len, received, from) = recv_from(&server, &mut buf).await.unwrap();
        assert_eq!(
            (&buf[..len], received, &from),
            (expected, Received::Data, &us)
        );
    }
}

#[tokio::test]
async fn a_refusal_reaches_who_receives_batches_and_the_socket_goes_on() {
    let server = bound("udp://127.0.0.1:0").await;
    let at = server.local().clone();
    let mut client = connected(&at).await;
    drop(server);
    let (mut batch, bytes) = (Batch::new(), run(3, 100));
    // Waits already when the datagram is refused.
    let receiving = poll_fn(|cx| {
        let received = client.poll_recv_batch(cx, &mut batch);
        if received.is_pending() && batch.is_empty() {
            let _ = client.poll_send_run(cx, &bytes, 100);
        }
        received
    });
    let refused = receiving.await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);

    let server = bound(&at.to_string()).await;
    assert_eq!(send_run(&mut client, &bytes, 100).await, 300);
    let mut buf = [0; 200];
    let (len, _, from) = recv_from(&server, &mut buf).await.unwrap();
    send_to(&server, &buf[..len], &from).await.unwrap();
    receive_batch(&mut client, &mut batch).await;
    assert_eq!(batch.iter().next().unwrap().bytes, &bytes[..100]);
}

#[tokio::test]
async fn the_halves_send_runs_and_receive_batches() {
    use socketry_transport::Socket;
    let (from, to) = pair().await;
    let ((_, mut send), (mut recv, _)) = (from.split(), to.split());
    let (bytes, mut batch) = (run(10, 100), Batch::new());
    let sent = poll_fn(|cx| send.poll_send_run(cx, &bytes, 100)).await;
    assert_eq!(sent.unwrap(), 1000);
    let received = poll_fn(|cx| recv.poll_recv_batch(cx, &mut batch)).await;
    assert_eq!((received.unwrap(), batch.len()), (Received::Data, 10));
}
