//! The send buffer: frames that wait to be written, and the rest of one whose sender was cancelled.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use socketry_transport::SendHalf;

use super::meter::{Hooks, Meter};
use crate::limits::DEFAULT_HIGH_WATER;

/// An empty buffer larger than this is freed, unless the high-water mark is larger.
const KEPT: usize = 128 * 1024;
/// The room that stays after a flush, since the connection may be idle for long.
const RESTING: usize = 1024;

pub(super) struct Output {
    /// Whole frames; on a datagram socket at most one.
    pub(super) buf: BytesMut,
    /// The bytes before it are written.
    pos: usize,
    mode: Mode,
    /// Whether `buf` is a datagram to send. It may be empty.
    pub(super) datagram: bool,
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
    /// It is a datagram.
    Datagrams,
    /// Finished or failed: no more frames can be sent.
    Over,
}

impl Output {
    pub(super) fn new(stream: bool) -> Self {
        Output {
            buf: BytesMut::new(),
            pos: 0,
            mode: if stream {
                Mode::Stream
            } else {
                Mode::Datagrams
            },
            datagram: false,
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
        !self.datagram && self.buf.len() < self.high_water
    }

    pub(super) fn into_unsent(mut self) -> BytesMut {
        self.buf.advance(self.pos);
        self.buf
    }

    /// Writes all bytes that wait.
    pub(super) fn poll_drain<S: SendHalf>(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut S,
    ) -> Poll<io::Result<()>> {
        if self.datagram {
            ready!(super::poll_turn(cx));
            let sent = ready!(socket.poll_send(cx, &[IoSlice::new(&self.buf)]));
            // Sent or refused, this datagram is done. The next one may succeed.
            self.datagram = false;
            self.reset();
            // But a session that has ended is over, like a stream.
            if matches!(&sent, Err(error) if error.kind() == io::ErrorKind::BrokenPipe) {
                self.end();
            }
            return Poll::Ready(sent.map(drop));
        }
        self.poll_write(cx, socket, &mut [&[], &[]])
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
    pub(super) fn poll_write_some<S: SendHalf>(
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

    /// Notes the bytes that were written. An error ends a stream.
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
