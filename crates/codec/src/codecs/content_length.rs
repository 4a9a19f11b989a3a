//! `content-length`: a frame behind header lines, as language servers and debuggers write it.

use std::fmt::Write;

use bytes::BytesMut;
use memchr::memchr;

use crate::limits::{DEFAULT_MAX_FRAME, Limits, check, contain, unfinished};
use crate::{Affix, Codec, CodecError, Decoded, End, Fault, Properties};

/// The longest header in bytes, with the empty line at its end: 4 KiB.
const MAX_HEADER: usize = 4 << 10;

/// The most digits of a length: such a number is below 2⁶³.
const DIGITS: usize = 18;

/// `content-length`: header lines of which one says the length, an empty line, the payload.
///
/// The base protocols of the Language Server Protocol (3.17, "Base Protocol") and of the Debug
/// Adapter Protocol are such frames. It writes exactly `Content-Length: N\r\n\r\n`, since servers
/// differ in what else they understand. It reads more: the name in any case, spaces around the
/// value, other lines such as `Content-Type` before or behind it, and `\n` alone as the end of a
/// line. The same length may stand there twice.
///
/// A frame longer than [`max_frame`](ContentLength::max_frame) is an error. It is passed over if
/// that is, with its header, at most [`max_discard`](ContentLength::max_discard) bytes; beyond them
/// the error is fatal. A header of more than 4 KiB is fatal, and so is one without a length, with
/// two lengths, or with a line that has no colon. So is a blank line before a header: clangd passes
/// over it, but vscode-jsonrpc fails, and pylsp answers nothing more.
///
/// ```
/// use socketry_codec::{Codec, ContentLength, Reader};
///
/// let mut wire = bytes::BytesMut::new();
/// ContentLength::new().encode(b"{}", &mut wire)?;
/// assert_eq!(&wire[..], b"Content-Length: 2\r\n\r\n{}");
///
/// let mut frames = Reader::new(ContentLength::new());
/// frames.push(b"Content-Type: x; charset=utf-8\ncontent-length:2\n\n{}");
/// assert_eq!(frames.next_frame()?, Some(&b"{}"[..]));
/// # Ok::<(), socketry_codec::CodecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ContentLength {
    limits: Limits,
    head: Head,
}

/// What is known of the header at the front of the input.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    /// Where the line begins that is not read yet.
    line: usize,
    /// The bytes before this place have no end of that line.
    searched: usize,
    /// The length, once its line was read.
    len: Option<u64>,
    /// Whether the empty line was read. The payload begins at `line` then.
    ended: bool,
}

impl ContentLength {
    /// Frames behind a header.
    pub fn new() -> Self {
        ContentLength {
            limits: Limits::frames(DEFAULT_MAX_FRAME),
            head: Head::default(),
        }
    }

    /// The longest frame in bytes, without its header, both ways; by default
    /// [`DEFAULT_MAX_FRAME`].
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.limits.max_frame = bytes;
        self
    }

    /// The longest frame in bytes, with its header, that is passed over and is not fatal; by
    /// default [`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every frame that
    /// is too long is fatal.
    #[must_use]
    pub fn max_discard(mut self, bytes: u64) -> Self {
        self.limits.max_discard = bytes;
        self
    }

    /// The frame at the front, of which `head` is known.
    #[inline]
    fn front(&self, head: &mut Head, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let here = input.len();
        let Some(len) = head.read(input)? else {
            return unfinished(here, 1, end);
        };
        let start = head.line;
        let total = len.checked_add(start as u64);
        let fits = usize::try_from(len).is_ok_and(|len| len <= self.limits.max_frame);
        let Some(total) = total.filter(|_| fits).and_then(|n| usize::try_from(n).ok()) else {
            return Err(self.limits.too_long(Some(len), total));
        };
        if here < total {
            return unfinished(here, total - here, end);
        }
        Ok(Decoded::frame(start..total, total))
    }
}

impl Head {
    /// Reads the lines that are whole. Gives the length, once the header has ended.
    #[inline]
    fn read(&mut self, input: &[u8]) -> Result<Option<u64>, CodecError> {
        let reach = input.len().min(MAX_HEADER);
        if self.searched > reach {
            // Other bytes than those that were searched.
            *self = Head::default();
        }
        while !self.ended {
            let Some(at) = memchr(b'\n', &input[self.searched..reach]) else {
                self.searched = reach;
                return match input.len() < MAX_HEADER {
                    true => Ok(None),
                    false => Err(fatal("a header of more than 4096 bytes")),
                };
            };
            let end = self.searched + at;
            let line = &input[self.line..end];
            self.take(line.strip_suffix(b"\r").unwrap_or(line))?;
            (self.line, self.searched) = (end + 1, end + 1);
        }
        let missing = || fatal("a header without a Content-Length");
        self.len.ok_or_else(missing).map(Some)
    }

    /// Takes one line.
    fn take(&mut self, line: &[u8]) -> Result<(), CodecError> {
        if line.is_empty() {
            if self.line == 0 {
                return Err(fatal("a blank line before a header"));
            }
            self.ended = true;
            return Ok(());
        }
        let Some(colon) = memchr(b':', line) else {
            return Err(fatal("a header line without a colon"));
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !name.eq_ignore_ascii_case(b"content-length") {
            return Ok(());
        }
        let len = number(value)?;
        match self.len.replace(len) {
            Some(other) if other != len => Err(fatal("a header with two lengths")),
            _ => Ok(()),
        }
    }
}

fn number(digits: &[u8]) -> Result<u64, CodecError> {
    if digits.is_empty() || digits.len() > DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        let problem = "Content-Length is not one to 18 decimal digits";
        return Err(CodecError::fatal(Fault::MalformedLength(problem)));
    }
    let add = |sum, digit: &u8| 10 * sum + u64::from(digit - b'0');
    Ok(digits.iter().fold(0, add))
}

/// It does not tell where the next frame begins.
#[cold]
fn fatal(problem: &'static str) -> CodecError {
    CodecError::fatal(problem)
}

/// Appends what stands before a payload of `len` bytes.
fn put_header(len: usize, out: &mut BytesMut) {
    // Writing to memory does not fail.
    let _ = write!(out, "Content-Length: {len}\r\n\r\n");
}

impl Default for ContentLength {
    fn default() -> Self {
        ContentLength::new()
    }
}

impl Codec for ContentLength {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let mut head = std::mem::take(&mut self.head);
        let answer = self.front(&mut head, input, end);
        if let Ok(Decoded::Need(_)) = answer
            && end == End::Open
        {
            self.head = head;
        }
        answer.map_err(|error| contain(error, end, input.len()))
    }

    fn whole(&mut self, input: &[u8], end: End) -> Option<Decoded> {
        self.front(&mut Head::default(), input, end).ok()
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        check(frame, self.limits.max_frame)?;
        put_header(frame.len(), out);
        out.extend_from_slice(frame);
        Ok(())
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        check(frame, self.limits.max_frame)?;
        let mut header = BytesMut::new();
        put_header(frame.len(), &mut header);
        Ok(Some((Affix::new(&header), Affix::EMPTY)))
    }

    /// Always true: what the codec remembers of a header is still in the input.
    fn at_boundary(&self) -> bool {
        true
    }

    fn properties(&self) -> Properties {
        Properties::default().at_most(self.limits.max_frame)
    }
}
