//! Frames that end at a delimiter: the search over all pieces of a stream, and frames that are too
//! long.

use crate::limits::{DEFAULT_MAX_FRAME, Limits, check, check_least, contain, unfinished};
use crate::{CodecError, Content, Decoded, End, Properties};

/// What ends a frame.
pub(super) trait Delimits {
    /// How many bytes it has, 1 at least.
    fn size(&self) -> usize;

    /// The most bytes before it that belong to it too.
    fn extra(&self) -> usize {
        0
    }

    /// Where the first one begins in `input`.
    fn find(&self, input: &[u8]) -> Option<usize>;

    /// The end of the frame whose delimiter begins at `at`.
    fn trim(&self, input: &[u8], at: usize) -> usize {
        let _ = input;
        at
    }
}

/// The methods of a codec with a [`Scan`] that set its limits. The texts are what its frames and
/// its delimiters are called.
macro_rules! limits {
    ($codec:ident, $frame:literal, $delimiter:literal) => {
        impl $codec {
            #[doc = concat!("The longest ", $frame, " in bytes, without its ", $delimiter, ",")]
            /// both ways; by default [`DEFAULT_MAX_FRAME`](crate::limits::DEFAULT_MAX_FRAME).
            #[must_use]
            pub fn max_frame(mut self, bytes: usize) -> Self {
                self.scan.limits.max_frame = bytes;
                self
            }

            #[doc = concat!("The longest ", $frame, " in bytes, with its ", $delimiter, ", that is")]
            /// passed over and is not fatal; by default
            #[doc = concat!(
                "[`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every ",
                $frame
            )]
            /// that is too long is fatal.
            #[must_use]
            pub fn max_discard(mut self, bytes: u64) -> Self {
                self.scan.limits.max_discard = bytes;
                self
            }

            #[doc = concat!("Whether a last ", $frame, " without its ", $delimiter, " is a frame")]
            /// when a stream closes; by default it is an error.
            #[must_use]
            pub fn keep_last(mut self, keep: bool) -> Self {
                self.scan.keep_last = keep;
                self
            }
        }
    };
}
pub(super) use limits;

/// The limits of such a codec, and its state.
#[derive(Clone, Debug)]
pub(super) struct Scan {
    pub(super) limits: Limits,
    /// Whether a last frame without a delimiter is a frame when a stream closes.
    pub(super) keep_last: bool,
    /// The shortest frame in bytes that is sent.
    pub(super) shortest: usize,
    within: Within,
}

/// The state within the frame at the front of the input.
#[derive(Clone, Copy, Debug)]
enum Within {
    /// Nothing is known yet.
    Fresh,
    /// No delimiter begins in the first bytes of it, so many.
    Scanned(usize),
    /// The frame is too long, and so many bytes of it were dropped already.
    Discarding(u64),
}

impl Scan {
    pub(super) fn new() -> Self {
        Scan {
            limits: Limits::frames(DEFAULT_MAX_FRAME),
            keep_last: false,
            shortest: 0,
            within: Within::Fresh,
        }
    }

    /// The most bytes that a frame within the limit has, with its delimiter. The codec looks at no
    /// byte beyond, so that its answer does not depend on the number of bytes that arrived at once.
    #[inline(always)]
    fn reach(&self, delimiter: &impl Delimits) -> usize {
        let around = delimiter.size() + delimiter.extra();
        self.limits.max_frame.saturating_add(around)
    }

    /// The frame at the front, if it is whole and not too long.
    #[inline(always)]
    pub(super) fn front(&self, delimiter: &impl Delimits, input: &[u8]) -> Option<Decoded> {
        let reach = self.reach(delimiter).min(input.len());
        let at = delimiter.find(&input[..reach])?;
        self.frame(delimiter.trim(input, at), at + delimiter.size())
            .ok()
    }

    /// Looks for the next frame, as [`Codec::decode`](crate::Codec::decode) does.
    #[inline(always)]
    pub(super) fn decode(
        &mut self,
        delimiter: &impl Delimits,
        input: &[u8],
        end: End,
    ) -> Result<Decoded, CodecError> {
        let reach = self.reach(delimiter).min(input.len());
        let from = match self.within {
            Within::Fresh => 0,
            Within::Scanned(bytes) => {
                self.within = Within::Fresh;
                bytes.min(reach)
            }
            Within::Discarding(bytes) => return self.discard(delimiter, bytes, input, end),
        };
        let Some(at) = delimiter.find(&input[from..reach]) else {
            let answer = self.open(delimiter, input, end);
            return answer.map_err(|error| contain(error, end, input.len()));
        };
        let at = from + at;
        match self.frame(delimiter.trim(input, at), at + delimiter.size()) {
            Err(error) => Err(contain(error, end, input.len())),
            frame => frame,
        }
    }

