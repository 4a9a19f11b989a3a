//! One peer of the shared socket, as a socket of its own.

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::task::coop::poll_proceed;

use super::peer::{Peer, Queue};
use super::table::Hub;
use crate::contract::datagram::batch::Batch;
use crate::contract::datagram::{BoxFuture, DatagramSocket, PeerAddr};
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf};

/// How often one poll tries to send through a socket that reports room and then has none, before
/// other tasks of the thread run.
const TRIES: usize = 8;

/// A socket for one peer of a [`SessionListener`](super::SessionListener).
///
/// It receives the datagrams of the peer, and sends to the peer. After
/// [`idle`](super::SessionLimits::idle) without traffic it ends. Datagrams that have arrived can
/// still be received, and then [`Received::End`] follows. Sending fails with `BrokenPipe`. Dropping
/// the session, or both its halves, ends it at once.
pub type Session<D> = Joined<SessionRecv<D>, SessionSend<D>>;

/// The receiving half of a [`Session`]. Once it is dropped, the peer's datagrams are dropped too.
pub struct SessionRecv<D: DatagramSocket> {
    link: Arc<Link<D>>,
}

/// The sending half of a [`Session`].
pub struct SessionSend<D: DatagramSocket> {
    link: Arc<Link<D>>,
    /// The wait for room, if the socket had none. It is a future of its own, since a socket has one
    /// waker slot and many sessions wait.
    waiting: Option<BoxFuture<'static, io::Result<()>>>,
    finished: bool,
}

/// A session's place in the table. Both halves hold it, and dropping the last one gives it up.
struct Link<D: DatagramSocket> {
    socket: Arc<D>,
    hub: Arc<Hub>,
    peer: Arc<Peer>,
}

impl<D: DatagramSocket> Drop for Link<D> {
    fn drop(&mut self) {
        self.hub.leave(&self.peer);
    }
}

impl<D: DatagramSocket> Session<D> {
    pub(super) fn of(socket: &Arc<D>, hub: &Arc<Hub>, peer: Arc<Peer>) -> Self {
        let link = Arc::new(Link {
            socket: Arc::clone(socket),
            hub: Arc::clone(hub),
            peer,
        });
        let recv = SessionRecv {
            link: Arc::clone(&link),
        };
        let send = SessionSend {
            link,
            waiting: None,
            finished: false,
        };
        Joined::new(recv, send)
    }

    /// The peer's address, as the shared socket gives it.
    pub fn peer_addr(&self) -> &PeerAddr {
        &self.halves().0.link.peer.addr
    }
}

impl<D: DatagramSocket> Drop for SessionRecv<D> {
    fn drop(&mut self) {
        self.link.peer.deafen();
    }
}

impl<D: DatagramSocket> RecvHalf for SessionRecv<D> {
    fn recv_room(&self) -> usize {
        self.link.socket.recv_room()
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        let turn = ready!(poll_proceed(cx));
        let next = ready!(self.link.peer.poll_take(cx, Queue::pop));
        turn.made_progress();
        let Some((bytes, cut)) = next else {
            return Poll::Ready(Ok(Received::End));
        };
        Poll::Ready(Ok(Received::again(&bytes, cut, buf)))
    }

    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        let turn = ready!(poll_proceed(cx));
        // Taken out of the lock first, so that the pump does not wait for the copying.
        let all = ready!(self.link.peer.poll_take(cx, Queue::pop_all));
        turn.made_progress();
        let Some(all) = all else {
            return Poll::Ready(Ok(Received::End));
        };
        for (bytes, cut) in all {
            batch.push_copy(&bytes, cut, None);
        }
        Poll::Ready(Ok(Received::Data))
    }
}

impl<D: DatagramSocket> SessionSend<D> {
    /// Tries until the socket has room. `len` is the length of the longest datagram to send.
    fn poll_try(
        &mut self,
        cx: &mut Context<'_>,
        len: usize,
        attempt: impl Fn(&D, &PeerAddr) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        self.check(len)?;
        let turn = ready!(poll_proceed(cx));
        for _ in 0..TRIES {
            if let Some(waiting) = &mut self.waiting {
                if self.link.peer.watch_end(cx) {
                    return Poll::Ready(Err(ended()));
                }
                let room = ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
                room?;
            }
            match attempt(&self.link.socket, &self.link.peer.addr) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.waiting = Some(room(&self.link));
                }
                done => {
                    turn.made_progress();
                    if done.is_ok() {
                        self.link.hub.touch(&self.link.peer);
                    }
                    return Poll::Ready(done);
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn check(&self, len: usize) -> io::Result<()> {
        let limit = self.link.socket.max_len();
        if len > limit {
            let words = format!(
                "a datagram of {len} bytes to {} is longer than the limit of {limit}",
                self.peer()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        if self.finished {
            let words = "this session's sending half is finished";
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, words));
        }
        if self.link.peer.has_ended() {
            return Err(ended());
        }
        Ok(())
    }
}

fn ended() -> io::Error {
    io::Error::new(
        io::ErrorKind::BrokenPipe,
        "the session has ended: nothing came or went for too long, \
         or its listener's runtime is gone",
    )
}

/// Waits for room to send. It owns the socket and the peer, since the half that keeps this future
/// cannot lend them to it.
///
/// It does not own the link: the wait must not keep the session in the table.
fn room<D: DatagramSocket>(link: &Link<D>) -> BoxFuture<'static, io::Result<()>> {
    let (socket, peer) = (Arc::clone(&link.socket), Arc::clone(&link.peer));
    Box::pin(async move { socket.writable(&peer.addr).await })
}

impl<D: DatagramSocket> SendHalf for SessionSend<D> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = parts.iter().map(|part| part.len()).sum();
        self.poll_try(cx, len, |socket, to| socket.try_send_to(parts, to))
    }

    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        let len = size.min(bytes.len());
        self.poll_try(cx, len, |socket, to| socket.try_send_run(bytes, size, to))
    }

    /// Ends sending here; datagrams have no half-close, so the peer is not told.
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.finished = true;
        self.waiting = None;
        Poll::Ready(Ok(()))
    }

    /// Ends the session, and gives up its place in the table. The peer is not told.
    fn abort(&mut self, _code: u64) -> io::Result<Aborted> {
        self.waiting = None;
        self.link.hub.leave(&self.link.peer);
        self.link.peer.end();
        Ok(Aborted::Nothing)
    }
}

/// Both halves have the same `Info`, and the same `Debug`.
macro_rules! half {
    ($name:ident) => {
        impl<D: DatagramSocket> Half for $name<D> {
            fn info(&self) -> &Info {
                &self.link.peer.info
            }
        }

        impl<D: DatagramSocket> fmt::Debug for $name<D> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (local, peer) = (self.local().redacted(), self.peer().redacted());
                write!(f, "{}({local} to {peer})", stringify!($name))
            }
        }
    };
}

half!(SessionRecv);
half!(SessionSend);
