//! The data path: a connected endpoint, its two owned halves, and how each is polled.
//!
//! The methods take `&mut self`, not `&self` behind a lock: a half belongs to one task, which is
//! all that full duplex needs, and the lock that is not there is worth 8 % of a round trip.

pub(crate) mod ext;
pub(crate) mod forward;
pub(crate) mod info;
pub(crate) mod joined;
pub(crate) mod prefixed;
mod recv;
pub(crate) mod relabelled;
mod send;

use std::fmt;

use crate::contract::endpoint::Endpoint;
use info::Info;
pub use recv::RecvHalf;
pub use send::{Aborted, SendHalf};

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
///
/// # Implementing
///
/// A half of one's own keeps an [`Info`]; a wrapper passes that of the half inside on. Neither has
/// to write the other methods.
///
/// ```
/// use socketry_transport::{Half, Info, Shape};
///
/// struct Pipe {
///     info: Info,
/// }
///
/// impl Half for Pipe {
///     fn info(&self) -> &Info {
///         &self.info
///     }
/// }
///
/// # fn main() -> Result<(), socketry_transport::Error> {
/// let info = Info::new(Shape::Stream, "pipe://us".parse()?, "pipe://them".parse()?);
/// let pipe = Pipe { info };
/// assert_eq!(pipe.peer().to_string(), "pipe://them");
/// assert!(pipe.shape().is_stream());
/// # Ok(()) }
/// ```
///
/// Authors get wrong:
/// * Both halves say the same: the shape above all, which decides how they are used.
/// * A wrapper that changes one entry does so to a clone of what it found
///   (`info.clone().with_peer(…)`, or [`relabel`](crate::relabel)), so that extensions stay.
/// * What one end calls local its peer calls peer, where the transport can know it.
pub trait Half: Send + Unpin {
    /// Shape, ends, and extensions. The shape stays the same as long as the half lives.
    fn info(&self) -> &Info;

    /// Stream or datagrams: what `info` says. The kernel's sockets answer this before they have put
    /// the rest together, so that whoever looks at nothing else does not pay for it.
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

/// A connected socket: both halves in one, and able to come apart.
///
/// # Implementing
///
/// Nobody does: one writes two halves, and [`Joined`](crate::Joined) makes a socket of them. This
/// layer hides what is sent under a mask, on which both ends agreed before:
///
/// ```
/// use std::io::{self, IoSlice};
/// use std::task::{Context, Poll, ready};
///
/// use socketry_transport::{
///     Aborted, Half, Info, Joined, Listener, Received, RecvExt, RecvHalf, SendExt, SendHalf,
///     Socket, connect, listen,
/// };
/// use tokio::io::ReadBuf;
///
/// struct Masked<H>(H, u8);
///
/// impl<H: Half> Half for Masked<H> {
///     fn info(&self) -> &Info {
///         self.0.info()
///     }
/// }
///
/// impl<R: RecvHalf> RecvHalf for Masked<R> {
///     fn recv_room(&self) -> usize {
///         self.0.recv_room()
///     }
///     fn poll_recv(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>)
///     -> Poll<io::Result<Received>> {
///         let before = buf.filled().len();
///         let received = ready!(self.0.poll_recv(cx, buf))?;
///         buf.filled_mut()[before..].iter_mut().for_each(|byte| *byte ^= self.1);
///         Poll::Ready(Ok(received))
///     }
/// }
///
/// impl<W: SendHalf> SendHalf for Masked<W> {
///     fn poll_send(&mut self, cx: &mut Context<'_>, parts: &[IoSlice<'_>])
///     -> Poll<io::Result<usize>> {
///         let all = parts.iter().flat_map(|part| part.iter());
///         // Of a datagram all is one message. A stream takes what is worth copying at once.
///         let most = if self.shape().is_stream() { 65_536 } else { usize::MAX };
///         let bytes: Vec<u8> = all.take(most).map(|byte| byte ^ self.1).collect();
///         self.0.poll_send(cx, &[IoSlice::new(&bytes)])
///     }
///     fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
///         self.0.poll_flush(cx)
///     }
///     fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
///         self.0.poll_finish(cx)
///     }
///     fn abort(&mut self, code: u64) -> io::Result<Aborted> {
///         self.0.abort(code)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = listen("mem://masked").await?;
/// let (recv, send) = connect(server.local()).await?.split();
/// let mut client = Joined::new(Masked(recv, 0x20), Masked(send, 0x20));
/// client.send_all(b"hello").await?;
/// let mut buf = [0; 5];
/// let _ = server.accept().await?.recv(&mut buf).await?;
/// assert_eq!(&buf, b"HELLO");
/// # Ok(()) }
/// ```
///
/// `socketry_testkit::stream_laws!` and `datagram_laws!` find what is wrong with a socket. Authors
/// get wrong what the pages of [`RecvHalf`] and [`SendHalf`] say, and:
/// * Full duplex: while one half waits, the other goes on, in another task. A lock is held for the
///   length of one poll, and each half has a waker of its own.
/// * Dropping one half is silent; the connection ends with both.
/// * The methods with a default are there to be passed on: what this layer leaves out (`recv_room`
///   is there; runs, batches and `abort_on_drop` are not) works, and is slower or weaker.
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
