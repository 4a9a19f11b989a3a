//! The frame that the codec restored from another form. It has a buffer of its own, since it may be
//! longer than what arrived.

use bytes::{Bytes, BytesMut};

use super::{Input, State, Step};
use crate::contract::Place;
use crate::framed::frames::{Count, Frames};
use crate::framed::input::step::Refused;
use crate::{Codec, CodecError, End};

/// The last frame that was restored.
#[derive(Default)]
pub(super) struct Restored {
    frame: BytesMut,
    /// Where the frame is in `frame`: from its first byte to its last.
    place: Place,
    /// The bytes that it took of the input.
    consumed: usize,
    /// Whether it was given out, 0 or 1.
    given: usize,
    /// Counted by `Frames`, and not used.
    pos: usize,
}

impl Restored {
    pub(super) fn capacity(&self) -> usize {
        self.frame.capacity()
    }
}

impl Input {
    /// Has the codec restore the frame whose other form is at `coded`, counted from `pos`. Its
    /// bytes count as consumed at once, so that a body may begin behind them.
    pub(super) fn restore_frame<C: Codec>(
        &mut self,
        codec: &mut C,
        coded: Place,
        end: End,
    ) -> Result<Step, Refused> {
        let Place {
            start,
            end: stop,
            consumed,
        } = coded;
        let restored = self.restored.get_or_insert_default();
        // Also if the codec fails, no frame waits.
        restored.given = 1;
        restored.frame.clear();
        let coded = &self.buf[self.pos..][start..stop];
        if let Err(fault) = codec.restore(coded, &mut restored.frame) {
            return Err(self.wrong(CodecError::skip(fault, consumed as u64), end));
        }
        let len = restored.frame.len();
        restored.place = Place {
            start: 0,
            end: len,
            consumed: len,
        };
        (restored.consumed, restored.given) = (consumed, 0);
        self.found(consumed);
        self.consume(consumed);
        Ok(Step::Restored)
    }

    /// Whether a frame was restored and not given out.
    #[inline]
    pub(in crate::framed) fn has_restored(&self) -> bool {
        self.restored.as_ref().is_some_and(|last| last.given == 0)
    }

    /// The frame that waits, given out.
    fn restored(&mut self) -> Option<&mut BytesMut> {
        let restored = self.restored.as_mut().filter(|last| last.given == 0)?;
        restored.given = 1;
        Some(&mut restored.frame)
    }

    /// The frame that waits, borrowed.
    pub(in crate::framed) fn take_restored(&mut self) -> Option<&[u8]> {
        self.restored().map(|frame| &frame[..])
    }

    /// The frame that waits, cut without a copy.
    pub(in crate::framed) fn cut_restored(&mut self) -> Option<Bytes> {
        self.restored().map(|frame| frame.split().freeze())
    }

    /// The frame that waits. It counts as given out when the iterator gives it.
    pub(in crate::framed) fn lend_restored<'a, C: Codec>(
        &'a mut self,
        codec: &'a mut C,
    ) -> Option<Frames<'a, C>> {
        let end = self.state.end();
        let restored = self.restored.as_mut().filter(|last| last.given == 0)?;
        Some(Frames {
            left: 0,
            places: std::slice::from_ref(&restored.place).iter(),
            given: Count::new(&mut restored.given),
            rest: &restored.frame,
            pos: Count::new(&mut restored.pos),
            codec,
            end,
        })
    }

    /// Its bytes are to be found again, if it was not given out: they are still in the buffer.
    pub(super) fn forget_restored(&mut self) {
        if self.restored().is_none() {
            return;
        }
        self.pos -= self.restored.as_ref().map_or(0, |last| last.consumed);
        if self.state == State::NoMessage {
            self.state = State::Message;
        }
    }

    /// The bytes of the frame that waits.
    pub(super) fn restored_from(&self) -> usize {
        let waits = self.restored.as_ref().filter(|last| last.given == 0);
        waits.map_or(0, |last| last.consumed)
    }
}
