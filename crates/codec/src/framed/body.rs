//! Bodies: bytes that follow a frame, whose header has their number. A body is never held whole.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use socketry_transport::{RecvHalf, SendHalf};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{FrameError, FrameFault, Framed};
use crate::{BoxCodec, Codec};

/// A body that arrives: see [`Framed::body`].
///
/// It is also [`AsyncRead`]. Dropping it early loses no bytes: [`body_left`](Framed::body_left) has
/// the number of bytes that are left, and [`rest_of_body`](Framed::rest_of_body) reads them.
pub struct Body<'a, S, C = BoxCodec> {
    framed: &'a mut Framed<S, C>,
}

impl<S: RecvHalf, C: Codec> Framed<S, C> {
    /// The `len` bytes that follow the last frame. The caller takes `len` from that frame, since a
    /// codec knows headers only. The body must be read before the next frame.
    ///
    /// # Errors
    /// On a datagram socket, while another body is unread, and after a receive of the next frame
    /// has begun.
    pub fn body(&mut self, len: u64) -> Result<Body<'_, S, C>, FrameError> {
        match self.input.begin_body(len) {
            Ok(()) => Ok(Body { framed: self }),
            Err(fault) => Err(self.recv_error(fault)),
        }
    }

    /// The bytes of the current body that are still to be read.
    pub fn body_left(&self) -> u64 {
        self.input.body_left()
    }

    /// The rest of a body whose [`Body`] was dropped.
    pub fn rest_of_body(&mut self) -> Body<'_, S, C> {
        Body { framed: self }
    }
}

impl<S: RecvHalf, C: Codec> Body<'_, S, C> {
    /// How many bytes are still to be read.
    pub fn left(&self) -> u64 {
        self.framed.input.body_left()
    }

    /// The next bytes, in place; `None` when the body has been read. Cancel-safe.
    ///
    /// # Errors
    /// [`BodyCut`](FrameFault::BodyCut) if the peer ends before the body does, or the transport's
    /// error. All of them are fatal, a message of the body that was cut as well.
    pub async fn chunk(&mut self) -> Result<Option<&[u8]>, FrameError> {
        let range = poll_fn(|cx| self.poll_range(cx)).await?;
        if range.is_empty() {
            return Ok(None);
        }
        self.framed.input.take_body(range.len());
        Ok(Some(self.framed.input.slice(range)))
    }

    /// The next bytes, as [`Bytes`] cut from the buffer; `None` when the body has been read.
    /// Cancel-safe.
    ///
    /// # Errors
    /// As [`chunk`](Body::chunk).
    pub async fn chunk_bytes(&mut self) -> Result<Option<Bytes>, FrameError> {
        let range = poll_fn(|cx| self.poll_range(cx)).await?;
        if range.is_empty() {
            return Ok(None);
        }
        self.framed.input.take_body(range.len());
        Ok(Some(self.framed.input.cut(range)))
    }

    /// Gives up the body and all later frames: no more bytes are read.
    pub fn abort(self) {
        self.framed.input.fail();
    }

    /// Reads and drops the rest. Cancel-safe.
    ///
    /// # Errors
    /// As [`chunk`](Body::chunk).
    pub async fn drain(&mut self) -> Result<(), FrameError> {
        while self.chunk().await?.is_some() {}
        Ok(())
    }

    fn poll_range(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<std::ops::Range<usize>, FrameError>> {
        let Framed { input, socket, .. } = &mut *self.framed;
        let range = ready!(input.poll_body(cx, socket));
        Poll::Ready(range.map_err(|fault| self.framed.recv_error(fault)))
    }
}

impl<S: RecvHalf, C: Codec> AsyncRead for Body<'_, S, C> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let range = ready!(self.poll_range(cx))?;
        let len = range.len().min(buf.remaining());
        buf.put_slice(self.framed.input.slice(range.start..range.start + len));
        self.framed.input.take_body(len);
        Poll::Ready(Ok(()))
    }
}

impl<S, C> fmt::Debug for Body<'_, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes left)", self.framed.input.body_left())
    }
}

