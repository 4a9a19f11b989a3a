//! The receive side's state: the bytes that arrived, which of them were given out, and what is to
//! come.

mod body;
mod deadline;
mod fill;
mod room;
mod spare;
mod step;

use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::frames::{Frames, Given};
use crate::Ahead;
use crate::reader::cut;
use deadline::Deadline;
use room::Growth;
pub(super) use step::{Refused, Step};

/// What the receive side holds.
pub(super) struct Input {
    buf: BytesMut,
    /// Everything before is given out or passed over.
    pos: usize,
    /// The frames that the codec has found from `pos` on. While there are some, nothing is to be
    /// passed over and no body is under way. They may be forgotten, and are then found again.
    ahead: Option<Box<Ahead>>,
    /// Bytes to pass over that have not arrived yet.
    skip: u64,
    /// Bytes of the current body that were not read yet.
    body: u64,
    state: State,
    growth: Growth,
    deadline: Deadline,
    /// The codec remembers bytes behind the last frame, so that they can be no body any more.
    /// Wherever there is a deadline for the next frame it does.
    looked: bool,
    /// Bytes arrived since the last time that nothing was there.
    arrived: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A stream that may bring more.
    Stream,
    /// A stream that has ended: what is here is the last.
    Ended,
    /// Datagrams, and none is here.
    NoDatagram,
    /// Datagrams, and (the rest of) one is here. It may be empty.
    Datagram,
    /// Nothing more is to be had.
    Over,
}

impl Input {
    pub(super) fn new(stream: bool) -> Self {
        Input {
            buf: BytesMut::new(),
            pos: 0,
            ahead: None,
            skip: 0,
            body: 0,
            state: if stream {
                State::Stream
            } else {
                State::NoDatagram
            },
            growth: Growth::new(),
            deadline: Deadline::new(),
            looked: false,
            arrived: false,
        }
    }

    pub(super) fn set_frame_time(&mut self, limit: Option<Duration>) {
        self.deadline.limit = limit;
    }

    pub(super) fn restore(&mut self, received: BytesMut) {
        if self.state == State::NoDatagram && !received.is_empty() {
            self.state = State::Datagram;
        }
        self.buf = received;
    }

    pub(super) fn into_unread(mut self) -> BytesMut {
        self.compact();
        self.buf
    }

    /// Another codec may have other frames here.
    pub(super) fn forget_frames(&mut self) {
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

    /// The next `most` frames or fewer, given out as they are taken from there; `None` if there are
    /// none.
    #[inline]
    pub(super) fn lend(&mut self, most: usize) -> Option<Frames<'_>> {
        let (places, given) = self.ahead.as_deref_mut()?.lend(most);
        let rest = &self.buf[self.pos..];
        let given = Given {
            frames: (*given, given),
            bytes: (self.pos, &mut self.pos),
        };
        (!places.is_empty()).then(|| Frames::new(places, rest, given))
    }

    /// Cuts the next `most` frames or fewer from the buffer without a copy, and says how many.
    /// Everything before the last of them is dropped.
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
        if taken > 0 && self.buf.is_empty() && self.state == State::Datagram {
            self.state = State::NoDatagram;
        }
        cut
    }

    /// The bytes at `range`, for the moment.
    #[inline]
    pub(super) fn slice(&self, range: Range<usize>) -> &[u8] {
        &self.buf[range]
    }

    /// The bytes at `range`, for good, cut from the buffer without a copy. Everything before them
    /// is dropped.
    #[inline]
    pub(super) fn cut(&mut self, range: Range<usize>) -> Bytes {
        self.settle();
        self.pos -= range.end;
        cut(&mut self.buf, range)
    }

    /// The bytes that are here and belong to no frame that was given out.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buf[self.pos..]
    }

    /// How many bytes are here and not given out.
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
        self.forget_frames();
        (self.pos, self.skip, self.body) = (0, 0, 0);
    }

    #[inline]
    fn consume(&mut self, bytes: usize) {
        self.pos += bytes;
        if self.state == State::Datagram && self.pos == self.buf.len() {
            self.state = State::NoDatagram;
        }
    }

    /// Notes that the last frame of a datagram was given out, if it was: taking a frame does not
    /// look at that.
    fn settle(&mut self) {
        if self.pos > 0 {
            self.consume(0);
        }
    }
}
