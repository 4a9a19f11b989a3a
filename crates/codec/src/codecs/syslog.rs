//! `syslog`: messages over a stream, counted or in lines.

use std::fmt::Write;

use bytes::BytesMut;
use memchr::memchr2;

use super::scan::{Delimits, Scan};
use crate::limits::{contain, refused, unfinished};
use crate::{Affix, Codec, CodecError, Content, Decoded, End, Fault, Properties};

/// The most digits of a count.
const DIGITS: usize = 9;
/// The largest number of so many digits.
const MOST: usize = 999_999_999;

/// `syslog`: messages of RFC 6587, counted (section 3.4.1) or in lines (section 3.4.2).
///
/// Each message that arrives says by its first bytes which of the two it is, and both may stand in
/// one connection:
///
/// ```text
///  34 <34>1 2003-10-11T22:14:15Z …      digits, a space and `<`: a count, and so many bytes
///  <34>Oct 11 22:14:15 host su: …       anything else: a line
///  2003-10-11 22:14:15 host su: …       a line too, since no `<` stands behind the digits
/// ```
///
/// A count has at most nine digits, zeros before it included, and is not 0. One `\n` at the end of
/// a counted message is the sender's own framing (syslog-ng counts it) and is removed;
/// [`keep_newline`](Syslog::keep_newline) changes that. A line ends at `\n`, and one `\r` before it
/// belongs to the ending; or at NUL, which Python's `SysLogHandler` and Perl's `Sys::Syslog` write.
/// Nothing is given out for an empty line.
///
/// It sends counted messages. A message that would arrive otherwise is refused: one that does not
/// begin with `<`, or ends with the `\n` that is removed.
///
/// A message longer than [`max_frame`](Syslog::max_frame) is one error. It is passed over if it has
/// at most [`max_discard`](Syslog::max_discard) bytes; beyond them the error is fatal. A stream
/// that ends inside a message is an error, unless that is a line and
/// [`keep_last`](Syslog::keep_last) is chosen. The end of a datagram ends a line (RFC 5426).
///
/// ```
/// use socketry_codec::{Codec, Reader, Syslog};
///
/// let mut messages = Reader::new(Syslog::new());
/// messages.push(b"7 <34>one<34>two\n8 <34>two\n");
/// assert_eq!(messages.next_frame()?, Some(&b"<34>one"[..]));
/// assert_eq!(messages.next_frame()?, Some(&b"<34>two"[..]));
/// assert_eq!(messages.next_frame()?, Some(&b"<34>two"[..]));
///
/// let mut wire = bytes::BytesMut::new();
/// Syslog::new().encode(b"<34>one", &mut wire)?;
/// assert_eq!(&wire[..], b"7 <34>one");
/// # Ok::<(), socketry_codec::CodecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Syslog {
    scan: Scan,
    keep_newline: bool,
}

/// What the front of the input says.
enum Front {
    /// A message of `len` bytes begins at `start`.
    Counted {
        start: usize,
        len: usize,
    },
    Line,
    /// All that is here may be the beginning of a count.
    Open,
}

/// The end of a line.
struct Newline;

impl Syslog {
    /// Counted messages are sent; both kinds are received.
    pub fn new() -> Self {
        let mut scan = Scan::new();
        scan.shortest = 1;
        Syslog {
            scan,
            keep_newline: false,
        }
    }

