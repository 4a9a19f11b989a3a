//! One sender, one receiver, as fast as they can.

use std::future::poll_fn;
use std::io::IoSliceMut;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use socketry_transport::{Batch, DatagramSocket, SendHalf, SocketParts, Transport, UdpTransport};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio_util::codec::BytesCodec;
use tokio_util::udp::UdpFramed;

use crate::contest::{Contest, Unit, Work};
use crate::stream::block_on;
use crate::tally::{Tally, frame};

const SIZE: usize = 1200;
/// How many datagrams a run has.
const RUN: usize = 50;
/// How long the receiver counts.
const LONG: Duration = Duration::from_millis(300);

pub(super) fn contest() -> Contest {
    Contest::new("udp flow", "1200 B", Unit::Frames)
        .side("ours", || run(ours_receives, ours_sends))
        .side("quinn-udp", || run(quinn_receives, quinn_sends))
        .side("tokio", || run(tokio_receives, tokio_sends))
        .side("UdpFramed", || run(util_receives, util_sends))
        .target("ours", "quinn-udp", 0.95)
        .target("ours", "tokio", 15.0)
}

/// The datagrams that arrived, and since when.
struct Count {
    tally: Tally,
    begun: Option<Instant>,
}

impl Count {
    fn new() -> Self {
        let tally = Tally::default();
        Count { tally, begun: None }
    }

    #[inline]
    fn see(&mut self, datagram: &[u8]) {
        self.tally.see(datagram);
    }

    /// Checked after each call.
    fn is_over(&mut self) -> bool {
        self.begun.get_or_insert_with(Instant::now).elapsed() >= LONG
    }

    fn work(&self) -> Work {
        Work {
            amount: self.tally.frames as f64,
            elapsed: self.begun.unwrap().elapsed(),
        }
    }
}

fn run(receive: fn(StdSocket, &mut Count), send: fn(StdSocket, SocketAddr, &AtomicBool)) -> Work {
    let any = (std::net::Ipv4Addr::LOCALHOST, 0);
    let (to, from) = (StdSocket::bind(any).unwrap(), StdSocket::bind(any).unwrap());
    to.set_nonblocking(true).unwrap();
    from.set_nonblocking(true).unwrap();
    let (at, over) = (to.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
    let sender = {
        let over = Arc::clone(&over);
        thread::spawn(move || send(from, at, &over))
    };
    let mut count = Count::new();
    receive(to, &mut count);
    let work = count.work();
    over.store(true, Ordering::Relaxed);
    sender.join().unwrap();
    assert_eq!(count.tally, Tally::of(&frame(SIZE), count.tally.frames));
    work
}

fn ours_receives(socket: StdSocket, count: &mut Count) {
    block_on(async {
        let socket = SocketParts::from(std::os::fd::OwnedFd::from(socket)).bound();
        let (socket, mut batch) = (socket.unwrap(), Batch::new());
        while !count.is_over() {
            poll_fn(|cx| socket.poll_recv_batch(cx, &mut batch))
                .await
                .unwrap();
            batch.iter().for_each(|datagram| count.see(datagram.bytes));
            batch.clear();
        }
    });
}

fn ours_sends(_: StdSocket, to: SocketAddr, over: &AtomicBool) {
    let bytes = frame(SIZE).repeat(RUN);
    block_on(async {
        let to = format!("udp://{to}").parse().unwrap();
        let mut socket = UdpTransport::default().connect(&to).await.unwrap();
        while !over.load(Ordering::Relaxed) {
            // If the receiver is gone, its host refuses further datagrams.
            let _ = poll_fn(|cx| socket.poll_send_run(cx, &bytes, SIZE)).await;
        }
    });
}

fn quinn_receives(socket: StdSocket, count: &mut Count) {
    block_on(async {
        let socket = UdpSocket::from_std(socket).unwrap();
        let state = UdpSocketState::new((&socket).into()).unwrap();
        let mut room = vec![0; quinn_udp::BATCH_SIZE * 65_536];
        let mut metas = [RecvMeta::default(); quinn_udp::BATCH_SIZE];
        let mut slots: Vec<_> = room.chunks_mut(65_536).map(IoSliceMut::new).collect();
        while !count.is_over() {
            let receive = || state.recv((&socket).into(), &mut slots, &mut metas);
            let received = socket.async_io(Interest::READABLE, receive).await.unwrap();
            for (meta, slot) in metas[..received].iter().zip(&slots) {
                slot[..meta.len]
                    .chunks(meta.stride)
                    .for_each(|one| count.see(one));
            }
        }
    });
}

fn quinn_sends(socket: StdSocket, to: SocketAddr, over: &AtomicBool) {
    let bytes = frame(SIZE).repeat(RUN);
    let transmit = Transmit {
        destination: to,
        ecn: None,
        contents: &bytes,
        segment_size: Some(SIZE),
        src_ip: None,
    };
    block_on(async {
        let socket = UdpSocket::from_std(socket).unwrap();
        let state = UdpSocketState::new((&socket).into()).unwrap();
        while !over.load(Ordering::Relaxed) {
            let send = || state.try_send((&socket).into(), &transmit);
            let _ = socket.async_io(Interest::WRITABLE, send).await;
        }
    });
}

fn tokio_receives(socket: StdSocket, count: &mut Count) {
    block_on(async {
        let (socket, mut buf) = (UdpSocket::from_std(socket).unwrap(), vec![0; 65_536]);
        while !count.is_over() {
            let (len, _) = socket.recv_from(&mut buf).await.unwrap();
            count.see(&buf[..len]);
        }
    });
}

fn tokio_sends(socket: StdSocket, to: SocketAddr, over: &AtomicBool) {
    let bytes = frame(SIZE);
    block_on(async {
        let socket = UdpSocket::from_std(socket).unwrap();
        while !over.load(Ordering::Relaxed) {
            let _ = socket.send_to(&bytes, to).await;
        }
    });
}

fn util_receives(socket: StdSocket, count: &mut Count) {
    block_on(async {
        let socket = UdpSocket::from_std(socket).unwrap();
        let mut framed = UdpFramed::new(socket, BytesCodec::new());
        while !count.is_over() {
            let (datagram, _): (BytesMut, _) = framed.next().await.unwrap().unwrap();
            count.see(&datagram);
        }
    });
}

fn util_sends(socket: StdSocket, to: SocketAddr, over: &AtomicBool) {
    let bytes = Bytes::from(frame(SIZE));
    block_on(async {
        let socket = UdpSocket::from_std(socket).unwrap();
        let mut framed = UdpFramed::new(socket, BytesCodec::new());
        while !over.load(Ordering::Relaxed) {
            let _ = framed.feed((bytes.clone(), to)).await;
        }
    });
}
