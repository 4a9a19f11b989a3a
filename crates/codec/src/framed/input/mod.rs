//! The state of the receiving side: the bytes that arrived, those that were given out, and those to
//! pass over.

mod body;
mod deadline;
mod fill;
mod restored;
mod room;
mod spare;
mod step;

use std::io;
use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use socketry_transport::Shape;

use super::frames::{Count, Frames, in_batches};
use super::meter::{Hooks, tell};
use super::watch::Watch;
use crate::limits::FRAMES_AT_ONCE;
use crate::reader::cut;
use crate::{Ahead, Codec, End};
use deadline::Deadline;
use restored::Restored;
use room::Growth;
pub(super) use step::{Ask, Refused, Step};

/// The state of the receiving side.
pub(super) struct Input {
    buf: BytesMut,
    /// The bytes before it were given out or passed over.
    pos: usize,
    /// The frames that the codec has found from `pos` on. While there are some, no bytes are to be
    /// passed over, and no body is under way. They may be forgotten, and are then found again.
    ahead: Option<Box<Ahead>>,
    /// The last frame that the codec restored. Boxed, since most codecs restore none. While it
    /// waits to be given out, there are none ahead, and no bytes were received since.
    restored: Option<Box<Restored>>,
    /// Bytes to pass over that have not arrived yet.
    skip: u64,
    /// Bytes of the current body that were not read yet.
    body: u64,
    state: State,
    /// An error of the socket is the end of it, and bodies may follow frames.
    reliable: bool,
    growth: Growth,
    deadline: Deadline,
    /// The codec has seen bytes behind the last frame, so they cannot be a body any more. It is set
    /// whenever there is a deadline for the next frame.
    looked: bool,
    /// Bytes have arrived since the socket last had none.
    arrived: bool,
    /// The bytes that the socket holds of a message that has not arrived whole.
    part: usize,
    /// Boxed, since most connections have none.
    pub(super) hooks: Option<Box<Hooks>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A stream that may have more bytes.
    Stream,
    /// A stream that has ended: no more bytes will arrive.
    Ended,
    /// Messages or datagrams, and none has arrived.
    NoMessage,
    /// Messages or datagrams, and (the rest of) one has arrived. It may be empty.
    Message,
    /// No more frames are given.
    Over,
}

impl State {
    /// Whether bytes may follow those that have arrived.
    #[inline]
    fn end(self) -> End {
        match self {
            State::Stream => End::Open,
            State::Ended | State::Over => End::Closed,
            State::NoMessage | State::Message => End::Datagram,
        }
    }
}

impl Input {
    pub(super) fn new(shape: Shape) -> Self {
        Input {
            buf: BytesMut::new(),
            pos: 0,
            ahead: None,
            restored: None,
            skip: 0,
            body: 0,
            state: match shape.is_stream() {
                true => State::Stream,
                false => State::NoMessage,
            },
            reliable: shape.is_reliable(),
            growth: Growth::new(),
            deadline: Deadline::new(),
            looked: false,
            arrived: false,
            part: 0,
            hooks: None,
        }
    }

    pub(super) fn set_frame_time(&mut self, limit: Option<Duration>) {
        self.deadline.limit = limit;
    }

    pub(super) fn set_watch(&mut self, watch: Box<dyn Watch>) {
        self.hooks().watch = Some(watch);
    }

    pub(super) fn hooks(&mut self) -> &mut Hooks {
        self.hooks.get_or_insert_default()
    }

    /// Whether a meter hears of each frame. Such frames are found one by one, since to count them
    /// where they are given out would cost each frame of all other connections a comparison.
    #[inline]
    pub(super) fn is_counted(&self) -> bool {
        self.hooks.as_deref().and_then(Hooks::counter).is_some()
    }

    /// Tells the meter of a frame that the caller gets now.
    pub(super) fn tell_found(&self) {
        tell(self.hooks.as_deref(), |meter| meter.frames_received(1));
    }

    /// Tells the meter of the buffers' size, which it may refuse.
    pub(super) fn account(&mut self) -> io::Result<()> {
        match &mut self.hooks {
            Some(hooks) => {
                let restored = self.restored.as_ref().map_or(0, |last| last.capacity());
                hooks.hold(self.buf.capacity() + restored + self.part)
            }
            None => Ok(()),
        }
    }

