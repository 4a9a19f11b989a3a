//! Sessions over a socket in memory, where every state can be reached, and over UDP sockets of the
//! kernel.

mod bounds;
mod endings;
mod sending;

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
use crate::contract::socket::{Cut, Half, Received, RecvHalf, SendHalf, Socket};

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

/// The smallest `DatagramSocket` around tokio's UDP socket.
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

/// Lets other tasks run until the condition holds. Fails after ten seconds of real time.
async fn until(mut holds: impl FnMut() -> bool) {
    let began = std::time::Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(10), "in time");
        tokio::task::yield_now().await;
    }
}
