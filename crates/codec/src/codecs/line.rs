//! `line`: a frame ends at a delimiter.

use bytes::{BufMut, BytesMut};
use memchr::memchr;

use super::scan::{Delimits, Scan, limits};
use crate::limits::refused;
use crate::{Affix, Codec, CodecError, Decoded, End, Ending, Fault, Properties};

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
    scan: Scan,
}

limits!(Line, "line", "ending");

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
        let scan = Scan::new();
        Line { ending, scan }
    }

    /// The shortest line in bytes that is sent; by default 0. Some peers close the connection at an
    /// empty line. One that arrives is a frame as any other.
    #[must_use]
    pub fn min_sent(mut self, bytes: usize) -> Self {
        self.scan.shortest = bytes;
        self
    }

    /// Refuses a frame that would not arrive unchanged.
    #[inline(always)]
    fn check(&self, frame: &[u8]) -> Result<(), CodecError> {
        self.scan.check(frame)?;
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

/// One byte, and before a `\n` one `\r`.
impl Delimits for Ending {
    #[inline(always)]
    fn size(&self) -> usize {
        1
    }

    #[inline(always)]
    fn extra(&self) -> usize {
        usize::from(self.is_text())
    }

    #[inline(always)]
    fn find(&self, input: &[u8]) -> Option<usize> {
        memchr(self.last(), input)
    }

    #[inline(always)]
    fn trim(&self, input: &[u8], at: usize) -> usize {
        let cr = self.is_text() && at > 0 && input[at - 1] == b'\r';
        at - usize::from(cr)
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
        self.scan.decode(&self.ending, input, end)
    }

    #[inline(always)]
    fn whole(&mut self, input: &[u8], _: End) -> Option<Decoded> {
        self.scan.front(&self.ending, input)
    }

    #[inline(always)]
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.check(frame)?;
        out.extend_from_slice(frame);
        match *self.ending.written() {
            [byte] => out.put_u8(byte),
            ref both => out.extend_from_slice(both),
        }
        Ok(())
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        self.check(frame)?;
        Ok(Some((Affix::EMPTY, Affix::new(self.ending.written()))))
    }

    /// False while the codec discards the rest of a line that is too long.
    fn at_boundary(&self) -> bool {
        self.scan.at_boundary()
    }

    fn properties(&self) -> Properties {
        self.scan.properties(Some(self.ending.last()))
    }
}
