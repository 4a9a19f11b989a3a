//! `line`: a frame ends at a delimiter.

use bytes::BytesMut;
use memchr::memchr;

use crate::limits::{DEFAULT_MAX_FRAME, Limits, check, contain, refused, unfinished};
use crate::{Affix, Codec, CodecError, Content, Decoded, End, Ending, Fault, Properties};

/// `line`, `line:crlf`, `line:\0`: a frame is the bytes before a delimiter.
///
/// By default a line ends at `\n`, and one `\r` before it belongs to the ending. Other [`Ending`]s
/// are one byte, and no `\r` is removed before them. A frame contains no delimiter, and with `\n`
/// it does not end in `\r`: `encode` refuses frames that would arrive changed.
///
/// A line longer than [`max_frame`](Line::max_frame) is one error. Its rest is passed over, up to
/// [`max_discard`](Line::max_discard) bytes of that line; beyond them the error is fatal. A last
/// line without an ending, when a stream closes, is an error and not a frame, since a command cut
/// in half must not run; [`keep_last`](Line::keep_last) changes that. The end of a datagram does
/// end a line, and an empty datagram is an empty line. A `\r` is removed before a `\n` only, and
/// not before such an end.
///
/// ```
/// use socketry_codec::{Line, Reader};
///
/// let mut lines = Reader::new(Line::new());
/// lines.push(b"one\r\ntwo\nthr");
/// assert_eq!(lines.next_frame()?, Some(&b"one"[..]));
/// assert_eq!(lines.next_frame()?, Some(&b"two"[..]));
/// assert_eq!(lines.next_frame()?, None);
/// # Ok::<(), socketry_codec::CodecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Line {
    ending: Ending,
    limits: Limits,
    keep_last: bool,
    within: Within,
}

/// The codec's state within the line at the front of the input.
#[derive(Clone, Copy, Debug)]
enum Within {
    /// Nothing is known yet.
    Fresh,
    /// The first bytes of it, so many, have no delimiter.
    Scanned(usize),
    /// The line is too long, and so many bytes of it were dropped already.
    Discarding(u64),
}

impl Line {
    /// Text lines: `\n` is written, `\n` and `\r\n` are read.
    pub fn new() -> Self {
        Line::ending(Ending::LF)
    }

    /// Text lines as the Internet's older protocols write them: `\r\n`. Both endings are read.
    pub fn crlf() -> Self {
        Line::ending(Ending::CRLF)
    }

    /// Frames that end at this byte; `b'\n'` gives text lines.
    pub fn delimited(byte: u8) -> Self {
        Line::ending(Ending::byte(byte))
    }

    /// Lines with this ending.
    pub fn ending(ending: Ending) -> Self {
        Line {
            ending,
            limits: Limits::frames(DEFAULT_MAX_FRAME),
            keep_last: false,
            within: Within::Fresh,
        }
    }

