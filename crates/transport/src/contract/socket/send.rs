//! The sending half of a socket.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use crate::contract::socket::{Half, Shape};

/// The sending half.
///
/// Dropping a half says nothing to the peer: [`poll_finish`](SendHalf::poll_finish) is the
/// half-close, and the connection closes when both halves are gone. (A law of its own, because
/// transports differ in what a dropped half would do: TCP could send its FIN at once, a TLS session
/// over a shared lock could not.)
///
/// # Implementing
///
/// A layer that counts what it sends:
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
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = listen("mem://counted").await?;
/// let (recv, inner) = connect(server.local()).await?.split();
/// let mut socket = Joined::new(recv, Counted { inner, sent: 0 });
/// socket.send_all(b"five!").await?;
/// assert_eq!(socket.halves().1.sent, 5);
/// # Ok(()) }
/// ```
///
/// Authors get wrong:
/// * The answer is what was *taken*, which may be less than the parts have: the caller comes again
///   with the rest. Of a datagram it is all, or an error.
/// * `Pending` has taken nothing: the caller may come with other bytes, or never again.
/// * What a layer keeps goes out with [`poll_flush`](SendHalf::poll_flush) and
///   [`poll_finish`](SendHalf::poll_finish), both of which a layer passes on.
/// * A bound: a peer that does not read stops the sender.
/// * [`abort`](SendHalf::abort) is passed on, and answered with what the half inside answers. A
///   layer whose own state ends wakes its receiving half. A peer that sees a reset of the transport
///   as an end (since the layer ended its own stream before) is answered [`Aborted::End`].
pub trait SendHalf: Half {
    /// Sends the parts in order and says how many bytes were taken; of a datagram, all parts are
    /// the one message.
    ///
    /// # Errors
    /// `BrokenPipe` or `ConnectionReset` where the peer is gone, never a signal; `InvalidInput` for
    /// a datagram above [`max_len`](Shape::Datagram::max_len), of which nothing is sent.
    fn poll_send(&mut self, cx: &mut Context<'_>, parts: &[IoSlice<'_>])
    -> Poll<io::Result<usize>>;

    /// Sends `bytes` as datagrams of `size` bytes each (the last may be shorter) and says how many
    /// bytes were taken, always whole datagrams. The default sends the first; a transport with
    /// segmentation offload sends the run with one system call.
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

    /// Flushes and closes this direction, where the transport can; the other stays open. Repeating
    /// it is harmless.
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
