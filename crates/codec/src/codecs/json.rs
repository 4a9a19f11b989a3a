//! `json`: a JSON header after its length.

use bytes::BytesMut;

use crate::limits::{DEFAULT_MAX_HEADER, contain, refused};
use crate::{
    Affix, Ahead, Codec, CodecError, Content, Decoded, End, Fault, Format, Properties, Struct,
};

/// `json`, `json:>I`, …: a JSON object after its length, as with [`Struct`].
///
/// This is the header of the tutorial's file programs: `struct.pack('i', len(header))`, then the
/// header. A body may follow the header, which has its length. So the app reads the body, and not
/// the codec. A header is at most 64 KiB by default.
///
/// The codec checks only that a header begins with `{` and ends with `}`, white space aside. This
/// costs nothing, and finds a peer that speaks another codec at once. Such an error concerns one
/// frame.
///
/// ```
/// use socketry_codec::{Fault, Json, Reader};
///
/// let mut headers = Reader::new(Json::new("<i".parse()?));
/// headers.push(b"\x02\x00\x00\x00hi\x02\x00\x00\x00{}");
/// assert!(matches!(headers.next_frame().unwrap_err().fault, Fault::NotJson(_)));
/// assert_eq!(headers.next_frame()?, Some(&b"{}"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Json {
    sized: Struct,
}

impl Json {
    /// Headers whose length is written in this format.
    pub fn new(format: Format) -> Self {
        Json {
            sized: Struct::new(format).max_frame(DEFAULT_MAX_HEADER),
        }
    }

    /// The longest header in bytes, without its length field, both ways; by default
    /// [`DEFAULT_MAX_HEADER`].
    #[must_use]
    pub fn max_frame(self, bytes: usize) -> Self {
        Json {
            sized: self.sized.max_frame(bytes),
        }
    }

    /// The longest header in bytes, with its length field, that is passed over and is not fatal; by
    /// default [`DEFAULT_MAX_DISCARD`](crate::limits::DEFAULT_MAX_DISCARD). With 0 every header
    /// that is too long is fatal.
    #[must_use]
    pub fn max_discard(self, bytes: u64) -> Self {
        Json {
            sized: self.sized.max_discard(bytes),
        }
    }

    /// How the length is written.
    pub fn format(&self) -> Format {
        self.sized.format()
    }
}

impl Default for Json {
    fn default() -> Self {
        Json::new(Format::default())
    }
}

/// The most likely reason for a header that is not an object.
const PEERS: &str = "; the peer may speak `struct` or `raw`";

/// Whether the header may be an object: only its two ends are checked.
#[inline(always)]
fn is_object(header: &[u8]) -> bool {
    let trimmed = header.trim_ascii();
    trimmed.starts_with(b"{") && trimmed.ends_with(b"}")
}

/// Refuses a header that cannot be an object.
fn check(header: &[u8], whose: &str) -> Result<(), Fault> {
    if is_object(header) {
        return Ok(());
    }
    Err(Fault::NotJson(format!(
        "{} bytes that do not begin with '{{' and end with '}}'{whose}",
        header.len()
    )))
}

impl Codec for Json {
    #[inline]
    fn decode(&mut self, input: &[u8], at: End) -> Result<Decoded, CodecError> {
        let decoded = self.sized.decode(input, at)?;
        if let Decoded::Frame {
            start,
            end,
            consumed,
        } = decoded
        {
            let passed = |fault| CodecError::skip(fault, consumed as u64);
            check(&input[start..end], PEERS)
                .map_err(|fault| contain(passed(fault), at, input.len()))?;
        }
        Ok(decoded)
    }

    #[inline(always)]
    fn whole(&mut self, input: &[u8], _: End) -> Option<Decoded> {
        self.sized.front(input).filter(|frame| match *frame {
            Decoded::Frame { start, end, .. } => is_object(&input[start..end]),
            _ => false,
        })
    }

    fn decode_many(
        &mut self,
        input: &[u8],
        end: End,
        ahead: &mut Ahead,
    ) -> Result<Decoded, CodecError> {
        let first = self.decode(input, end)?;
        self.sized.behind(first, input, ahead, is_object);
        Ok(first)
    }

    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        check(frame, "").map_err(refused)?;
        self.sized.encode(frame, out)
    }

    fn envelope(&mut self, frame: &[u8]) -> Result<Option<(Affix, Affix)>, CodecError> {
        check(frame, "").map_err(refused)?;
        self.sized.envelope(frame)
    }

    fn at_boundary(&self) -> bool {
        self.sized.at_boundary()
    }

    fn properties(&self) -> Properties {
        self.sized.properties().carrying(Content::Json)
    }
}
