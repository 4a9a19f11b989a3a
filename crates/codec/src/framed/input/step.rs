//! Asking the codec about the bytes that have arrived.

use super::{Input, State, spare};
use crate::contract::Place;
use crate::{Codec, CodecError, Decoded, End, Fault};

/// The most bytes that the error of a codec shows.
const MAX_FOUND: usize = 128;

/// The next step of a receive.
pub(in crate::framed) enum Step {
    /// There are frames to [take](Input::take), at least one.
    Frames,
    /// There is a frame that the codec restored.
    Restored,
    /// This many more bytes are needed.
    More(usize),
    Over,
}

/// How many frames the codec is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::framed) enum Ask {
    /// One: [`Frames`](crate::framed::Frames) finds those behind it.
    One,
    /// As many as there are.
    Many,
}

/// An error of the codec, and the first of the bytes that it is about.
pub(in crate::framed) struct Refused {
    pub(in crate::framed) error: CodecError,
    pub(in crate::framed) found: Box<[u8]>,
}

impl Input {
    /// Asks the codec for frames in the bytes that have arrived, once all earlier ones are taken.
    pub(in crate::framed) fn step<C: Codec>(
        &mut self,
        codec: &mut C,
        ask: Ask,
    ) -> Result<Step, Refused> {
        loop {
            let end = match self.look_at() {
                Ok(end) => end,
                Err(step) => return Ok(step),
            };
            let here = self.here();
            let ahead = self.ahead.get_or_insert_with(spare::take_ahead);
            ahead.clear();
            let bytes = &self.buf[self.pos..];
            let answer = match ask {
                Ask::One => codec.decode(bytes, end),
                Ask::Many => codec.decode_many(bytes, end, ahead),
            };
            let decoded = match answer {
                Ok(decoded) => decoded,
                Err(error) => return Err(self.wrong(error, end)),
            };
            match Place::sound(decoded, here) {
                Some(first) if ahead.first(first, here) => {
                    self.found(first.consumed);
                    return Ok(Step::Frames);
                }
                Some(_) => return Err(self.wrong(CodecError::unsound(), end)),
                None => {
                    ahead.clear();
                    if let Some(step) = self.no_frame(decoded, end, codec)? {
                        return Ok(step);
                    }
                }
            }
        }
    }

    /// Passes over bytes if needed. Gives the `End` of the next bytes, or the step if there are
    /// none to look at.
    fn look_at(&mut self) -> Result<End, Step> {
        self.settle();
        if self.skip > 0 {
            self.pass_over();
        }
        match self.state {
            // This is also the case while bytes are still to be passed over.
            State::Stream if self.pos == self.buf.len() => Err(Step::More(1)),
            State::Stream => Ok(End::Open),
            State::Message => Ok(End::Datagram),
            State::Ended if self.pos < self.buf.len() => Ok(End::Closed),
            State::Ended | State::Over => Err(Step::Over),
            State::NoMessage => Err(Step::More(1)),
        }
    }

    /// Notes that a frame of so many bytes is whole. (Frames behind it arrived in the same read and
    /// are no longer than that, so they need not be counted for the size of later reads.)
    pub(super) fn found(&mut self, consumed: usize) {
        self.growth.completed(consumed);
        if self.looked {
            self.looked = false;
            self.deadline.clear();
        }
        if self.here() == 0 {
            self.state = State::NoMessage;
        }
    }

    /// Handles any other answer. `None` if the codec must be asked again.
    fn no_frame<C: Codec>(
        &mut self,
        answer: Decoded,
        end: End,
        codec: &mut C,
    ) -> Result<Option<Step>, Refused> {
        let here = self.here();
        match answer {
            Decoded::Need(bytes) if end == End::Open => {
                self.looked = true;
                return Ok(Some(Step::More(bytes.max(1))));
            }
            Decoded::Need(_) if here == 0 => self.consume(0),
            Decoded::Need(missing) => {
                let fault = Fault::Truncated {
                    have: here,
                    missing,
                };
                return Err(self.wrong(CodecError::skip(fault, here as u64), end));
            }
            skip @ Decoded::Skip(bytes) if skip.is_sound(here) => {
                self.consume(bytes);
                if codec.at_boundary() {
                    self.deadline.clear();
                }
            }
            Decoded::Coded {
                start,
                end: stop,
                consumed,
            } if answer.is_sound(here) => {
                let coded = Place {
                    start,
                    end: stop,
                    consumed,
                };
                return self.restore_frame(codec, coded, end).map(Some);
            }
            _ => return Err(self.wrong(CodecError::unsound(), end)),
        }
        Ok(None)
    }

    fn pass_over(&mut self) {
        let here = self.here() as u64;
        let passed = self.skip.min(here);
        self.skip -= passed;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "no more than the buffer holds"
        )]
        self.consume(passed as usize);
        if self.skip == 0 {
            self.deadline.clear();
        }
    }

    /// Handles an error. The error of a message or datagram is never fatal, and drops the rest of
    /// that one.
    #[cold]
    pub(super) fn wrong(&mut self, mut error: CodecError, end: End) -> Refused {
        let unread = self.unread();
        let found = unread[..unread.len().min(MAX_FOUND)].into();
        self.deadline.clear();
        self.forget_frames();
        if end == End::Datagram {
            error.skip = Some(self.here() as u64);
            self.pos = self.buf.len();
            self.state = State::NoMessage;
            return Refused { error, found };
        }
        match error.skip {
            Some(bytes) if bytes > 0 => self.skip = bytes,
            // Without passing over bytes, the same error would come for ever.
            _ => {
                error.skip = None;
                self.fail();
            }
        }
        Refused { error, found }
    }
}
