//! `json-seq`: JSON texts, each behind a separator of its own (RFC 7464).

mod text;

use bytes::BytesMut;
use memchr::memchr;

use self::text::{Stop, Text, is_white};
use crate::limits::{DEFAULT_MAX_FRAME, Limits, check, contain, refused, unfinished};
use crate::{Affix, Codec, CodecError, Content, Decoded, End, Fault, Properties};

/// The record separator.
const RS: u8 = 0x1e;

/// `json-seq`: a frame is one JSON text, behind the byte 1e and before a line feed (RFC 7464).
///
/// A text ends at the first line feed outside of its strings, braces and brackets, so it is given
/// out when it has arrived, and may have several lines. The codec looks at nothing else: whether it
/// is JSON, a parser says.
///
/// A text may also end at the next 1e or at the end of the stream or datagram. Then it is whole if
/// its last byte is `}`, `]`, `"` or white space; a number, `true`, `false` or `null` may have been
/// cut, and is an error (section 2.4). So is a text whose braces are open. The next text is found
/// all the same (section 2.3), and so it is behind bytes that stand between two texts. White space
/// there is passed over, and so is a 1e without a text (section 2.1).
///
/// A text longer than [`max_frame`](JsonSeq::max_frame) is one error. It is passed over up to the
/// next 1e, if that is at most [`max_discard`](JsonSeq::max_discard) bytes; beyond them the error
/// is fatal. `encode` refuses what would arrive otherwise: a text that is empty or open, that holds
/// a 1e, or a line feed that ends it.
///
/// ```
/// use socketry_codec::{JsonSeq, Reader};
///
/// let mut texts = Reader::new(JsonSeq::new());
/// texts.push(b"\x1e[1,\n2]\n\x1e12\x1e{}\x1e");
/// assert_eq!(texts.next_frame()?, Some(&b"[1,\n2]"[..]));
/// assert!(texts.next_frame().is_err()); // it may have been 123
/// assert_eq!(texts.next_frame()?, Some(&b"{}"[..]));
/// # Ok::<(), socketry_codec::CodecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct JsonSeq {
    limits: Limits,
    text: Text,
    /// The bytes that were dropped already on the way to the next separator; `None` if it was
    /// reached.
    discarded: Option<u64>,
}

impl JsonSeq {
    /// Texts of at most 8 MiB.
    pub fn new() -> Self {
        JsonSeq {
            limits: Limits::frames(DEFAULT_MAX_FRAME),
            text: Text::behind(1),
            discarded: None,
        }
    }