    /// The longest line in bytes, without its ending, both ways; by default [`DEFAULT_MAX_FRAME`].
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.limits.max_frame = bytes;
        self
    }

    /// The longest line in bytes, with its ending, that is passed over and is not fatal; by default
    /// [`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every line that is too
    /// long is fatal.
    #[must_use]
    pub fn max_discard(mut self, bytes: u64) -> Self {
        self.limits.max_discard = bytes;
        self
    }

    /// Whether a last line without an ending is a frame when a stream closes; by default it is an
    /// error.
    #[must_use]
    pub fn keep_last(mut self, keep: bool) -> Self {
        self.keep_last = keep;
        self
    }

    /// The most bytes that a line within the limit has, with its ending (one byte more for a `\r`).
    /// The codec looks at no byte beyond, so that its answer does not depend on the number of bytes
    /// that arrived at once.
    #[inline]
    fn reach(&self) -> usize {
        let ending = 1 + usize::from(self.ending.is_text());
        self.limits.max_frame.saturating_add(ending)
    }

    /// The end of the line whose delimiter is at `at`.
    #[inline]
    fn trim(&self, input: &[u8], at: usize) -> usize {
        let cr = self.ending.is_text() && at > 0 && input[at - 1] == b'\r';
        at - usize::from(cr)
    }

    /// The line at the front, if it is whole and not too long.
    #[inline(always)]
    fn front(&self, input: &[u8]) -> Option<Decoded> {
        let reach = self.reach().min(input.len());
        let at = memchr(self.ending.last(), &input[..reach])?;
        self.frame(self.trim(input, at), at + 1).ok()
    }

    /// A line, unless it is too long.
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

    /// The answer for an input without a delimiter.
    #[inline(never)]
    fn open(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let here = input.len();
        self.within = match end {
            End::Open => Within::Scanned(here),
            End::Closed | End::Datagram => Within::Fresh,
        };
        match end {
            _ if here >= self.reach() => self.overflow(end),
            End::Datagram => self.frame(here, here),
            End::Closed if self.keep_last && here > 0 => self.frame(here, here),
            End::Closed | End::Open => unfinished(here, 1, end),
        }
    }

    /// The line goes on beyond its limit: begins to discard it.
    fn overflow(&mut self, end: End) -> Result<Decoded, CodecError> {
        let passed = self.reach() as u64;
        let error = self.limits.too_long(None, Some(passed));
        let goes_on = end != End::Datagram && !error.is_fatal();
        self.within = if goes_on {
            Within::Discarding(passed)
        } else {
            Within::Fresh
        };
        Err(error)
    }

    /// Passes over more of a line, of which `before` bytes were dropped already.
    #[cold]
    fn discard(&mut self, before: u64, input: &[u8]) -> Result<Decoded, CodecError> {
        if input.is_empty() {
            return Ok(Decoded::Need(1));
        }
        let ending = memchr(self.ending.last(), input);
        let pass = ending.map_or(input.len(), |at| at + 1);
        let passed = before.saturating_add(pass as u64);
        let too_much = passed > self.limits.max_discard;
        self.within = if ending.is_some() || too_much {
            Within::Fresh
        } else {
            Within::Discarding(passed)
        };
        if too_much {
            return Err(self.limits.too_long(None, None));
        }
        Ok(Decoded::Skip(pass))
    }

    /// Refuses a frame that would not arrive unchanged.
    #[inline]
    fn check(&self, frame: &[u8]) -> Result<(), CodecError> {
        check(frame, self.limits.max_frame)?;
        if let Some(at) = memchr(self.ending.last(), frame) {
            return Err(refused(Fault::Delimiter { at }));
        }
        // A reader takes a `\r` at the end for a part of the ending. (It removes only one, so a
        // frame that ends in `\r` is safe before `\r\n`.)
        let bare = self.ending.is_text() && !self.ending.is_crlf();
        match frame {
            [before @ .., b'\r'] if bare => Err(refused(Fault::Delimiter { at: before.len() })),
            _ => Ok(()),
        }
    }
}

impl Default for Line {
    fn default() -> Self {
        Line::new()
    }
}

impl Codec for Line {
    #[inline(always)]
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let reach = self.reach().min(input.len());
        let from = match self.within {
            Within::Fresh => 0,
            Within::Scanned(bytes) => {
                self.within = Within::Fresh;
                bytes.min(reach)
            }
            Within::Discarding(bytes) => return self.discard(bytes, input),
        };
        let Some(at) = memchr(self.ending.last(), &input[from..reach]) else {
            let answer = self.open(input, end);
            return answer.map_err(|error| contain(error, end, input.len()));
        };
        let (stop, consumed) = (self.trim(input, from + at), from + at + 1);
        match self.frame(stop, consumed) {
            Err(error) => Err(contain(error, end, input.len())),
            frame => frame,
        }
    }

    #[inline(always)]
    fn whole(&mut self, input: &[u8], _: End) -> Option<Decoded> {
        self.front(input)
    }

    #[inline(always)]
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.check(frame)?;
        out.extend_from_slice(frame);
        out.extend_from_slice(self.ending.written());
        Ok(())
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        self.check(frame)?;
        Ok(Some((Affix::EMPTY, Affix::new(self.ending.written()))))
    }

    /// False while the codec discards the rest of a line that is too long. The beginning of a line
    /// that is still in the input belongs to the codec that decodes next.
    fn at_boundary(&self) -> bool {
        !matches!(self.within, Within::Discarding(_))
    }

    fn properties(&self) -> Properties {
        let content = Content::Delimited(self.ending.last());
        Properties::default()
            .carrying(content)
            .at_most(self.limits.max_frame)
    }
}
