//! `json:bare`: one JSON object after another, without lengths or delimiters.

mod scanner;

use bytes::BytesMut;

use self::scanner::Scanner;
use crate::limits::{DEFAULT_MAX_BARE, Limits, MAX_DEPTH, check, contain, refused, unfinished};
use crate::{Affix, Codec, CodecError, Content, Decoded, End, Fault, Properties};

/// `json:bare`: a frame is one JSON object, and ends at its own closing brace.
///
/// White space between two objects is passed over. The codec looks at strings, braces and brackets
/// only, since these decide where the object ends. It does not check whether the rest is JSON: a
/// parser does. Each byte is looked at once, even if the object arrives in many pieces.
///
/// An object longer than [`max_frame`](BareJson::max_frame) is one error. The reader passes over
/// the rest of it, up to [`max_discard`](BareJson::max_discard) bytes of that object; beyond them
/// the error is fatal. On a stream an error is also fatal if it hides where the object ends: a
/// first byte other than `{`, a closing bracket that does not match, nesting beyond
/// [`max_depth`](BareJson::max_depth).
///
/// ```
/// use socketry_codec::{BareJson, Reader};
///
/// let mut objects = Reader::new(BareJson::new());
/// objects.push(br#"{"a":"}"} {"b":"#);
/// assert_eq!(objects.next_frame()?, Some(&br#"{"a":"}"}"#[..]));
/// assert_eq!(objects.next_frame()?, None);
/// objects.push(b"[2]}");
/// assert_eq!(objects.next_frame()?, Some(&br#"{"b":[2]}"#[..]));
/// # Ok::<(), socketry_codec::CodecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BareJson {
    limits: Limits,
    max_depth: usize,
    scanner: Scanner,
    /// The bytes of an object that is too long that were dropped already; `None` outside of such an
    /// object.
    discarded: Option<u64>,
}

impl BareJson {
    /// Bare objects of at most 8 MiB, nested at most 128 deep.
    pub fn new() -> Self {
        BareJson {
            limits: Limits::frames(DEFAULT_MAX_BARE),
            max_depth: MAX_DEPTH,
            scanner: Scanner::default(),
            discarded: None,
        }
    }

    /// The longest object in bytes, both ways; by default [`DEFAULT_MAX_BARE`], and at least 2
    /// (`{}`).
    #[must_use]
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.limits.max_frame = bytes.max(2);
        self
    }

    /// The longest object in bytes that is passed over and is not fatal; by default
    /// [`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every object that is too
    /// long is fatal.
    #[must_use]
    pub fn max_discard(mut self, bytes: u64) -> Self {
        self.limits.max_discard = bytes;
        self
    }

    /// How deep braces and brackets may nest, the outermost included; by default, and at most,
    /// [`MAX_DEPTH`]. At least 1.
    #[must_use]
    pub fn max_depth(mut self, levels: usize) -> Self {
        self.max_depth = levels.clamp(1, MAX_DEPTH);
        self
    }

    fn object(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        // Once an object has begun, the input begins with its brace: white space is always before
        // an object.
        let white = blank(input);
        if white > 0 {
            return Ok(Decoded::Skip(white));
        }
        let reach = self.limits.max_frame.min(input.len());
        match self.scan(&input[..reach])? {
            Some(len) => Ok(Decoded::Frame {
                start: 0,
                end: len,
                consumed: len,
            }),
            None if reach == self.limits.max_frame => Err(self.overflow(end)),
            None => {
                // Bytes beyond the limit are not looked at: the object is an error there.
                let room = self.limits.max_frame - reach;
                unfinished(input.len(), self.scanner.missing().min(room), end)
            }
        }
    }

    /// The object at the front, after white space, if it is whole and correct.
    fn front(&self, input: &[u8]) -> Option<Decoded> {
        let start = blank(input);
        let object = &input[start..];
        let reach = self.limits.max_frame.min(object.len());
        // Checked first, since a scan would make the words of an error.
        object.first().filter(|byte| **byte == b'{')?;
        let found = Scanner::default().scan(&object[..reach], self.max_depth);
        let end = start + found.ok()??;
        Some(Decoded::Frame {
            start,
            end,
            consumed: end,
        })
    }

    /// Continues the scan. Resets the scanner at the end of an object.
    fn scan(&mut self, input: &[u8]) -> Result<Option<usize>, CodecError> {
        let found = self.scanner.scan(input, self.max_depth);
        let found = found.map_err(CodecError::fatal)?;
        if found.is_some() {
            self.scanner = Scanner::default();
        }
        Ok(found)
    }

    /// The object goes on beyond its limit: begins to discard it.
    fn overflow(&mut self, end: End) -> CodecError {
        let passed = self.limits.max_frame as u64;
        let error = self.limits.too_long(None, Some(passed));
        if end != End::Datagram && !error.is_fatal() {
            self.scanner.rebase();
            self.discarded = Some(passed);
        }
        error
    }

    /// Passes over more of an object, of which `before` bytes were dropped already.
    #[cold]
    fn discard(&mut self, before: u64, input: &[u8]) -> Result<Decoded, CodecError> {
        if input.is_empty() {
            return Ok(Decoded::Need(self.scanner.missing()));
        }
        let left = self.limits.max_discard.saturating_sub(before);
        let reach = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        self.discarded = None;
        match self.scan(&input[..reach])? {
            Some(len) => Ok(Decoded::Skip(len)),
            None if reach < input.len() => Err(self.limits.too_long(None, None)),
            None => {
                self.scanner.rebase();
                self.discarded = Some(before + reach as u64);
                Ok(Decoded::Skip(reach))
            }
        }
    }

    /// After an error the codec keeps nothing, except the count of an object that it discards.
    #[cold]
    fn settle(&mut self, error: CodecError, end: End, here: usize) -> CodecError {
        if self.discarded.is_none() {
            self.scanner = Scanner::default();
        }
        contain(error, end, here)
    }

    /// Refuses a frame that is not exactly one object.
    fn check(&self, frame: &[u8]) -> Result<(), CodecError> {
        check(frame, self.limits.max_frame)?;
        let found = Scanner::default().scan(frame, self.max_depth);
        match found.map_err(refused)? {
            Some(len) if len == frame.len() => Ok(()),
            Some(len) => Err(refused(Fault::NotJson(format!(
                "the object ends at byte {len}, and more follows"
            )))),
            None => Err(refused(Fault::NotJson("the object never ends".into()))),
        }
    }
}

impl Default for BareJson {
    fn default() -> Self {
        BareJson::new()
    }
}

/// The number of bytes of white space at the front.
fn blank(input: &[u8]) -> usize {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    input.iter().take_while(|byte| white(byte)).count()
}

impl Codec for BareJson {
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        let answer = match self.discarded {
            Some(before) => self.discard(before, input),
            None => self.object(input, end),
        };
        answer.map_err(|error| self.settle(error, end, input.len()))
    }

    #[inline]
    fn whole(&mut self, input: &[u8], _: End) -> Option<Decoded> {
        self.front(input)
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.check(frame)?;
        out.extend_from_slice(frame);
        Ok(())
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        self.check(frame)?;
        Ok(Some((Affix::EMPTY, Affix::EMPTY)))
    }

    /// False while the codec discards the rest of an object that is too long. The beginning of an
    /// object that is still in the input belongs to the codec that decodes next.
    fn at_boundary(&self) -> bool {
        self.discarded.is_none()
    }

    fn properties(&self) -> Properties {
        let properties = Properties::default().carrying(Content::Json);
        properties.at_most(self.limits.max_frame)
    }
}
