//! Connections with many streams: what QUIC, HTTP/2 and yamux have in common.
//!
//! The methods take `&mut self` on a handle that is cloned for each task. A handle has a place of
//! its own for who waits there, so one waker for each of `open` and `accept` is enough, and it can
//! keep what an implementation waits with between two polls (quinn's futures borrow, and end in a
//! slot of the handle; h2 and yamux give poll methods with `&mut self`). `&self` futures would
//! allocate for each stream once they are erased.

pub(crate) mod boxed;
pub(crate) mod closed;
pub(crate) mod transport;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::contract::boxed::BoxSocket;
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::Socket;
use crate::contract::socket::info::Info;

/// A connection that carries many streams, each a [`Socket`].
///
/// A value of this type is a handle: clones are the same connection, one for each task that opens
/// or accepts. A connection lives as long as a handle, a stream or a datagram socket of it does;
/// when the last of them at one end is dropped, that end closes it with code 0 and no reason, and
/// nothing that was sent is lost.
///
/// Streams are independent: one that is not read holds up no other. Each end bounds how many
/// streams the other has open at once, those not accepted yet included, and how many bytes of each
/// wait to be read.
///
/// # Implementing
///
/// A whole connection: one that counts its streams, over any other.
///
/// ```
/// use std::io;
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::task::{Context, Poll, ready};
///
/// use socketry_transport::{BoxSocket, Connection, Info, MemMux, MuxListener, MuxTransport};
///
/// /// Counts the streams that were opened and accepted, over all clones.
/// #[derive(Clone)]
/// struct Counted<C> {
///     inner: C,
///     streams: Arc<AtomicUsize>,
/// }
///
/// impl<C: Connection> Connection for Counted<C> {
///     type Stream = C::Stream;
///
///     fn info(&self) -> &Info {
///         self.inner.info()
///     }
///     fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<C::Stream>> {
///         let stream = ready!(self.inner.poll_open(cx))?;
///         self.streams.fetch_add(1, Ordering::Relaxed);
///         Poll::Ready(Ok(stream))
///     }
///     fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<C::Stream>>> {
///         let stream = ready!(self.inner.poll_accept(cx))?;
///         self.streams.fetch_add(usize::from(stream.is_some()), Ordering::Relaxed);
///         Poll::Ready(Ok(stream))
///     }
///     fn close(&self, code: u64, reason: &str) {
///         self.inner.close(code, reason);
///     }
///     fn datagrams(&self) -> Option<BoxSocket> {
///         self.inner.datagrams()
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mux = MemMux::new();
/// let listener = mux.listen(&"mem-mux://*".parse()?).await?;
/// let inner = mux.connect(listener.local()).await?;
/// let mut client = Counted { inner, streams: Arc::default() };
/// let _streams = (client.open().await?, client.clone().open().await?);
/// assert_eq!(client.streams.load(Ordering::Relaxed), 2);
/// # Ok(()) }
/// ```
///
/// What implementers get wrong:
///
/// * A close is not an end: a stream that was not finished must fail at the reader, after the bytes
///   that had arrived, and not read as [`Received::End`](crate::Received::End).
/// * Two handles that wait are two tasks: a stream that arrives wakes one that takes it, even if
///   the task that was woken first is cancelled. Waking all is right, and cheap enough.
/// * A future that is cancelled must hold nothing: a stream belongs to a handle only when the poll
///   that gives it returns.
/// * Everything that waits (to open, to accept, to read, to send) is woken by a close.
///
/// `connection_laws!` of `socketry_testkit` has a law for each.
pub trait Connection: Clone + Send + Unpin + 'static {
    /// A stream: both directions.
    type Stream: Socket;

    /// Shape (of its streams), ends, and extensions.
    fn info(&self) -> &Info;

    /// This end.
    fn local(&self) -> &Endpoint {
        self.info().local()
    }

    /// The other end.
    fn peer(&self) -> &Endpoint {
        self.info().peer()
    }

    /// Opens a stream. Waits while this end has as many open as the peer allows.
    ///
    /// The peer may learn of the stream only when something has been sent on it and flushed: what
    /// opens a stream speaks first.
    ///
    /// # Errors
    /// As [`poll_accept`](Connection::poll_accept), and after an orderly close too.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;

    /// Waits for the next stream that the peer opens. `None` after an orderly close: the peer
    /// closed with code 0 or dropped its last handle, or this end closed. Streams that arrived
    /// before are given first.
    ///
    /// # Errors
    /// Why the connection is gone: one that the peer closed with another code says so in
    /// [`Closed`](crate::Closed), which the error holds.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Self::Stream>>>;

    /// Closes the connection now, and all its streams: what the peer has not read yet may be lost,
    /// and the peer learns `code` and `reason`. Code 0 is orderly. Only the first close counts.
    ///
    /// A reason is cut to [`Closed::REASON`](crate::Closed::REASON) bytes.
    fn close(&self, code: u64, reason: &str);

    /// The datagrams of the connection as a socket, if it has some: unreliable, bounded, and
    /// dropped where they find no room. Each datagram goes to one of the sockets that were taken.
    /// The default has none.
    fn datagrams(&self) -> Option<BoxSocket> {
        None
    }

    /// Opens a stream, as [`poll_open`](Connection::poll_open). Cancel-safe.
    fn open(&mut self) -> Open<'_, Self> {
        Open { connection: self }
    }

    /// Waits for the next stream, as [`poll_accept`](Connection::poll_accept). Cancel-safe: no
    /// stream is lost.
    fn accept(&mut self) -> AcceptStream<'_, Self> {
        AcceptStream { connection: self }
    }
}

/// The future of [`Connection::open`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Open<'a, C> {
    connection: &'a mut C,
}

impl<C: Connection> Future for Open<'_, C> {
    type Output = io::Result<C::Stream>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.connection.poll_open(cx)
    }
}

/// The future of [`Connection::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct AcceptStream<'a, C> {
    connection: &'a mut C,
}

impl<C: Connection> Future for AcceptStream<'_, C> {
    type Output = io::Result<Option<C::Stream>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.connection.poll_accept(cx)
    }
}