    /// A frame, unless it is too long.
    #[inline]
    fn frame(&self, end: usize, consumed: usize) -> Result<Decoded, CodecError> {
        if end > self.limits.max_frame {
            let (len, pass) = (end as u64, consumed as u64);
            return Err(self.limits.too_long(Some(len), Some(pass)));
        }
        Ok(Decoded::Frame {
            start: 0,
            end,
            consumed,
        })
    }

    /// The answer for an input without a delimiter. The last bytes may be the beginning of one.
    #[inline(never)]
    fn open(
        &mut self,
        delimiter: &impl Delimits,
        input: &[u8],
        end: End,
    ) -> Result<Decoded, CodecError> {
        let (here, begun) = (input.len(), delimiter.size() - 1);
        self.within = match end {
            End::Open => Within::Scanned(here.saturating_sub(begun)),
            End::Closed | End::Datagram => Within::Fresh,
        };
        match end {
            _ if here >= self.reach(delimiter) => {
                self.overflow((self.reach(delimiter) - begun) as u64, end)
            }
            End::Datagram => self.frame(here, here),
            End::Closed if self.keep_last && here > 0 => self.frame(here, here),
            End::Closed | End::Open => unfinished(here, 1, end),
        }
    }

    /// The frame goes on beyond its limit: begins to discard it.
    fn overflow(&mut self, passed: u64, end: End) -> Result<Decoded, CodecError> {
        let error = self.limits.too_long(None, Some(passed));
        let goes_on = end != End::Datagram && !error.is_fatal();
        self.within = if goes_on {
            Within::Discarding(passed)
        } else {
            Within::Fresh
        };
        Err(error)
    }

    /// Passes over more of a frame, of which `before` bytes were dropped already. On an open stream
    /// the beginning of a delimiter stays.
    #[cold]
    fn discard(
        &mut self,
        delimiter: &impl Delimits,
        before: u64,
        input: &[u8],
        end: End,
    ) -> Result<Decoded, CodecError> {
        let found = delimiter.find(input);
        let pass = match found {
            Some(at) => at + delimiter.size(),
            None if end == End::Open => input.len().saturating_sub(delimiter.size() - 1),
            None => input.len(),
        };
        if pass == 0 {
            return Ok(Decoded::Need(1));
        }
        let passed = before.saturating_add(pass as u64);
        let too_much = passed > self.limits.max_discard;
        self.within = if found.is_some() || too_much {
            Within::Fresh
        } else {
            Within::Discarding(passed)
        };
        if too_much {
            return Err(self.limits.too_long(None, None));
        }
        Ok(Decoded::Skip(pass))
    }

    /// Refuses a frame whose length the peer does not take.
    #[inline(always)]
    pub(super) fn check(&self, frame: &[u8]) -> Result<(), CodecError> {
        match (self.shortest..=self.limits.max_frame).contains(&frame.len()) {
            true => Ok(()),
            false => self.wrong_length(frame),
        }
    }

    #[cold]
    fn wrong_length(&self, frame: &[u8]) -> Result<(), CodecError> {
        check(frame, self.limits.max_frame)?;
        check_least(frame, self.shortest)
    }

    /// Whether nothing is known of the frame at the front.
    #[inline]
    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.within, Within::Fresh)
    }

    /// False while the rest of a frame that is too long is discarded. The beginning of a frame that
    /// is still in the input belongs to the codec that decodes next.
    pub(super) fn at_boundary(&self) -> bool {
        !matches!(self.within, Within::Discarding(_))
    }

    /// Of a codec whose frames hold any byte but this one, if there is one.
    pub(super) fn properties(&self, without: Option<u8>) -> Properties {
        let without = without.filter(|_| self.shortest == 0);
        let content = without.map_or(Content::Other, Content::Delimited);
        Properties::default()
            .carrying(content)
            .at_most(self.limits.max_frame)
    }
}