    pub(super) fn restore(&mut self, received: BytesMut) {
        if self.state == State::NoMessage && !received.is_empty() {
            self.state = State::Message;
        }
        self.buf = received;
    }

    pub(super) fn into_unread(mut self) -> BytesMut {
        self.forget_restored();
        self.compact();
        self.buf
    }

    /// Forgets the frames that were found: another codec may find others, say.
    pub(super) fn forget_frames(&mut self) {
        self.forget_restored();
        if let Some(ahead) = self.ahead.take() {
            spare::give_ahead(ahead);
        }
    }

    pub(super) fn at_boundary(&self) -> bool {
        self.skip == 0 && self.body == 0
    }

    /// The next of the frames that were [found](Step::Frames), given out.
    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<Range<usize>> {
        let place = self.ahead.as_deref_mut()?.pop()?;
        let range = self.pos + place.start..self.pos + place.end;
        self.pos += place.consumed;
        Some(range)
    }

    /// Whether there are frames to [take](Input::take).
    #[inline(always)]
    pub(super) fn has_frames(&self) -> bool {
        self.ahead.as_deref().is_some_and(|ahead| !ahead.is_empty())
    }

    /// The next `most` frames or fewer: those that were found, and then those that the codec finds
    /// meanwhile. Each counts as given out when the iterator gives it. `None` if none was found.
    #[inline]
    pub(super) fn lend<'a, C: Codec>(
        &'a mut self,
        most: usize,
        codec: &'a mut C,
    ) -> Option<Frames<'a, C>> {
        let most = most.min(FRAMES_AT_ONCE);
        let end = self.state.end();
        let counted = self.is_counted();
        let (places, given) = self.ahead.as_deref_mut()?.lend(most);
        let left = if in_batches::<C>() || counted {
            0
        } else {
            most - places.len()
        };
        (!places.is_empty()).then(|| Frames {
            left,
            places: places.iter(),
            given: Count::new(given),
            rest: &self.buf[self.pos..],
            pos: Count::new(&mut self.pos),
            codec,
            end,
        })
    }

    /// Cuts the next `most` frames or fewer from the buffer without a copy, and gives their number.
    /// All bytes up to the end of the last one leave the buffer.
    pub(super) fn cut_many(&mut self, most: usize, into: &mut Vec<Bytes>) -> usize {
        let Some(ahead) = self.ahead.as_deref_mut() else {
            return 0;
        };
        let (places, given) = ahead.lend(most);
        let taken: usize = places.iter().map(|place| place.consumed).sum();
        let bytes = self.buf.split_to(self.pos + taken).freeze();
        let mut at = self.pos;
        into.extend(places.iter().map(|place| {
            let frame = bytes.slice(at + place.start..at + place.end);
            at += place.consumed;
            frame
        }));
        let cut = places.len();
        *given += cut;
        self.pos = 0;
        if taken > 0 && self.buf.is_empty() && self.state == State::Message {
            self.state = State::NoMessage;
        }
        cut
    }

    /// The bytes at `range`, borrowed.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        &self.buf[range]
    }

    /// The bytes at `range`, cut from the buffer without a copy. All bytes before them are dropped.
    #[inline]
    pub(super) fn cut(&mut self, range: Range<usize>) -> Bytes {
        self.settle();
        self.pos -= range.end;
        cut(&mut self.buf, range)
    }

    /// The bytes that have arrived and belong to no frame that was given out.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buf[self.pos - self.restored_from()..]
    }

    /// The number of bytes that have arrived and were not given out.
    #[inline]
    fn here(&self) -> usize {
        self.buf.len() - self.pos
    }

    /// Whether an error that was just reported ended it.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub(super) fn fail(&mut self) {
        self.state = State::Over;
        self.deadline.clear();
        self.buf = BytesMut::new();
        if let Some(hooks) = &mut self.hooks {
            hooks.free();
        }
        self.forget_frames();
        self.restored = None;
        (self.pos, self.skip, self.body) = (0, 0, 0);
    }

    #[inline]
    fn consume(&mut self, bytes: usize) {
        self.pos += bytes;
        if self.state == State::Message && self.pos == self.buf.len() {
            self.state = State::NoMessage;
        }
    }

    /// Updates the state if the last frame of a message was given out, since taking a frame does
    /// not.
    fn settle(&mut self) {
        if self.pos > 0 {
            self.consume(0);
        }
    }
}
