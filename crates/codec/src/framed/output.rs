//! The send buffer: frames that wait to be written, and the rest of one whose sender was cancelled.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use socketry_transport::{SendHalf, Shape};

use super::meter::{Hooks, Meter};
use crate::limits::DEFAULT_HIGH_WATER;

/// An empty buffer larger than this is freed, unless the high-water mark is larger.
const KEPT: usize = 128 * 1024;
/// The room that stays after a flush, since the connection may be idle for long.
const RESTING: usize = 1024;
/// The most bytes of a body in one message. The peer may have less room than this end.
const BODY_MESSAGE: usize = 64 * 1024;

pub(super) struct Output {
    /// Whole frames; where the peer sees boundaries at most one.
    pub(super) buf: BytesMut,
    /// The bytes before it are written.
    pos: usize,
    mode: Mode,
    /// Whether `buf` is a message or datagram to send. It may be empty.
    pub(super) message: bool,
    /// Bytes of the current body that are still to be written.
    pub(super) owed: u64,
    pub(super) high_water: usize,
    /// Boxed, since most connections have none.
    pub(super) hooks: Option<Box<Hooks>>,
}

/// The way in which a frame is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It is put behind those that wait.
    Stream,
    /// So it is, and a meter hears of it. A way of its own costs the other one nothing.
    Metered,
    /// It is a message by itself.
    Messages,
    /// It is a datagram, and an error is about this one alone.
    Datagrams,
    /// Finished or failed: no more frames can be sent.
    Over,
}

impl Output {
    pub(super) fn new(shape: Shape) -> Self {
        Output {
            buf: BytesMut::new(),
            pos: 0,
            mode: match shape {
                Shape::Stream => Mode::Stream,
                Shape::Message { .. } => Mode::Messages,
                Shape::Datagram { .. } => Mode::Datagrams,
            },
            message: false,
            owed: 0,
            high_water: DEFAULT_HIGH_WATER,
            hooks: None,
        }
    }

    pub(super) fn set_meter(&mut self, meter: Arc<dyn Meter>) {
        self.hooks.get_or_insert_default().set_meter(meter);
        if self.mode == Mode::Stream {
            self.mode = Mode::Metered;
        }
    }

    /// Tells the meter of the buffer's size. If it refuses that, no more frames can be sent.
    pub(super) fn account(&mut self) -> io::Result<()> {
        let Some(hooks) = &mut self.hooks else {
            return Ok(());
        };
        match hooks.hold(self.buf.capacity()) {
            Ok(()) => Ok(()),
            Err(error) => self.fail(error),
        }
    }

