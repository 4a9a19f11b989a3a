//! The sending half of a socket.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use crate::contract::socket::{Half, Shape};

/// The sending half.
///
/// Dropping a half tells the peer nothing: [`poll_finish`](SendHalf::poll_finish) is the
/// half-close, and the connection closes when both halves are gone. This is a law of its own,
/// because transports would differ: TCP could send its FIN at once, and a TLS session over a shared
/// lock could not.
///
/// # Implementing
///
/// A layer that counts the bytes that it sends:
///
/// ```
/// use std::io::{self, IoSlice};
/// use std::task::{Context, Poll, ready};
///
/// use socketry_transport::{
///     Aborted, Half, Info, Joined, SendExt, SendHalf, Socket, connect, listen, Listener,
/// };
///
/// struct Counted<W> {
///     inner: W,
///     sent: usize,
/// }
///
/// impl<W: Half> Half for Counted<W> {
///     fn info(&self) -> &Info {
///         self.inner.info()
///     }
/// }
///
/// impl<W: SendHalf> SendHalf for Counted<W> {
///     fn poll_send(
///         &mut self,
///         cx: &mut Context<'_>,
///         parts: &[IoSlice<'_>],
///     ) -> Poll<io::Result<usize>> {
///         let sent = ready!(self.inner.poll_send(cx, parts))?;
///         self.sent += sent;
///         Poll::Ready(Ok(sent))
///     }
///     fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
///         self.inner.poll_flush(cx)
///     }
///     fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
///         self.inner.poll_finish(cx)
///     }
///     fn abort(&mut self, code: u64) -> io::Result<Aborted> {
///         self.inner.abort(code)
///     }
///     fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
///         self.inner.abort_on_drop(on)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = listen("mem://counted").await?;
/// let (recv, inner) = connect(server.local()).await?.split();
/// let mut socket = Joined::new(recv, Counted { inner, sent: 0 });
/// socket.send_all(b"five!").await?;
/// assert_eq!(socket.halves().1.sent, 5);
/// # Ok(()) }
/// ```
///
/// Common mistakes of implementers:
/// * The answer is the number of bytes that were *taken*, which may be less than the parts have:
///   the caller comes again with the rest. A message or datagram is taken whole, or is an error.
/// * An answer of `Pending` has taken no bytes: the caller may come with other bytes, or never
///   again.
/// * [`poll_flush`](SendHalf::poll_flush) and [`poll_finish`](SendHalf::poll_finish) send the bytes
///   that a layer keeps. A layer passes both on.
/// * The bytes that a half keeps are bounded: while the peer does not read, the sender waits.
/// * A layer passes [`abort`](SendHalf::abort) on, and gives the answer of the half inside. A layer
///   whose own state ends wakes its receiving half. If the layer has ended its own stream before,
///   the peer sees a reset of the transport as an end, and the answer is [`Aborted::End`].
pub trait SendHalf: Half {
    /// Sends the parts in order and gives the number of bytes that were taken. Where the peer sees
    /// [boundaries](Shape::max_len), all parts are one message or datagram.
    ///
    /// # Errors
    /// `BrokenPipe` or `ConnectionReset` where the peer is gone, and never a signal. `InvalidInput`
    /// for a message or datagram above [`max_len`](Shape::max_len), which is not sent: its words
    /// have both sizes, and the socket goes on.
    fn poll_send(&mut self, cx: &mut Context<'_>, parts: &[IoSlice<'_>])
    -> Poll<io::Result<usize>>;

    /// Sends `bytes` as messages or datagrams of `size` bytes each (the last may be shorter) and
    /// gives the number of bytes that were taken, always whole ones. The default sends the first; a
    /// transport with segmentation offload sends the run with one system call.
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

    /// Waits until a buffer *inside* the transport (TLS, WebSocket) has been handed on. Kernel
    /// sockets have none.
    ///
    /// # Errors
    /// As [`poll_send`](SendHalf::poll_send).
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Ready(Ok(()))
    }

    /// Half-closes: flushes and closes this direction, where the transport can. The other direction
    /// stays open. Repeating it is harmless.
    ///
    /// # Errors
    /// As [`poll_send`](SendHalf::poll_send). After [`abort`](SendHalf::abort) it cannot be
    /// finished, since bytes may be missing. A stream of a [`Connection`](crate::Connection) can
    /// neither be finished after the peer aborted it, nor after the connection was closed.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Breaks the connection off now, and tells whether the peer will see it.
    ///
    /// Bytes that were not delivered yet may be lost. Both halves are done. A send fails, and so
    /// does [`poll_finish`](SendHalf::poll_finish), even if an earlier one succeeded. A receive
    /// fails or ends, at the latest after the bytes that had arrived. Tasks that wait at either
    /// half are woken. Repeating it is harmless. Datagram sockets have no connection to break: a
    /// session ends, and others go on.
    ///
    /// `code` is the reason, where the protocol has room for one (QUIC, HTTP/2). Of the transports
    /// of this crate, `mem` gives it to the peer in a [`StreamReset`](crate::StreamReset), and TCP
    /// loses it.
    ///
    /// # Errors
    /// If the system refuses. Then the connection is as it was.
    fn abort(&mut self, code: u64) -> io::Result<Aborted>;

    /// With `on`, breaks the connection off when both halves are dropped, and when the process
    /// dies. Without, the connection ends as usual. The answer tells whether the peer will see a
    /// reset or an end then.
    ///
    /// By default this changes nothing, and the answer describes a socket that is dropped: the end
    /// of a stream or of messages, and nothing for datagrams. A wrapper passes the call on.
    ///
    /// # Errors
    /// If the system refuses.
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        let _ = on;
        Ok(Aborted::quiet(self.shape()))
    }
}

/// The view of the peer of a connection that is [broken off](SendHalf::abort).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "where the peer sees an end, it cannot tell that something is missing"]
pub enum Aborted {
    /// An error, and no end before it: the peer knows that something is missing.
    Reset,
    /// An end, as if this end had finished: the peer cannot know that something is missing. This is
    /// the answer on transports without a reset, and on all of them after
    /// [`poll_finish`](SendHalf::poll_finish).
    End,
    /// Nothing: datagrams just stop.
    Nothing,
}

/// The error of a stream that this end has aborted.
pub(crate) fn aborted_here() -> io::Error {
    let words = "the connection was aborted at this end";
    io::Error::new(io::ErrorKind::ConnectionAborted, words)
}

impl Aborted {
    /// The view of the peer of a socket of this shape that is just dropped.
    pub fn quiet(shape: Shape) -> Self {
        match shape.is_reliable() {
            true => Aborted::End,
            false => Aborted::Nothing,
        }
    }
}
