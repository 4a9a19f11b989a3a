//! Connections with many streams: the features that QUIC, HTTP/2 and yamux have in common.
//!
//! The methods take `&mut self` on a handle that is cloned for each task. Only one task waits at a
//! handle, so one waker for `open` and one for `accept` are enough. Between two polls, the handle
//! can keep the future that an implementation waits for: quinn's futures borrow, and are kept in a
//! slot of the handle; h2 and yamux have poll methods with `&mut self`. Futures of `&self` would
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
/// A value of this type is a handle. All clones are the same connection, and each task that opens
/// or accepts streams has one. A connection lives as long as a handle, a stream or a datagram
/// socket of it does. When an end drops the last of them, that end closes the connection with code
/// 0 and no reason, and no bytes that were sent are lost.
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
/// Common mistakes of implementers:
///
/// * A close is not an end. A stream that its sender did not finish must fail at the reader, after
///   the bytes that had arrived. It must not read as [`Received::End`](crate::Received::End).
/// * Two handles that wait are two tasks. A stream that arrives must wake a task that takes it,
///   even if the task that was woken first is cancelled. Waking all tasks is right, and cheap
///   enough.
/// * A future that is cancelled must hold no stream. A stream belongs to a handle only when the
///   poll that gives it returns.
/// * A close wakes every task that waits: to open, to accept, to read or to send.
///
/// `connection_laws!` of `socketry_testkit` has a law for each.
pub trait Connection: Clone + Send + Unpin + 'static {
    /// A stream: both directions.
    type Stream: Socket;

    /// The shape of its streams, its two ends, and extensions.
    fn info(&self) -> &Info;

    /// This end.
    fn local(&self) -> &Endpoint {
        self.info().local()
    }

    /// The other end.
    fn peer(&self) -> &Endpoint {
        self.info().peer()
    }

    /// Opens a stream. Waits while this end has as many streams open as the peer allows.
    ///
    /// The peer may learn of the stream only when bytes have been sent on it and flushed. So the
    /// end that opens a stream sends first.
    ///
    /// # Errors
    /// As [`poll_accept`](Connection::poll_accept), and after an orderly close too.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Self::Stream>>;

    /// Waits for the next stream that the peer opens. `None` after an orderly close: the peer
    /// closed with code 0 or dropped its last handle, or this end closed. The streams that arrived
    /// before come first.
    ///
    /// # Errors
    /// The reason for which the connection is gone. If the peer closed with another code, the error
    /// holds a [`Closed`](crate::Closed).
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Self::Stream>>>;

    /// Closes the connection now, and all its streams. Bytes that the peer has not read yet may be
    /// lost. The peer learns `code` and `reason`. Code 0 is orderly. Only the first close counts.
    ///
    /// A reason is cut to [`Closed::REASON`](crate::Closed::REASON) bytes.
    fn close(&self, code: u64, reason: &str);

    /// The datagrams of the connection as a socket, if the connection has datagrams. They are
    /// unreliable and bounded, and dropped where there is no room for them. Each datagram goes to
    /// one of the sockets that this method gave. The default has no datagrams.
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
