//! Writes the messages of one reader to its socket.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use socketry_codec::{BoxCodec, Codec};
use socketry_transport::{BoxSend, SendHalf};
use tokio::task::coop::consume_budget;

use super::Shared;
use super::seat::{Door, ReaderEnd};
use super::take::{Part, Took};

/// How many parts go into one write.
const GATHERED: usize = 64;
/// A reader that waits keeps room for so many parts.
const RESTING: usize = 4;

/// What is told of missed messages: a frame, if the peer is to be told.
pub(super) type Telling = Box<dyn FnMut(u64) -> Option<Vec<u8>> + Send>;
/// Whether a message of this length in bytes, and with this mark, is sent.
pub(super) type Filter = Box<dyn FnMut(usize, u8) -> bool + Send>;

/// See the [module](self).
pub(super) struct Writer {
    /// Given by the hub.
    pub(super) key: usize,
    socket: BoxSend,
    pub(super) door: Arc<Door>,
    pub(super) telling: Option<Box<(Telling, BoxCodec)>>,
    pub(super) filter: Option<Filter>,
    /// The longest message or datagram, where the peer sees boundaries.
    longest: Option<usize>,
    parts: VecDeque<Part>,
    /// Whether everything that was written is flushed.
    flushed: bool,
    finishing: bool,
}

/// The result of one turn.
pub(super) enum Turn {
    /// There is more to write.
    Again,
    /// A message wakes it.
    Rest,
}

impl Writer {
    pub(super) fn new(socket: BoxSend, door: Arc<Door>) -> Self {
        let longest = socket.shape().max_len();
        Writer {
            key: usize::MAX,
            socket,
            door,
            telling: None,
            filter: None,
            longest,
            parts: VecDeque::new(),
            flushed: true,
            finishing: false,
        }
    }

    /// Takes what waits, and writes it.
    pub(super) fn poll_turn(
        &mut self,
        cx: &mut Context<'_>,
        shared: &Shared,
    ) -> Poll<Result<Turn, ReaderEnd>> {
        if let Some(ended) = self.door.ended.get() {
            return Poll::Ready(Err(ended.clone()));
        }
        ready!(self.poll_write(cx)).map_err(failed)?;
        if self.finishing {
            ready!(self.socket.poll_finish(cx)).map_err(failed)?;
            return Poll::Ready(Err(ReaderEnd::Finished));
        }
        let apart = self.longest.is_some() || self.filter.is_some();
        let turn = match shared.take(self.key, apart, &mut self.parts) {
            Took::Parts { more } => {
                self.sort_out(apart);
                ready!(self.poll_write(cx)).map_err(failed)?;
                if more { Turn::Again } else { Turn::Rest }
            }
            Took::Missed(missed) => {
                self.tell(missed);
                Turn::Again
            }
            Took::End => {
                self.finishing = true;
                Turn::Again
            }
            Took::Nothing => Turn::Rest,
            Took::Over => return Poll::Ready(Err(ReaderEnd::Cut)),
        };
        if matches!(turn, Turn::Rest) && self.parts.capacity() > RESTING {
            self.parts = VecDeque::new();
        }
        Poll::Ready(Ok(turn))
    }

    /// Drops the messages that are not to be sent, or cannot.
    fn sort_out(&mut self, apart: bool) {
        if !apart {
            return;
        }
        let (longest, filter) = (self.longest.unwrap_or(usize::MAX), &mut self.filter);
        let mut too_long = 0;
        self.parts.retain(|part| {
            let len = part.bytes.len();
            too_long += u64::from(len > longest);
            len <= longest && filter.as_mut().is_none_or(|filter| filter(len, part.mark))
        });
        if too_long > 0 {
            self.tell(too_long);
        }
    }

    /// Counts messages that were missed, and tells the peer of them before it gets others.
    fn tell(&mut self, missed: u64) {
        self.door.missed.fetch_add(missed, Ordering::Relaxed);
        let Some(told) = &mut self.telling else {
            return;
        };
        let (telling, codec) = &mut **told;
        let Some(frame) = telling(missed) else { return };
        let mut encoded = BytesMut::new();
        let fits = codec.encode(&frame, &mut encoded).is_ok()
            && self.longest.is_none_or(|longest| encoded.len() <= longest);
        if fits {
            let bytes = encoded.freeze();
            self.parts.push_front(Part { bytes, mark: 0 });
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.parts.is_empty() {
            // Not every transport gives its task's turn away.
            ready!(pin!(consume_budget()).poll(cx));
            self.flushed = false;
            match self.longest {
                None => ready!(self.poll_write_some(cx))?,
                Some(_) => ready!(self.poll_write_message(cx))?,
            }
        }
        if !self.flushed {
            ready!(self.socket.poll_flush(cx))?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let sent = match self.parts.iter().next() {
            Some(only) if self.parts.len() == 1 => {
                ready!(self.socket.poll_send(cx, &[IoSlice::new(&only.bytes)]))?
            }
            _ => {
                let mut slices = [IoSlice::new(&[]); GATHERED];
                let filled = slices.iter_mut().zip(&self.parts);
                let count = filled
                    .map(|(slice, part)| *slice = IoSlice::new(&part.bytes))
                    .count();
                ready!(self.socket.poll_send(cx, &slices[..count]))?
            }
        };
        self.door.taken.fetch_add(sent, Ordering::Relaxed);
        if sent == 0 && self.parts.iter().any(|part| !part.bytes.is_empty()) {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.drop_front(sent);
        Poll::Ready(Ok(()))
    }

    fn drop_front(&mut self, mut bytes: usize) {
        while let Some(first) = self.parts.front_mut() {
            if first.bytes.len() > bytes {
                first.bytes.advance(bytes);
                break;
            }
            bytes -= first.bytes.len();
            self.parts.pop_front();
        }
    }

    fn poll_write_message(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let bytes = self
            .parts
            .front()
            .map_or(Bytes::new(), |part| part.bytes.clone());
        let sent = ready!(self.socket.poll_send(cx, &[IoSlice::new(&bytes)]));
        self.door.taken.fetch_add(bytes.len(), Ordering::Relaxed);
        self.parts.pop_front();
        match sent {
            // A datagram is lost, as datagrams may be. A session that has ended is over.
            Err(error)
                if !self.socket.shape().is_reliable()
                    && error.kind() != io::ErrorKind::BrokenPipe =>
            {
                Poll::Ready(Ok(()))
            }
            sent => Poll::Ready(sent.map(drop)),
        }
    }
}

fn failed(error: io::Error) -> ReaderEnd {
    ReaderEnd::Failed(Arc::new(error))
}
