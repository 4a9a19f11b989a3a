//! The data path: a connected endpoint, its two owned halves, and how each is polled.
//!
//! The methods take `&mut self`, not `&self` behind a lock: a half belongs to one task, which is all that
//! full duplex needs, and the lock that is not there is worth 8 % of a round trip.

pub(crate) mod ext;
pub(crate) mod info;
pub(crate) mod joined;
pub(crate) mod prefixed;
pub(crate) mod relabelled;

use std::fmt;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::info::Info;

/// Whether boundaries between sends survive the way to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A sequence of bytes: two sends may arrive as one read, and one send as several.
    Stream,
    /// Each send is one message and arrives whole, or not at all.
    Datagram {
        /// The most bytes that one datagram carries; more is refused before anything is sent.
        max_len: usize,
    },
}

impl Shape {
    /// `true` for [`Shape::Stream`].
    pub fn is_stream(self) -> bool {
        matches!(self, Shape::Stream)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Stream => f.write_str("a stream"),
            Shape::Datagram { max_len } => write!(f, "datagrams of at most {max_len} bytes"),
        }
    }
}

/// What a receive brought, besides the bytes in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a datagram may have been cut, and a stream may have ended"]
pub enum Received {
    /// Bytes, or one whole datagram (which may be empty).
    Data,
    /// The head of a datagram that was longer than the buffer; its rest is lost.
    Cut,
    /// The peer finished sending. Every later receive answers the same.
    End,
}

/// The process at the other end of a Unix socket, as the kernel vouches for it (`SO_PEERCRED`): an
/// extension of [`Info`], where the transport has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user that opened the peer's socket.
    pub uid: u32,
    /// That user's primary group.
    pub gid: u32,
    /// The process, where the system tells it.
    pub pid: Option<i32>,
}

/// What both halves of a socket know about it.
pub trait Half: Send + Unpin {
    /// Shape, ends, and extensions. The answer never changes its shape while the half lives.
    fn info(&self) -> &Info;

    /// Stream or datagrams.
    fn shape(&self) -> Shape {
        self.info().shape()
    }
    /// This end, with the real port where port 0 was asked for.
    fn local(&self) -> &Endpoint {
        self.info().local()
    }
    /// The other end.
    fn peer(&self) -> &Endpoint {
        self.info().peer()
    }
}

/// The receiving half.
pub trait RecvHalf: Half {
    /// The room in bytes that a buffer needs so that no datagram is cut. By default
    /// [`max_len`](Shape::Datagram::max_len); more where a peer may send longer ones than this end. 0 on a stream.
    fn recv_room(&self) -> usize {
        match self.shape() {
            Shape::Stream => 0,
            Shape::Datagram { max_len } => max_len,
        }
    }

    /// Puts what is there into `buf`: some bytes of a stream, or exactly one datagram.
    ///
    /// A `buf` without room gets [`Received::Data`] and nothing else: it never reads as the end.
    ///
    /// # Errors
    /// As the transport reports them. On a datagram socket an error (a refused connection, say) concerns
    /// one datagram, and the socket goes on.
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>>;

    /// Appends as many datagrams as are there, and at least one; on a stream, one read.
    ///
    /// [`Received::Cut`] is told per datagram, in the batch. The default receives one.
    ///
    /// # Errors
    /// As [`poll_recv`](RecvHalf::poll_recv).
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        batch.poll_one(self.recv_room(), |buf| self.poll_recv(cx, buf))
    }
}

