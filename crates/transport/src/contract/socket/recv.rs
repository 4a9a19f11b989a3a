//! The receiving half of a socket.

use std::io;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::socket::{Half, Received, Upcoming};

/// The receiving half.
///
/// # Implementing
///
/// A layer that hides all bytes from the first NUL byte on: the stream ends there.
///
/// ```
/// use std::io;
/// use std::task::{Context, Poll, ready};
///
/// use socketry_transport::{
///     Half, Info, Joined, Listener, Received, RecvExt, RecvHalf, SendExt, Socket, connect, listen,
/// };
/// use tokio::io::ReadBuf;
///
/// struct UntilNul<R> {
///     inner: R,
///     ended: bool,
/// }
///
/// impl<R: Half> Half for UntilNul<R> {
///     fn info(&self) -> &Info {
///         self.inner.info()
///     }
/// }
///
/// impl<R: RecvHalf> RecvHalf for UntilNul<R> {
///     fn poll_recv(
///         &mut self,
///         cx: &mut Context<'_>,
///         buf: &mut ReadBuf<'_>,
///     ) -> Poll<io::Result<Received>> {
///         if self.ended && buf.remaining() > 0 {
///             return Poll::Ready(Ok(Received::End));
///         }
///         let before = buf.filled().len();
///         let received = ready!(self.inner.poll_recv(cx, buf))?;
///         let nul = buf.filled()[before..].iter().position(|byte| *byte == 0);
///         let Some(len) = nul else {
///             return Poll::Ready(Ok(received));
///         };
///         buf.set_filled(before + len);
///         self.ended = true;
///         // Without bytes before the NUL, this receive gives the end.
///         Poll::Ready(Ok(if len == 0 { Received::End } else { Received::Data }))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = listen("mem://until-nul").await?;
/// let mut client = connect(server.local()).await?;
/// let (inner, send) = server.accept().await?.split();
/// let mut socket = Joined::new(UntilNul { inner, ended: false }, send);
/// client.send_all(b"text\0not text").await?;
/// let mut buf = [0; 64];
/// assert_eq!(socket.recv(&mut buf).await?, (4, Received::Data));
/// assert_eq!(socket.recv(&mut buf).await?, (0, Received::End));
/// # Ok(()) }
/// ```
///
/// Common mistakes of implementers:
/// * A buffer without room is answered with [`Received::Data`], and not with the end.
/// * `buf` may hold bytes already: they stay, and the bytes that arrive are put behind them. A
///   `poll_recv` that answers `Pending` has put no bytes into it.
/// * Before each `Pending`, the half has arranged that the task of *this* call is woken, and not
///   that of an earlier call.
/// * [`Received::End`] is given without bytes, and again at each later call.
/// * The caller may drop a receive that waits: bytes that were taken from the half inside are kept
///   in `self`.
/// * A half that is always ready lets other tasks run (`tokio::task::coop`).
/// * A layer over messages or datagrams passes on [`recv_room`](RecvHalf::recv_room) too. It passes
///   on [`poll_recv_batch`](RecvHalf::poll_recv_batch) if it does not look at the bytes: the
///   default is right, and slow.
pub trait RecvHalf: Half {
    /// The room in bytes that a buffer needs so that no message or datagram is cut. The default is
    /// [`max_len`](crate::Shape::max_len). It is more where a peer may send longer ones than this
    /// end. It is 0 on a stream.
    fn recv_room(&self) -> usize {
        self.shape().max_len().unwrap_or(0)
    }

    /// What this socket holds of the next message. The default knows of nothing.
    ///
    /// A half that puts messages together itself, as over WebSocket, says it: so a server bounds
    /// that memory, and the time in which a peer has to finish a message, and a message that is
    /// here gets a buffer of its own length. A layer that neither looks at the bytes nor holds any
    /// passes it on.
    fn upcoming(&self) -> Upcoming {
        Upcoming::Unknown
    }

    /// Receives into `buf`: some bytes of a stream, or exactly one message or datagram.
    ///
    /// A `buf` without room always gets [`Received::Data`]: it never reads as the end.
    ///
    /// # Errors
    /// As the transport reports them. On a datagram socket an error (a refused connection, say)
    /// concerns one datagram, and the socket goes on. On a [reliable](crate::Shape::is_reliable)
    /// one it is final.
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>>;

    /// Appends at least one message, and as many more as have arrived and one call can take. On a
    /// stream, it appends the bytes of one read.
    ///
    /// The batch says of each whether it was cut. The default receives one.
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
