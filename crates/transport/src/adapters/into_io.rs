//! tokio I/O made from a socket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::contract::socket::{Half, RecvHalf, SendHalf};

/// tokio's `AsyncRead` and `AsyncWrite`, made from a stream socket or a half of one.
///
/// `poll_shutdown` is the half-close.
#[derive(Debug)]
pub struct IntoIo<S>(S);

impl<S: Half> IntoIo<S> {
    /// Wraps `socket`.
    ///
    /// # Errors
    /// `InvalidInput` for a socket of messages or datagrams: the boundaries would be lost.
    pub fn new(socket: S) -> io::Result<Self> {
        if socket.shape().is_stream() {
            return Ok(IntoIo(socket));
        }
        let (peer, carried) = (socket.peer(), socket.shape());
        let words = format!("{peer} carries {carried}, and not a stream of bytes");
        Err(io::Error::new(io::ErrorKind::InvalidInput, words))
    }

    /// The socket inside, to read its [`Info`](crate::Info), for instance.
    pub fn get_ref(&self) -> &S {
        &self.0
    }

    /// The socket inside, to abort it, for instance.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.0
    }

    /// The socket inside.
    pub fn into_inner(self) -> S {
        self.0
    }
}

impl<S: RecvHalf> AsyncRead for IntoIo<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.poll_recv(cx, buf).map_ok(|_data_or_end| ())
    }
}

impl<S: SendHalf> AsyncWrite for IntoIo<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_send(cx, &[IoSlice::new(buf)])
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_send(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        true
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx)
    }
}