    /// Whether no more frames can be sent.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.mode == Mode::Over
    }

    pub(super) fn end(&mut self) {
        self.mode = Mode::Over;
    }

    /// Whether the socket is a stream without a meter, and a frame may be sent now: no body is
    /// under way.
    #[inline(always)]
    pub(super) fn takes_bytes(&self) -> bool {
        self.mode == Mode::Stream && self.owed == 0
    }

    /// Whether there is room for another frame behind those that wait.
    #[inline]
    pub(super) fn has_room(&self) -> bool {
        !self.message && self.buf.len() < self.high_water
    }

    /// Whether so many bytes of a body may wait behind the frames that do.
    pub(super) fn can_wait(&self, bytes: usize) -> bool {
        let stream = matches!(self.mode, Mode::Stream | Mode::Metered);
        stream && self.buf.len() + bytes <= self.high_water
    }

    pub(super) fn into_unsent(mut self) -> BytesMut {
        self.buf.advance(self.pos);
        self.buf
    }

    /// Takes bytes that another owner has not sent.
    pub(super) fn restore(&mut self, unsent: BytesMut) {
        self.message = self.keeps_boundaries() && !unsent.is_empty();
        self.buf = unsent;
    }

    /// Whether each frame is sent by itself.
    fn keeps_boundaries(&self) -> bool {
        matches!(self.mode, Mode::Messages | Mode::Datagrams)
    }

    /// Writes all bytes that wait.
    pub(super) fn poll_drain<S: SendHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut S,
    ) -> Poll<io::Result<()>> {
        if self.message {
            return self.poll_send_message(cx, socket);
        }
        self.poll_write(cx, socket, &mut [&[], &[]])
    }

    fn poll_send_message<S: SendHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut S,
    ) -> Poll<io::Result<()>> {
        ready!(super::poll_turn(cx));
        let sent = ready!(socket.poll_send(cx, &[IoSlice::new(&self.buf)]));
        // Sent or refused, this message is done.
        self.message = false;
        self.reset();
        match sent {
            Ok(_) => Poll::Ready(Ok(())),
            // The next datagram may succeed, but a session that has ended is over.
            Err(error)
                if self.mode == Mode::Datagrams && error.kind() != io::ErrorKind::BrokenPipe =>
            {
                Poll::Ready(Err(error))
            }
            Err(error) => Poll::Ready(self.fail(error)),
        }
    }

    /// Writes the frame that waits, and then some of `bytes`, which are not empty: of a body.
    pub(super) fn poll_write_body<S: SendHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut S,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.keeps_boundaries() {
            ready!(self.poll_drain(cx, socket))?;
            let longest = socket.shape().max_len().unwrap_or(usize::MAX);
            // A message of no bytes would be no progress.
            let most = longest.clamp(1, BODY_MESSAGE);
            return self.poll_write_some(cx, socket, &bytes[..bytes.len().min(most)]);
        }
        self.poll_write_some(cx, socket, bytes)
    }

    /// Writes the bytes that wait and then `rest`, without a copy. `rest` shrinks as it is written.
    pub(super) fn poll_write<S: SendHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut S,
        rest: &mut [&[u8]; 2],
    ) -> Poll<io::Result<()>> {
        loop {
            let waiting = &self.buf[self.pos..];
            if !waiting.is_empty() || !rest[0].is_empty() {
                ready!(super::poll_turn(cx));
            }
            let sent = match (waiting.is_empty(), rest[0].is_empty(), rest[1].is_empty()) {
                (true, true, true) => break,
                (false, true, true) => ready!(socket.poll_send(cx, &[IoSlice::new(waiting)])),
                (true, false, true) => ready!(socket.poll_send(cx, &[IoSlice::new(rest[0])])),
                _ => ready!(socket.poll_send(cx, &[waiting, rest[0], rest[1]].map(IoSlice::new))),
            };
            self.wrote(sent, rest)?;
        }
        self.reset();
        Poll::Ready(Ok(()))
    }

    /// Writes the bytes that wait, and then some of `bytes`, which are not empty. Gives the number
    /// of those.
    fn poll_write_some<S: SendHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut S,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(super::poll_turn(cx));
            let waiting = &self.buf[self.pos..];
            let sent = if waiting.is_empty() {
                ready!(socket.poll_send(cx, &[IoSlice::new(bytes)]))
            } else {
                ready!(socket.poll_send(cx, &[waiting, bytes].map(IoSlice::new)))
            };
            let mut rest: [&[u8]; 2] = [bytes, &[]];
            self.wrote(sent, &mut rest)?;
            if self.pos == self.buf.len() {
                self.reset();
            }
            if rest[0].len() < bytes.len() {
                return Poll::Ready(Ok(bytes.len() - rest[0].len()));
            }
        }
    }

    /// Notes the bytes that were written. An error ends the sending.
    fn wrote(&mut self, sent: io::Result<usize>, rest: &mut [&[u8]; 2]) -> io::Result<()> {
        let sent = match sent {
            Ok(0) => return self.fail(io::ErrorKind::WriteZero.into()),
            Ok(bytes) => bytes,
            Err(error) => return self.fail(error),
        };
        let of_buf = sent.min(self.buf.len() - self.pos);
        self.pos += of_buf;
        let of_first = (sent - of_buf).min(rest[0].len());
        rest[0].advance(of_first);
        rest[1].advance(sent - of_buf - of_first);
        Ok(())
    }

    fn fail(&mut self, error: io::Error) -> io::Result<()> {
        self.end();
        self.buf = BytesMut::new();
        self.pos = 0;
        if let Some(hooks) = &mut self.hooks {
            hooks.free();
        }
        Err(error)
    }

    fn reset(&mut self) {
        self.pos = 0;
        if self.buf.capacity() > KEPT.max(2 * self.high_water) {
            self.buf = BytesMut::new();
        } else {
            self.buf.clear();
        }
    }

    /// All bytes are written, and the caller has no more for now: frees a large buffer.
    pub(super) fn rest(&mut self) {
        if self.buf.capacity() > RESTING {
            // Some room is kept: the next frames would begin with a few bytes and double them
            // often.
            self.buf = BytesMut::with_capacity(RESTING);
            // A meter never refuses what is smaller, nor so little.
            let _ = self.account();
        }
    }

    /// A frame that is written without a copy. If it is dropped before it is written whole, it is
    /// removed if none of it was written. Otherwise its rest is copied to the buffer, so that a
    /// part of a frame is never sent alone.
    pub(super) fn large<'a>(&'a mut self, head: &[u8], rest: [&'a [u8]; 2]) -> Large<'a> {
        let begins = self.buf.len();
        self.buf.extend_from_slice(head);
        Large {
            output: self,
            begins,
            len: rest[0].len() + rest[1].len(),
            rest,
        }
    }
}

/// See [`Output::large`].
pub(super) struct Large<'a> {
    output: &'a mut Output,
    /// The position of its head in the buffer.
    begins: usize,
    len: usize,
    rest: [&'a [u8]; 2],
}

impl Large<'_> {
    pub(super) fn poll_write<S: SendHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut S,
    ) -> Poll<io::Result<()>> {
        self.output.poll_write(cx, socket, &mut self.rest)
    }
}

impl Drop for Large<'_> {
    fn drop(&mut self) {
        let [first, second] = self.rest;
        let untouched = first.len() + second.len() == self.len && self.output.pos <= self.begins;
        if self.output.is_over() || (first.is_empty() && second.is_empty()) {
            return;
        }
        if untouched {
            self.output.buf.truncate(self.begins);
        } else {
            self.output.buf.extend_from_slice(first);
            self.output.buf.extend_from_slice(second);
        }
    }
}
