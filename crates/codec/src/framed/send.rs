//! Sending frames.

use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use socketry_transport::{SendHalf, Socket};
use tokio::time::{Instant, timeout_at};

use super::meter::tell;
use super::quick::{First, Quick};
use super::{FrameError, FrameFault, Framed};
use crate::limits::{CLOSE_BYTES, CLOSE_TIME};
use crate::{Codec, CodecError, Fault};

/// From this length on, in bytes, a payload is written without a copy. Below it, to copy payloads
/// to the buffer and write many frames at once is faster, since that takes fewer calls (measured;
/// equal at about this length).
pub(super) const LARGE: usize = 128 * 1024;
/// The same for a frame that is flushed at once, and so is not gathered with others.
const ALONE: usize = 16 * 1024;

impl<S: SendHalf, C: Codec> Framed<S, C> {
    /// Sends a frame; when it returns, the frame has been written.
    ///
    /// Cancel-safe: if the future is dropped half-way, the frame is sent whole before the next one,
    /// or not at all. Many small frames are faster with [`feed`](Framed::feed) and one
    /// [`flush`](Framed::flush).
    ///
    /// It waits while the peer does not read, and does not receive meanwhile. So if both peers send
    /// more than the kernel holds (some 100 KiB to a few MiB) before either receives, they wait for
    /// each other for ever. If both may send much, [`split`](Framed::split) the `Framed` and
    /// receive while sending, or bound the time:
    ///
    /// ```
    /// use socketry_codec::{Framed, Struct};
    /// use socketry_transport::{Listener, connect, listen};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut server = listen("tcp://127.0.0.1:0").await?;
    /// let ours = Framed::new(connect(server.local()).await?, Struct::default());
    /// let theirs = Framed::new(server.accept().await?, Struct::default());
    ///
    /// let large = vec![0; 8 << 20];
    /// let (mut ours, mut to_them) = ours.split();
    /// let (mut theirs, mut to_us) = theirs.split();
    /// let (sent, answered, heard, asked) = tokio::join!(
    ///     to_them.send(&large), to_us.send(&large), // neither would end alone
    ///     ours.recv(), theirs.recv(),
    /// );
    /// sent?;
    /// answered?;
    /// assert_eq!((heard?, asked?), (Some(&large[..]), Some(&large[..])));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [Not fatal](FrameError::is_fatal) if the codec, or one message or datagram, cannot carry this
    /// frame, which is then not sent.
    pub async fn send(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        if frame.len() >= ALONE && self.shape().is_stream() {
            self.feed_large(frame).await?;
        } else {
            self.feed(frame).await?;
        }
        self.flush().await
    }