    /// The longest message in bytes, without count and line ending, both ways; by default
    /// [`DEFAULT_MAX_FRAME`](crate::limits::DEFAULT_MAX_FRAME).
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.scan.limits.max_frame = bytes.min(MOST);
        self
    }

    /// The longest message in bytes, with its count or line ending, that is passed over and is not
    /// fatal; by default [`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every
    /// message that is too long is fatal.
    #[must_use]
    pub fn max_discard(mut self, bytes: u64) -> Self {
        self.scan.limits.max_discard = bytes;
        self
    }

    /// Whether a `\n` at the end of a counted message belongs to it; by default it is removed.
    #[must_use]
    pub fn keep_newline(mut self, keep: bool) -> Self {
        self.keep_newline = keep;
        self
    }

    /// Whether a last line without an ending is a message when a stream closes; by default it is an
    /// error.
    #[must_use]
    pub fn keep_last(mut self, keep: bool) -> Self {
        self.scan.keep_last = keep;
        self
    }

    /// The message behind a count.
    #[inline]
    fn counted(
        &self,
        start: usize,
        len: usize,
        input: &[u8],
        end: End,
    ) -> Result<Decoded, CodecError> {
        let (total, longest) = (start + len, self.scan.limits.max_frame);
        let too_long = || {
            let (len, total) = (len as u64, total as u64);
            self.scan.limits.too_long(Some(len), Some(total))
        };
        // The last byte may be one to remove.
        if len > longest + usize::from(!self.keep_newline) {
            return Err(too_long());
        }
        let Some(missing) = total.checked_sub(input.len()).filter(|n| *n > 0) else {
            let removed = !self.keep_newline && input[total - 1] == b'\n';
            let stop = total - usize::from(removed);
            return match stop - start <= longest {
                true => Ok(Decoded::frame(start..stop, total)),
                false => Err(too_long()),
            };
        };
        unfinished(input.len(), missing, end)
    }

    /// Refuses a message that would not arrive unchanged.
    fn check(&self, message: &[u8]) -> Result<(), CodecError> {
        self.scan.check(message)?;
        if !message.starts_with(b"<") {
            return Err(refused("a syslog message begins with its priority: <34>"));
        }
        match message {
            [before @ .., b'\n'] if !self.keep_newline => {
                Err(refused(Fault::Delimiter { at: before.len() }))
            }
            _ => Ok(()),
        }
    }
}

/// Looks for digits, a space and `<`.
#[inline]
fn front(input: &[u8]) -> Front {
    let digits = input
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .take(DIGITS);
    let (mut at, mut len) = (0, 0);
    for digit in digits {
        (at, len) = (at + 1, 10 * len + usize::from(digit - b'0'));
    }
    // One digit more is a line, as is any other byte.
    match input[at..] {
        [b' ', b'<', ..] if len > 0 => {
            let start = at + 1;
            Front::Counted { start, len }
        }
        [] | [b' '] => Front::Open,
        _ => Front::Line,
    }
}

/// The bytes before a message that belong to none: empty lines.
#[inline]
fn blank(input: &[u8]) -> usize {
    let ends = |byte: &&u8| matches!(**byte, b'\n' | b'\r' | 0);
    input.iter().take_while(ends).count()
}

impl Delimits for Newline {
    #[inline]
    fn size(&self) -> usize {
        1
    }

    #[inline]
    fn extra(&self) -> usize {
        1
    }

    #[inline]
    fn find(&self, input: &[u8]) -> Option<usize> {
        memchr2(b'\n', 0, input)
    }

    #[inline]
    fn trim(&self, input: &[u8], at: usize) -> usize {
        let cr = input[at] == b'\n' && input[..at].ends_with(b"\r");
        at - usize::from(cr)
    }
}

impl Default for Syslog {
    fn default() -> Self {
        Syslog::new()
    }
}

impl Codec for Syslog {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        if self.scan.is_fresh() {
            match blank(input) {
                0 if input.is_empty() => return Ok(Decoded::Need(1)),
                0 => {}
                bytes => return Ok(Decoded::Skip(bytes)),
            }
            match front(input) {
                Front::Counted { start, len } => {
                    let answer = self.counted(start, len, input, end);
                    return answer.map_err(|error| contain(error, end, input.len()));
                }
                Front::Open if end == End::Open => return Ok(Decoded::Need(1)),
                Front::Open | Front::Line => {}
            }
        }
        self.scan.decode(&Newline, input, end)
    }

    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        match front(input) {
            _ if blank(input) > 0 => None,
            Front::Counted { start, len } => self.counted(start, len, input, end).ok(),
            Front::Line => self.scan.front(&Newline, input),
            Front::Open => None,
        }
    }

    fn encode(&mut self, message: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.check(message)?;
        put_count(message.len(), out);
        out.extend_from_slice(message);
        Ok(())
    }

    fn envelope(&mut self, message: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        self.check(message)?;
        let mut count = BytesMut::new();
        put_count(message.len(), &mut count);
        Ok(Some((Affix::new(&count), Affix::EMPTY)))
    }

    /// False while the codec discards the rest of a line that is too long.
    fn at_boundary(&self) -> bool {
        self.scan.at_boundary()
    }

    fn properties(&self) -> Properties {
        let properties = Properties::default().carrying(Content::Other);
        properties.at_most(self.scan.limits.max_frame)
    }
}

fn put_count(len: usize, out: &mut BytesMut) {
    // Writing to memory does not fail.
    let _ = write!(out, "{len} ");
}