/// A body that is sent: see [`Framed::body_writer`].
///
/// It is also [`AsyncWrite`]. If it is dropped early, the rest must still be written: the next
/// frame is refused until [`body_writer`](Framed::body_writer) has written it, or the connection is
/// dropped.
pub struct BodyWriter<'a, S, C = BoxCodec> {
    framed: &'a mut Framed<S, C>,
}

impl<S: SendHalf, C: Codec> Framed<S, C> {
    /// Sends a body of `len` bytes after the frames that wait. If a body has begun already, `len`
    /// must be the rest of it.
    ///
    /// # Errors
    /// On a datagram socket, after a fatal error, and if another body is not finished.
    pub fn body_writer(&mut self, len: u64) -> Result<BodyWriter<'_, S, C>, FrameError> {
        if !self.shape().is_reliable() {
            return Err(self.send_error(FrameFault::NoBody));
        }
        if self.output.is_over() || self.output.owed != len {
            self.may_send()?;
        }
        self.output.owed = len;
        Ok(BodyWriter { framed: self })
    }

    /// How many bytes of the current body are still to be written.
    pub fn body_owed(&self) -> u64 {
        self.output.owed
    }
}

impl<S: SendHalf, C: Codec> BodyWriter<'_, S, C> {
    /// Gives up the body and all sending: the peer would take later bytes for the rest of the body.
    pub fn abort(self) {
        self.framed.output.end();
    }

    /// How many bytes are still to be written.
    pub fn left(&self) -> u64 {
        self.framed.output.owed
    }

    /// Writes some of `bytes` without a copy, and gives their number. Cancel-safe.
    ///
    /// # Errors
    /// [`BodyFull`](FrameFault::BodyFull) for more bytes than the body has left; none is written
    /// then. Or the transport's error, which is fatal.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<usize, FrameError> {
        poll_fn(|cx| self.poll_some(cx, bytes)).await
    }

    /// Writes all of `bytes`. Not cancel-safe: [`left`](BodyWriter::left) tells how many are left.
    ///
    /// # Errors
    /// As [`write`](BodyWriter::write).
    pub async fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), FrameError> {
        while !bytes.is_empty() {
            let written = self.write(bytes).await?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    /// Writes all of `bytes`, but lets them wait if they fit below the
    /// [high-water mark](Framed::high_water): for the frames and bodies behind them, or for a
    /// [`flush`](Framed::flush). So many small bodies cost one write. Not cancel-safe:
    /// [`left`](BodyWriter::left) tells how many are left.
    ///
    /// # Errors
    /// As [`write`](BodyWriter::write).
    pub async fn feed(&mut self, bytes: &[u8]) -> Result<(), FrameError> {
        let output = &mut self.framed.output;
        if bytes.len() as u64 > output.owed || !output.can_wait(bytes.len()) {
            return self.write_all(bytes).await;
        }
        output.buf.extend_from_slice(bytes);
        output.owed -= bytes.len() as u64;
        let accounted = output.account();
        accounted.map_err(|error| self.framed.send_error(error))
    }

    fn poll_some(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize, FrameError>> {
        let owed = self.framed.output.owed;
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if bytes.len() as u64 > owed {
            return Poll::Ready(Err(self
                .framed
                .send_error(FrameFault::BodyFull(owed, bytes.len()))));
        }
        if self.framed.output.is_over() {
            return Poll::Ready(Err(self.framed.send_error(FrameFault::Over)));
        }
        let Framed { output, socket, .. } = &mut *self.framed;
        let sent = ready!(output.poll_write_body(cx, socket, bytes));
        match sent {
            Ok(bytes) => {
                output.owed -= bytes as u64;
                Poll::Ready(Ok(bytes))
            }
            Err(error) => Poll::Ready(Err(self.framed.send_error(error))),
        }
    }
}

impl<S: SendHalf, C: Codec> AsyncWrite for BodyWriter<'_, S, C> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_some(cx, buf).map_err(io::Error::from)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.framed.poll_flush_frames(cx).map_err(io::Error::from)
    }
    /// Flushes; the connection stays open for the next frame.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl<S, C> fmt::Debug for BodyWriter<'_, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyWriter({} bytes left)", self.framed.output.owed)
    }
}