    /// The longest text in bytes, both ways; by default [`DEFAULT_MAX_FRAME`].
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.limits.max_frame = bytes;
        self
    }

    /// The most bytes up to the next separator that are passed over and are not fatal; by default
    /// [`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every text that is too
    /// long is fatal.
    #[must_use]
    pub fn max_discard(mut self, bytes: u64) -> Self {
        self.limits.max_discard = bytes;
        self
    }

    /// The most bytes of a text within the limit, with what stands around it. The codec looks at no
    /// byte beyond.
    fn reach(&self) -> usize {
        self.limits.max_frame.saturating_add(2)
    }

    /// What stands at the front, where a text begins or has begun.
    fn front(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        if input.first() != Some(&RS) {
            return self.between(input);
        }
        let reach = self.reach().min(input.len());
        let mut text = std::mem::replace(&mut self.text, Text::behind(1));
        match text.scan(&input[..reach]) {
            Some(Stop::Line(at)) => Ok(Decoded::frame(1..at, at + 1)),
            Some(Stop::Separator(at)) if text.is_blank() => Ok(Decoded::Skip(at)),
            Some(Stop::Separator(at)) => match text.is_whole(input[at - 1]) {
                true => Ok(Decoded::frame(1..at, at)),
                false => Err(cut(at)),
            },
            None if reach == self.reach() => Err(self.overflow(end)),
            None if end == End::Open => {
                self.text = text;
                Ok(Decoded::Need(1))
            }
            None if text.is_whole(input[reach - 1]) => Ok(Decoded::frame(1..reach, reach)),
            None => unfinished(reach, 1, end),
        }
    }

    /// Behind a text and before the next separator.
    fn between(&mut self, input: &[u8]) -> Result<Decoded, CodecError> {
        let white = input.iter().take_while(|byte| is_white(byte)).count();
        if white > 0 {
            return Ok(Decoded::Skip(white));
        }
        if input.is_empty() {
            return Ok(Decoded::Need(1));
        }
        self.discarded = Some(1);
        Err(CodecError::skip(outside(), 1))
    }

    /// The text goes on beyond its limit: begins to discard it.
    fn overflow(&mut self, end: End) -> CodecError {
        let passed = self.reach() as u64;
        let error = self.limits.too_long(None, Some(passed));
        if end != End::Datagram && !error.is_fatal() {
            self.discarded = Some(passed);
        }
        error
    }

    /// Passes over more, of which `before` bytes were dropped already.
    #[cold]
    fn discard(&mut self, before: u64, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        if input.is_empty() {
            return Ok(Decoded::Need(1));
        }
        let found = memchr(RS, input);
        let pass = found.unwrap_or(input.len());
        let passed = before.saturating_add(pass as u64);
        let too_much = passed > self.limits.max_discard;
        self.discarded = (found.is_none() && !too_much).then_some(passed);
        match pass {
            _ if too_much => Err(self.limits.too_long(None, None)),
            0 => self.front(input, end),
            pass => Ok(Decoded::Skip(pass)),
        }
    }

    /// Refuses a text that would not arrive unchanged.
    fn check(&self, frame: &[u8]) -> Result<(), CodecError> {
        check(frame, self.limits.max_frame)?;
        let mut text = Text::behind(0);
        match text.scan(frame) {
            None if text.is_closed() => Ok(()),
            Some(Stop::Line(at) | Stop::Separator(at)) => Err(refused(Fault::Delimiter { at })),
            None => Err(refused(Fault::NotJson(
                "a text that is empty, or whose strings, braces or brackets are open".into(),
            ))),
        }
    }
}

impl Default for JsonSeq {
    fn default() -> Self {
        JsonSeq::new()
    }
}

/// The error of a text that ends at a separator and is not whole; all `bytes` before that are
/// passed over.
#[cold]
fn cut(bytes: usize) -> CodecError {
    let problem = "a text that was cut before its end: the next one begins there";
    CodecError::skip(Fault::NotJson(problem.into()), bytes as u64)
}

#[cold]
fn outside() -> Fault {
    Fault::NotJson("bytes that no 1e stands before; the peer may speak `ndjson`".into())
}

impl Codec for JsonSeq {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let answer = match self.discarded {
            Some(before) => self.discard(before, input, end),
            None => self.front(input, end),
        };
        answer.map_err(|error| {
            if end == End::Datagram {
                self.discarded = None;
            }
            contain(error, end, input.len())
        })
    }

    fn whole(&mut self, input: &[u8], _: End) -> Option<Decoded> {
        let reach = self.reach().min(input.len());
        let mut text = Text::behind(1);
        input.first().filter(|byte| **byte == RS)?;
        match text.scan(&input[..reach])? {
            Stop::Line(at) => Some(Decoded::frame(1..at, at + 1)),
            Stop::Separator(at) => text
                .is_whole(input[at - 1])
                .then(|| Decoded::frame(1..at, at)),
        }
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.check(frame)?;
        out.extend_from_slice(&[RS]);
        out.extend_from_slice(frame);
        out.extend_from_slice(b"\n");
        Ok(())
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        self.check(frame)?;
        Ok(Some((Affix::new(&[RS]), Affix::new(b"\n"))))
    }

    /// False on the way to the next separator. The beginning of a text that is still in the input
    /// belongs to the codec that decodes next.
    fn at_boundary(&self) -> bool {
        self.discarded.is_none()
    }

    fn properties(&self) -> Properties {
        let properties = Properties::default().carrying(Content::Other);
        properties.at_most(self.limits.max_frame)
    }
}
