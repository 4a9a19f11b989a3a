//! The bytes that are to be sent, and how many the transport has taken.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::pin;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use socketry_codec::{Codec, CodecError, Fault};
use socketry_transport::SendHalf;
use tokio::task::coop::consume_budget;

use super::queue::Entry;

/// From so many bytes on, no further request is encoded before they are written.
const HIGH_WATER: usize = 256 << 10;
/// A larger buffer is freed when it is empty.
const KEPT: usize = 64 << 10;

/// Encodes requests, and writes them. It is no `Framed`, since it has to know of each request
/// whether the transport has taken a byte of it.
pub(super) struct Outbox<W, C> {
    pub(super) socket: W,
    codec: C,
    buf: BytesMut,
    /// The bytes before it are written.
    pos: usize,
    /// How many bytes the transport has taken in all; of messages, how many of those.
    handed: u64,
    /// Notifications of which the transport has taken nothing yet, with their positions.
    one_way: VecDeque<(u64, Entry)>,
    /// The longest message or datagram, where the peer sees boundaries.
    longest: Option<usize>,
    /// One of them waits, which may be empty.
    waits: bool,
    flushed: bool,
}

impl<W: SendHalf, C: Codec> Outbox<W, C> {
    pub(super) fn new(socket: W, codec: C) -> Self {
        let longest = socket.shape().max_len();
        Outbox {
            socket,
            codec,
            buf: BytesMut::new(),
            pos: 0,
            handed: 0,
            one_way: VecDeque::new(),
            longest,
            waits: false,
            flushed: true,
        }
    }

    /// How many further bytes of requests are to be put.
    pub(super) fn room(&self) -> usize {
        match self.longest {
            None => HIGH_WATER.saturating_sub(self.buf.len()),
            Some(_) => usize::from(!self.waits),
        }
    }

    /// Encodes a request behind those that wait, and gives its position.
    pub(super) fn put(&mut self, frame: &[u8]) -> Result<u64, CodecError> {
        let before = self.buf.len();
        self.codec.encode(frame, &mut self.buf)?;
        let len = self.buf.len() - before;
        let start = self.handed + (before - self.pos) as u64;
        if let Some(max) = self.longest {
            if len > max {
                self.buf.truncate(before);
                let (len, max) = (Some(len as u64), max as u64);
                return Err(CodecError::skip(Fault::TooLong { len, max }, 0));
            }
            self.waits = true;
        }
        self.flushed = false;
        Ok(start)
    }

    /// Keeps a notification at position `start` until the transport has taken some of it.
    pub(super) fn keep(&mut self, start: u64, entry: Entry) {
        self.one_way.push_back((start, entry));
    }

    /// Whether nothing is to be written.
    pub(super) fn is_empty(&self) -> bool {
        self.flushed
    }

    /// Writes all that waits. Cancel-safe.
    pub(super) async fn write(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_write(cx)).await
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.waits || self.pos < self.buf.len() {
            ready!(pin!(consume_budget()).poll(cx));
            let parts = [IoSlice::new(&self.buf[self.pos..])];
            let sent = ready!(self.socket.poll_send(cx, &parts));
            self.wrote(sent)?;
        }
        self.buf.clear();
        self.pos = 0;
        if self.buf.capacity() > KEPT {
            self.buf = BytesMut::new();
        }
        ready!(self.socket.poll_flush(cx))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn wrote(&mut self, sent: io::Result<usize>) -> io::Result<()> {
        if self.longest.is_some() {
            let reliable = self.socket.shape().is_reliable();
            match sent {
                // A datagram is lost, as many are. A session that has ended is over.
                Err(error) if reliable || error.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(error);
                }
                Err(_) | Ok(_) => {}
            }
            (self.waits, self.handed) = (false, self.handed + 1);
            self.pos = self.buf.len();
        } else {
            let sent = sent?;
            if sent == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.pos += sent;
            self.handed += sent as u64;
        }
        let handed = self.handed;
        while self
            .one_way
            .front()
            .is_some_and(|(start, _)| *start < handed)
        {
            self.one_way.pop_front();
        }
        Ok(())
    }

    /// The connection is lost: how much the transport has taken, and the notifications of which it
    /// has taken nothing.
    pub(super) fn lost(&mut self) -> (u64, impl Iterator<Item = Entry> + use<W, C>) {
        let unsent = std::mem::take(&mut self.one_way);
        (self.handed, unsent.into_iter().map(|(_, entry)| entry))
    }
}