/// The sending half.
///
/// Dropping a half says nothing to the peer: [`poll_finish`](SendHalf::poll_finish) is the half-close, and the
/// connection closes when both halves are gone. (A law of its own, because transports differ in what a
/// dropped half would do: TCP could send its FIN at once, a TLS session over a shared lock could not.)
pub trait SendHalf: Half {
    /// Sends the parts in order and says how many bytes were taken; of a datagram, all parts are the one message.
    ///
    /// # Errors
    /// `BrokenPipe` or `ConnectionReset` where the peer is gone, never a signal; `InvalidInput` for a datagram
    /// above [`max_len`](Shape::Datagram::max_len), of which nothing is sent.
    fn poll_send(&mut self, cx: &mut Context<'_>, parts: &[IoSlice<'_>])
    -> Poll<io::Result<usize>>;

    /// Sends `bytes` as datagrams of `size` bytes each (the last may be shorter) and says how many bytes were
    /// taken, always whole datagrams. The default sends the first; a transport with segmentation offload sends
    /// the run with one system call.
    ///
    /// # Errors
    /// As [`poll_send`](SendHalf::poll_send).
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        let first = &bytes[..size.min(bytes.len())];
        self.poll_send(cx, &[IoSlice::new(first)])
    }

    /// Waits until a buffer *inside* the transport (TLS, WebSocket) has been handed on. Kernel sockets have none.
    ///
    /// # Errors
    /// As [`poll_send`](SendHalf::poll_send).
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Ready(Ok(()))
    }

    /// Flushes and closes this direction, where the transport can; the other stays open. Repeating it is harmless.
    ///
    /// # Errors
    /// As [`poll_send`](SendHalf::poll_send).
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Breaks the connection off, now, and says what the peer will see of that.
    ///
    /// What was not delivered yet may be lost. Both halves are done: a send fails, a receive fails
    /// or ends (after what had arrived, at most), and those that wait are woken. Repeating it is
    /// harmless. Sockets of datagrams have no connection to break: a session ends, others go on.
    ///
    /// `code` is the reason, where the protocol has room for one (QUIC, HTTP/2). The transports of
    /// this crate have none: `mem` says it in words, TCP loses it.
    ///
    /// # Errors
    /// If the system refuses. Then the connection is as it was.
    fn abort(&mut self, code: u64) -> io::Result<Aborted>;

    /// With `on`, breaks the connection off when both halves are dropped, and when the process
    /// dies; without, it ends as ever. Says what the peer will see then.
    ///
    /// By default nothing changes, and the answer is what dropping does: an end of a stream, and
    /// nothing of datagrams. A wrapper passes it on.
    ///
    /// # Errors
    /// If the system refuses.
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        let _ = on;
        Ok(Aborted::quiet(self.shape()))
    }
}

/// What the peer sees of a connection that is [broken off](SendHalf::abort).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "where the peer sees an end, it cannot tell that something is missing"]
pub enum Aborted {
    /// An error, and no end before it: the peer can tell.
    Reset,
    /// An end, as if this side had finished: the peer cannot tell. So it is on transports without
    /// a reset, and on all of them after [`poll_finish`](SendHalf::poll_finish).
    End,
    /// Nothing: datagrams just stop.
    Nothing,
}

impl Aborted {
    /// What the peer sees of a socket of this shape that is just dropped.
    pub fn quiet(shape: Shape) -> Self {
        match shape {
            Shape::Stream => Aborted::End,
            Shape::Datagram { .. } => Aborted::Nothing,
        }
    }
}

/// A connected socket: both halves in one, and able to come apart.
pub trait Socket: RecvHalf + SendHalf + 'static {
    /// The owned receiving half.
    type Recv: RecvHalf + 'static;
    /// The owned sending half.
    type Send: SendHalf + 'static;

    /// Two halves for two tasks.
    fn split(self) -> (Self::Recv, Self::Send)
    where
        Self: Sized;
}

macro_rules! forward_halves {
    ($pointer:ty) => {
        impl<H: Half + ?Sized> Half for $pointer {
            fn info(&self) -> &Info {
                (**self).info()
            }
        }

        impl<H: RecvHalf + ?Sized> RecvHalf for $pointer {
            fn recv_room(&self) -> usize {
                (**self).recv_room()
            }
            fn poll_recv(
                &mut self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<Received>> {
                (**self).poll_recv(cx, buf)
            }
            fn poll_recv_batch(
                &mut self,
                cx: &mut Context<'_>,
                batch: &mut Batch,
            ) -> Poll<io::Result<Received>> {
                (**self).poll_recv_batch(cx, batch)
            }
        }

        impl<H: SendHalf + ?Sized> SendHalf for $pointer {
            fn poll_send(
                &mut self,
                cx: &mut Context<'_>,
                parts: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                (**self).poll_send(cx, parts)
            }
            fn poll_send_run(
                &mut self,
                cx: &mut Context<'_>,
                bytes: &[u8],
                size: usize,
            ) -> Poll<io::Result<usize>> {
                (**self).poll_send_run(cx, bytes, size)
            }
            fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                (**self).poll_flush(cx)
            }
            fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                (**self).poll_finish(cx)
            }
            fn abort(&mut self, code: u64) -> io::Result<Aborted> {
                (**self).abort(code)
            }
            fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
                (**self).abort_on_drop(on)
            }
        }
    };
}

forward_halves!(&mut H);
forward_halves!(Box<H>);

impl<S: Socket> Socket for Box<S> {
    type Recv = S::Recv;
    type Send = S::Send;

    fn split(self) -> (S::Recv, S::Send) {
        (*self).split()
    }
}
