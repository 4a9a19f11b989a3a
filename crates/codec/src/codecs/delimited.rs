//! `line:0x0d0a2e0d0a`: a frame ends at a delimiter of several bytes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::BytesMut;
use memchr::memmem::Finder;

use super::hexadecimal;
use super::scan::{Delimits, Scan, limits};
use crate::limits::refused;
use crate::{Affix, Codec, CodecError, Decoded, End, Fault, Properties, UnknownEnding};

/// The bytes that end a frame of [`Delimited`]: 1 to 64 of them.
///
/// Its text is `0x` and their hexadecimal digits.
///
/// ```
/// use socketry_codec::Delimiter;
///
/// let dot: Delimiter = "0x0d0a2e0d0a".parse()?;
/// assert_eq!(Delimiter::new(b"\r\n.\r\n"), Some(dot));
/// assert_eq!(Delimiter::new(b""), None);
/// # Ok::<(), socketry_codec::UnknownEnding>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delimiter(Arc<Finder<'static>>);

impl Delimiter {
    /// The most bytes that it has.
    pub const MOST: usize = 64;

    /// These bytes; `None` if there are none, or more than [`MOST`](Delimiter::MOST).
    pub fn new(bytes: impl AsRef<[u8]>) -> Option<Self> {
        let bytes = bytes.as_ref();
        let possible = (1..=Delimiter::MOST).contains(&bytes.len());
        possible.then(|| Delimiter(Arc::new(Finder::new(bytes).into_owned())))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.needle()
    }

    /// Where the first one begins in `frame` and the delimiter behind it, if not at the end of
    /// `frame`: that may be before, as in `\r\n.` and `\r\n.\r\n`.
    fn within(&self, frame: &[u8]) -> Option<usize> {
        let delimiter = self.as_bytes();
        self.find(frame).or_else(|| {
            let begun = (1..delimiter.len()).rev();
            let mut begun = begun.filter(|bytes| {
                let (first, last) = delimiter.split_at(*bytes);
                frame.ends_with(first) && delimiter.starts_with(last)
            });
            begun.next().map(|bytes| frame.len() - bytes)
        })
    }
}

impl PartialEq for Delimiter {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Delimiter {}

impl FromStr for Delimiter {
    type Err = UnknownEnding;

    fn from_str(text: &str) -> Result<Self, UnknownEnding> {
        let bytes = text.strip_prefix("0x").and_then(hexadecimal::read);
        bytes.and_then(Delimiter::new).ok_or(UnknownEnding)
    }
}

impl fmt::Display for Delimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hexadecimal::write(self.as_bytes(), f)
    }
}

impl Delimits for Delimiter {
    #[inline(always)]
    fn size(&self) -> usize {
        self.as_bytes().len()
    }

    #[inline(always)]
    fn find(&self, input: &[u8]) -> Option<usize> {
        self.0.find(input)
    }
}

/// `line:0x0d0a2e0d0a`: a frame is the bytes before exactly these bytes, the first time they occur.
///
/// A read may cut a delimiter, and then its first bytes are searched once more, and no others. No
/// `\r` is removed, so `line:0x0a` ends at `\n` alone, and `line:0x0d0a` at `\r\n` alone. `encode`
/// refuses a frame that holds the delimiter, and one whose last bytes make an earlier one together
/// with it.
///
/// Limits, the end of a stream and datagrams are as with [`Line`](crate::Line).
///
/// ```
/// use socketry_codec::{Codec, Delimited, Delimiter, Reader};
///
/// let ends = Delimited::new("0x616162".parse()?); // aab
/// let mut frames = Reader::new(ends.clone());
/// frames.push(b"aaaa");
/// assert_eq!(frames.next_frame()?, None);
/// frames.push(b"b.aab");
/// assert_eq!(frames.next_frame()?, Some(&b"aa"[..]));
/// assert_eq!(frames.next_frame()?, Some(&b"."[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Delimited {
    delimiter: Delimiter,
    scan: Scan,
}

limits!(Delimited, "frame", "delimiter");

impl Delimited {
    /// Frames that end at these bytes.
    pub fn new(delimiter: Delimiter) -> Self {
        let scan = Scan::new();
        Delimited { delimiter, scan }
    }

    /// Refuses a frame that would not arrive unchanged.
    fn check(&self, frame: &[u8]) -> Result<(), CodecError> {
        self.scan.check(frame)?;
        match self.delimiter.within(frame) {
            Some(at) => Err(refused(Fault::Delimiter { at })),
            None => Ok(()),
        }
    }
}

impl Codec for Delimited {
    #[inline]
    fn decode(&mut self, input: &[u8], end: End) -> Result<Decoded, CodecError> {
        self.scan.decode(&self.delimiter, input, end)
    }

    #[inline]
    fn whole(&mut self, input: &[u8], _: End) -> Option<Decoded> {
        self.scan.front(&self.delimiter, input)
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        self.check(frame)?;
        out.extend_from_slice(frame);
        out.extend_from_slice(self.delimiter.as_bytes());
        Ok(())
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        self.check(frame)?;
        let delimiter = Affix::new(self.delimiter.as_bytes());
        Ok(Some((Affix::EMPTY, delimiter)))
    }

    /// False while the codec discards the rest of a frame that is too long.
    fn at_boundary(&self) -> bool {
        self.scan.at_boundary()
    }

    /// With a delimiter of several bytes a frame may hold each of them.
    fn properties(&self) -> Properties {
        self.scan.properties(match *self.delimiter.as_bytes() {
            [byte] => Some(byte),
            _ => None,
        })
    }
}
