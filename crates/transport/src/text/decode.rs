//! From bytes to text, in pieces of any size.

use std::fmt;
use std::mem;

use bytes::{Buf, BytesMut};
use encoding_rs::{Decoder, DecoderResult};

use super::encoding::{Kind, Order};
use super::{Encoding, TextError, Undecodable};

impl Encoding {
    /// The text that `bytes` are, all of them, as one datagram stands alone.
    ///
    /// # Errors
    /// [`TextError::Undecodable`] with [`Undecodable::Strict`], for the first bytes that are no text.
    pub fn decode(&self, bytes: &[u8], policy: Undecodable) -> Result<String, TextError> {
        let mut text = String::new();
        TextDecoder::new(*self, policy).decode(bytes, true, &mut text)?;
        Ok(text)
    }
}

/// Decodes a stream of bytes: a character that is split between two pieces comes out whole.
///
/// ```
/// use socketry_transport::{Encoding, TextDecoder, Undecodable};
///
/// let mut decoder = TextDecoder::new(Encoding::GBK, Undecodable::Strict);
/// let mut text = String::new();
/// decoder.decode(&[0xc4], false, &mut text)?;
/// assert_eq!(text, "");
/// decoder.decode(&[0xe3], true, &mut text)?;
/// assert_eq!(text, "你");
/// # Ok::<(), socketry_transport::TextError>(())
/// ```
pub struct TextDecoder {
    encoding: Encoding,
    policy: Undecodable,
    state: State,
    /// Bytes that have arrived and were not decoded: the rest of a piece after an error, or too few to tell.
    held: BytesMut,
    /// How many bytes were passed over, decoded or not.
    offset: u64,
}

enum State {
    /// The first bytes may be a byte order mark.
    Mark,
    /// UTF-8 so far.
    Guess,
    Known(Decoder),
}

impl State {
    fn first(encoding: Encoding, policy: Undecodable) -> Self {
        match (policy, encoding.0) {
            (Undecodable::Detect, _) => State::Guess,
            (_, Kind::Utf16(Order::Marked)) => State::Mark,
            (_, Kind::Utf16(Order::Little)) => State::known(encoding_rs::UTF_16LE),
            (_, Kind::Utf16(Order::Big)) => State::known(encoding_rs::UTF_16BE),
            (_, Kind::Table(table)) => State::known(table),
        }
    }

    fn known(table: &'static encoding_rs::Encoding) -> Self {
        State::Known(table.new_decoder_without_bom_handling())
    }
}

impl TextDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new(encoding: Encoding, policy: Undecodable) -> Self {
        TextDecoder {
            encoding,
            policy,
            state: State::first(encoding, policy),
            held: BytesMut::new(),
            offset: 0,
        }
    }

    /// Decodes `bytes`, after what it holds, and appends the text to `out`. With `last` nothing follows: what is
    /// incomplete now stays so, and after an `Ok` the decoder is at the beginning of another stream.
    ///
    /// # Errors
    /// [`TextError::Undecodable`] with [`Undecodable::Strict`]. `out` keeps the text before the bad bytes, these are
    /// passed over, and the rest is held for the next call: `decode(&[], last, out)` goes on with it. Do so before
    /// you feed more, since what is held is bounded by nothing but what you feed.
    pub fn decode(&mut self, bytes: &[u8], last: bool, out: &mut String) -> Result<(), TextError> {
        let mut held = mem::take(&mut self.held);
        let result = if held.is_empty() {
            let (used, result) = self.step(bytes, last, out);
            held.extend_from_slice(&bytes[used..]);
            result
        } else {
            held.extend_from_slice(bytes);
            let (used, result) = self.step(&held, last, out);
            held.advance(used);
            result
        };
        self.held = held;
        if last && result.is_ok() {
            *self = TextDecoder::new(self.encoding, self.policy);
        }
        result
    }

    /// Decodes what it can and says how many bytes that took; the others are to come again, with more or with `last`.
    fn step(
        &mut self,
        bytes: &[u8],
        last: bool,
        out: &mut String,
    ) -> (usize, Result<(), TextError>) {
        let begun = match self.state {
            State::Known(_) => Some(0),
            State::Mark => self.read_mark(bytes, last),
            State::Guess => self.guess(bytes, last, out),
        };
        let used = begun.unwrap_or(0);
        self.offset += used as u64;
        let State::Known(decoder) = &mut self.state else {
            return (used, Ok(()));
        };
        let (read, bad) = run(decoder, &bytes[used..], last, self.policy, out);
        self.offset += read as u64;
        let result = bad.map_or(Ok(()), |before| {
            Err(TextError::Undecodable {
                offset: self.offset - before as u64,
                encoding: self.encoding,
            })
        });
        (used + read, result)
    }

    /// Takes a byte order mark, once there are enough bytes to tell.
    fn read_mark(&mut self, bytes: &[u8], last: bool) -> Option<usize> {
        let (table, used) = match bytes {
            [0xff, 0xfe, ..] => (encoding_rs::UTF_16LE, 2),
            [0xfe, 0xff, ..] => (encoding_rs::UTF_16BE, 2),
            [] | [_] if !last => return None,
            _ => (encoding_rs::UTF_16LE, 0),
        };
        self.state = State::known(table);
        Some(used)
    }

    /// Takes what is UTF-8, all but a character that may yet become whole; or settles for GB18030 and takes nothing.
    fn guess(&mut self, bytes: &[u8], last: bool, out: &mut String) -> Option<usize> {
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && !last => {
                std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => {
                self.state = State::known(encoding_rs::GB18030);
                return None;
            }
        };
        out.push_str(valid);
        Some(valid.len())
    }
}

/// Decodes up to the first bad bytes, or all where they are replaced; says how many bytes were read, and for bad
/// ones how far before the end of these they began.
fn run(
    decoder: &mut Decoder,
    bytes: &[u8],
    last: bool,
    policy: Undecodable,
    out: &mut String,
) -> (usize, Option<usize>) {
    let mut read = 0;
    loop {
        let rest = &bytes[read..];
        // Enough for any character, so that each turn gets on.
        out.reserve(rest.len().max(16));
        let (result, used) = decoder.decode_to_string_without_replacement(rest, out, last);
        read += used;
        match result {
            DecoderResult::InputEmpty => return (read, None),
            DecoderResult::OutputFull => (),
            DecoderResult::Malformed(bad, after) if policy == Undecodable::Strict => {
                return (read, Some(usize::from(bad) + usize::from(after)));
            }
            DecoderResult::Malformed(..) => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

impl fmt::Debug for TextDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextDecoder")
            .field("encoding", &self.encoding)
            .field("policy", &self.policy)
            .field("held", &self.held.len())
            .field("offset", &self.offset)
            .finish()
    }
}
