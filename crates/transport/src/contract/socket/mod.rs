//! The data path: a connected endpoint, its two owned halves, and how each is polled.
//!
//! The methods take `&mut self`, and not `&self` with a lock. Each half belongs to one task, and
//! full duplex needs no more. A lock would cost 8 % of a round trip.

mod cut;
pub(crate) mod ext;
pub(crate) mod forward;
pub(crate) mod info;
pub(crate) mod joined;
pub(crate) mod prefixed;
mod recv;
pub(crate) mod relabelled;
pub(crate) mod send;
mod upcoming;

use std::fmt;

use crate::contract::endpoint::Endpoint;
pub use cut::Cut;
use info::Info;
pub use recv::RecvHalf;
pub use send::{Aborted, SendHalf};
pub use upcoming::Upcoming;

/// Whether the peer sees the boundaries between sends, and whether all of them arrive.
///
/// | | boundaries | all arrives, in order | end, half-close, reset |
/// |---|---|---|---|
/// | [`Stream`](Shape::Stream) | no | yes | yes |
/// | [`Message`](Shape::Message) | yes | yes | yes |
/// | [`Datagram`](Shape::Datagram) | yes | no | no |
///
/// Code that uses a socket asks for the one property that it needs: [`max_len`](Shape::max_len) for
/// boundaries, [`is_reliable`](Shape::is_reliable) for the two other columns, and
/// [`is_stream`](Shape::is_stream) where it needs a sequence of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A sequence of bytes: two sends may arrive as one read, and one send as several.
    Stream,
    /// Each send is one message. All arrive whole and in order, and then the end: as over
    /// WebSocket, or `SOCK_SEQPACKET`. An error of the socket ends it, as it ends a stream.
    Message {
        /// The most bytes that one message carries; more is refused before anything is sent.
        max_len: usize,
    },
    /// Each send is one message and arrives whole, or not at all. An error of the socket is about
    /// one datagram.
    Datagram {
        /// The most bytes that one datagram carries; more is refused before anything is sent.
        max_len: usize,
    },
}

impl Shape {
    /// Whether it is a sequence of bytes: a send may be taken in part, and the peer sees no
    /// boundary. `true` for [`Shape::Stream`].
    pub fn is_stream(self) -> bool {
        matches!(self, Shape::Stream)
    }

    /// The most bytes that one send carries, where a send is one message. `None` for a stream, in
    /// which no peer sees where a send ends.
    pub fn max_len(self) -> Option<usize> {
        match self {
            Shape::Stream => None,
            Shape::Message { max_len } | Shape::Datagram { max_len } => Some(max_len),
        }
    }

    /// Whether all that is sent arrives, in order, and then the end. So an error of the socket is
    /// the end of the connection, and the peer is known to be at its address. `true` for
    /// [`Shape::Stream`] and [`Shape::Message`].
    pub fn is_reliable(self) -> bool {
        !matches!(self, Shape::Datagram { .. })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Stream => f.write_str("a stream"),
            Shape::Message { max_len } => write!(f, "messages of at most {max_len} bytes"),
            Shape::Datagram { max_len } => write!(f, "datagrams of at most {max_len} bytes"),
        }
    }
}

/// The result of a receive, besides the bytes in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a message may have been cut, and a stream may have ended"]
pub enum Received {
    /// Bytes, or one whole message or datagram (which may be empty).
    Data,
    /// The first bytes of a message or datagram that was longer than the buffer; its rest is lost.
    Cut(Cut),
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

/// The facts that both halves of a socket know about it.
///
/// # Implementing
///
/// A half keeps an [`Info`]. A wrapper passes on the one of the half inside. Neither has to write
/// the other methods.
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
/// Common mistakes of implementers:
/// * Both halves give the same facts. The shape matters most, since it decides how they are used.
/// * A wrapper that changes one entry changes a clone of the [`Info`] inside
///   (`info.clone().with_peer(…)`, or [`relabel`](crate::relabel)), so that extensions stay.
/// * The local end of one socket is the peer of the other, as far as the transport can know it.
pub trait Half: Send + Unpin {
    /// The shape, the ends, and the extensions. The shape stays the same as long as the half lives.
    fn info(&self) -> &Info;

    /// Stream, messages or datagrams: the shape in `info`. The kernel's sockets answer this without
    /// making the rest of `info`, so a caller that needs only the shape does not pay for the rest.
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

/// A connected socket: both halves in one, which can be split.
///
/// # Implementing
///
/// Implement two halves: [`Joined`](crate::Joined) makes a socket of them. This layer changes each
/// byte that is sent by a mask, on which both ends agreed before:
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
///         // What has boundaries goes whole. Of a stream, as much as is worth copying at once.
///         let most = self.shape().max_len().unwrap_or(65_536);
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
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
/// `socketry_testkit::stream_laws!`, `message_laws!` and `datagram_laws!` find the mistakes of a
/// socket. The common ones are on the pages of [`RecvHalf`] and [`SendHalf`], and these:
/// * Full duplex: while one half waits, the other goes on in another task. A lock may be held only
///   during one poll, and each half has a waker of its own.
/// * Dropping one half tells the peer nothing. The connection ends when both halves are dropped.
/// * A layer passes on the methods that have a default too. The layer above passes on `recv_room`,
///   but not runs, batches and `abort_on_drop`: those work, but are slower or weaker.
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