    /// Puts a frame behind those that wait, and writes them all when there are many.
    /// [`flush`](Framed::flush) writes the rest. Cancel-safe, as [`send`](Framed::send).
    ///
    /// # Errors
    /// As [`send`](Framed::send).
    #[inline(always)]
    pub fn feed<'a>(
        &'a mut self,
        frame: &'a [u8],
    ) -> impl Future<Output = Result<(), FrameError>> + use<'a, S, C> {
        Quick::new(Feed(self, frame), |(framed, frame)| {
            framed.feed_waiting(frame)
        })
    }

    pub(super) async fn feed_waiting(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        if frame.len() >= LARGE && self.shape().is_stream() {
            return self.feed_large(frame).await;
        }
        poll_fn(|cx| self.poll_drain(cx)).await?;
        self.encode(frame)
    }

    /// Writes all frames that wait. Cancel-safe.
    ///
    /// # Errors
    /// If the peer or the network failed. On a datagram socket that is [not
    /// fatal](FrameError::is_fatal), and the datagram is lost.
    pub async fn flush(&mut self) -> Result<(), FrameError> {
        poll_fn(|cx| self.poll_flush_frames(cx)).await
    }

    /// Flushes and half-closes: the peer sees the end, and may still answer. Cancel-safe.
    ///
    /// # Errors
    /// As [`flush`](Framed::flush).
    pub async fn finish(&mut self) -> Result<(), FrameError> {
        poll_fn(|cx| self.poll_finish_frames(cx)).await
    }

    async fn feed_large(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        self.may_send()?;
        let envelope = self
            .codec
            .envelope(frame)
            .map_err(|error| self.codec_refused(error))?;
        let Some((before, after)) = envelope else {
            poll_fn(|cx| self.poll_drain(cx)).await?;
            return self.encode(frame);
        };
        let Framed { socket, output, .. } = self;
        let mut large = output.large(&before, [frame, &after]);
        let written = poll_fn(|cx| large.poll_write(cx, socket)).await;
        drop(large);
        written.map_err(|error| self.send_error(error))?;
        self.tell_fed()
    }

    /// Encodes a frame behind those that wait. The caller has checked that there is room. Always
    /// inlined: a call would be a fifth of the cost of a small frame.
    #[inline(always)]
    pub(super) fn encode(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        if !self.output.takes_bytes() {
            return self.encode_otherwise(frame);
        }
        let encoded = self.codec.encode(frame, &mut self.output.buf);
        encoded.map_err(|error| self.codec_refused(error))
    }

    /// Tells the meter of a frame that was fed.
    fn tell_fed(&mut self) -> Result<(), FrameError> {
        tell(self.output.hooks.as_deref(), |meter| meter.frames_sent(1));
        let accounted = self.output.account();
        accounted.map_err(|error| self.send_error(error))
    }

    /// Encodes a message, a datagram, or a frame of which a meter hears.
    #[inline(never)]
    fn encode_otherwise(&mut self, frame: &[u8]) -> Result<(), FrameError> {
        self.may_send()?;
        let max_len = self.shape().max_len();
        let most = max_len.unwrap_or(usize::MAX);
        let encoded = encode_bounded(&mut self.codec, frame, most, &mut self.output.buf);
        encoded.map_err(|error| self.codec_refused(error))?;
        self.output.message = max_len.is_some();
        self.tell_fed()
    }

    #[inline]
    pub(super) fn may_send(&self) -> Result<(), FrameError> {
        if self.output.is_over() || self.output.owed > 0 {
            return Err(self.may_not_send());
        }
        Ok(())
    }

    #[cold]
    fn may_not_send(&self) -> FrameError {
        if self.output.is_over() {
            return self.send_error(FrameFault::Over);
        }
        self.send_error(FrameFault::BodyUnwritten(self.output.owed))
    }

    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), FrameError>> {
        if self.output.is_over() {
            return Poll::Ready(Err(self.send_error(FrameFault::Over)));
        }
        let drained = ready!(self.output.poll_drain(cx, &mut self.socket));
        Poll::Ready(drained.map_err(|error| self.send_error(error)))
    }

    pub(super) fn poll_flush_frames(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), FrameError>> {
        ready!(self.poll_drain(cx))?;
        self.output.rest();
        let flushed = ready!(self.socket.poll_flush(cx));
        Poll::Ready(flushed.map_err(|error| self.socket_failed(error)))
    }

    pub(super) fn poll_finish_frames(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), FrameError>> {
        if !self.output.is_over() {
            self.may_send()?;
            // `poll_finish` of the socket flushes too. A flush before it would be repeated, and
            // waited for, at each poll.
            ready!(self.poll_drain(cx))?;
        }
        let finished = ready!(self.socket.poll_finish(cx));
        self.output.end();
        Poll::Ready(finished.map_err(|error| self.send_error(error)))
    }

    /// Whether there is room for another frame behind those that wait.
    pub(super) fn has_room(&self) -> bool {
        self.output.has_room()
    }

    fn socket_failed(&mut self, error: io::Error) -> FrameError {
        if self.shape().is_reliable() {
            self.output.end();
        }
        self.send_error(error)
    }

    #[cold]
    pub(super) fn codec_refused(&self, error: CodecError) -> FrameError {
        let error = FrameError::new(error, "send to", self.socket.peer(), false);
        self.tell_send_error(error)
    }

    #[cold]
    pub(super) fn send_error(&self, fault: impl Into<FrameFault>) -> FrameError {
        let fatal = self.output.is_over();
        self.tell_send_error(FrameError::new(fault, "send to", self.socket.peer(), fatal))
    }

    fn tell_send_error(&self, error: FrameError) -> FrameError {
        tell(self.output.hooks.as_deref(), |meter| meter.failed(&error));
        error
    }
}

/// The first step of `feed`: a small frame for which there is room.
struct Feed<'a, S, C>(&'a mut Framed<S, C>, &'a [u8]);

impl<'a, S: SendHalf, C: Codec> First for Feed<'a, S, C> {
    type Output = Result<(), FrameError>;
    type Rest = (&'a mut Framed<S, C>, &'a [u8]);

    #[inline(always)]
    fn first(self) -> Result<Self::Output, Self::Rest> {
        let Feed(framed, frame) = self;
        if frame.len() < LARGE && framed.output.has_room() {
            Ok(framed.encode(frame))
        } else {
            Err((framed, frame))
        }
    }
}

/// Appends `frame` in at most `max_len` bytes, or leaves `out` as it was.
pub(super) fn encode_bounded<C: Codec>(
    codec: &mut C,
    frame: &[u8],
    max_len: usize,
    out: &mut BytesMut,
) -> Result<usize, CodecError> {
    let before = out.len();
    codec.encode(frame, out)?;
    let len = out.len() - before;
    if len <= max_len {
        return Ok(len);
    }
    out.truncate(before);
    let fault = Fault::TooLong {
        len: Some(len as u64),
        max: max_len as u64,
    };
    Err(CodecError::skip(fault, 0))
}

impl<S: Socket, C: Codec> Framed<S, C> {
    /// Closes so that the peer loses no bytes: flushes, half-closes, and reads on until the peer
    /// has closed too, for at most [`CLOSE_BYTES`] and [`CLOSE_TIME`]. Dropping a socket with
    /// unread bytes would reset it, and destroy the bytes that the peer has not read yet.
    ///
    /// # Errors
    /// As [`flush`](Framed::flush), and if the frames that wait could not be written in that time.
    pub async fn close(mut self) -> Result<(), FrameError> {
        let deadline = Instant::now() + CLOSE_TIME;
        let peer = self.socket.peer().clone();
        let failed = |fault: FrameFault| FrameError::new(fault, "close", &peer, true);
        match timeout_at(deadline, self.finish()).await {
            Ok(finished) => finished?,
            Err(_) => return Err(failed(io::Error::from(io::ErrorKind::TimedOut).into())),
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let closed = socketry_transport::close(self.socket, CLOSE_BYTES, left).await;
        closed.map_err(|error| failed(error.into()))
    }
}
