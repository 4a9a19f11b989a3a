//! From bytes to text, in pieces of any size.

use std::fmt;
use std::mem;

use bytes::{Buf, BytesMut};
use encoding_rs::{Decoder, DecoderResult, ISO_2022_JP};

use super::encoding::{Kind, Order};
use super::marks::Marked;
use super::{Encoding, TextError, Undecodable, python};

impl Encoding {
    /// The text that `bytes` are, all of them, as one datagram or frame stands alone. Of `utf-16` and `utf-8-sig` the byte
    /// order mark is dropped that stands at the beginning, if one does; a second U+FEFF is text.
    ///
    /// # Errors
    /// [`TextError::Undecodable`] with [`Undecodable::Strict`], for the first bytes that are no text.
    pub fn decode(&self, bytes: &[u8], policy: Undecodable) -> Result<String, TextError> {
        let mut text = String::new();
        TextDecoder::of(*self, policy, false).decode(bytes, true, &mut text)?;
        Ok(text)
    }
}

/// Decodes a stream of bytes: a character that is split between two pieces comes out whole.
///
/// The peer may have encoded the whole stream in one, or each of its texts alone ([`Encoding::encode`], Python's
/// `text.encode(…)`): in `utf-16` and `utf-8-sig` all byte order marks are dropped, that is U+FEFF wherever it stands; in
/// `utf-16` each decides the order of the bytes behind it; and in ISO-2022-JP two escape sequences in a row, which
/// the WHATWG standard calls an error, are none.
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

/// How many bytes of UTF-8 one turn of the decoder may write: enough for any character, so that it gets on.
const ROOM: usize = 1024;

enum State {
    /// There may be byte order marks.
    Marked(Marked),
    /// UTF-8 so far.
    Guess,
    Known(Decoder),
    Python(python::Decoder),
}

/// How many bytes were read, and if the last of them are bad, how far before the end of these they began.
pub(super) type Step = (usize, Option<usize>);

impl State {
    fn first(encoding: Encoding, policy: Undecodable, texts: bool) -> Self {
        match (policy, encoding.0) {
            (Undecodable::Detect, _) => State::Guess,
            (_, Kind::MarkedUtf8) => State::Marked(Marked::utf_8(texts)),
            (_, Kind::Utf16(Order::Marked)) => State::Marked(Marked::utf_16(texts)),
            (_, Kind::Utf16(Order::Little)) => State::known(encoding_rs::UTF_16LE),
            (_, Kind::Utf16(Order::Big)) => State::known(encoding_rs::UTF_16BE),
            (_, Kind::Table(table)) => State::known(table),
            (_, Kind::Python(codec)) => State::Python(python::Decoder::new(codec)),
        }
    }

    fn known(table: &'static encoding_rs::Encoding) -> Self {
        State::Known(table.new_decoder_without_bom_handling())
    }
}

impl TextDecoder {
    /// A decoder at the beginning of a stream.
    pub fn new(encoding: Encoding, policy: Undecodable) -> Self {
        TextDecoder::of(encoding, policy, true)
    }

    /// Of one text, or of a stream of `texts`.
    fn of(encoding: Encoding, policy: Undecodable, texts: bool) -> Self {
        TextDecoder {
            encoding,
            policy,
            state: State::first(encoding, policy, texts),
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
        let guessed = match self.state {
            State::Guess => self.guess(bytes, last, out),
            _ => 0,
        };
        let rest = &bytes[guessed..];
        let (read, bad) = match &mut self.state {
            State::Guess => (0, None),
            State::Marked(marked) => marked.step(rest, last, self.policy, out),
            State::Known(decoder) => run(decoder, rest, last, self.policy, out),
            State::Python(decoder) => decoder.step(rest, last, self.policy, out),
        };
        self.offset += (guessed + read) as u64;
        let result = bad.map_or(Ok(()), |before| {
            Err(TextError::Undecodable {
                offset: self.offset - before as u64,
                encoding: self.encoding,
            })
        });
        (guessed + read, result)
    }

    /// Takes what is UTF-8, all but a character that may yet become whole; or settles for GB18030 and takes nothing.
    fn guess(&mut self, bytes: &[u8], last: bool, out: &mut String) -> usize {
        let valid = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && !last => {
                std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(_) => {
                self.state = State::known(encoding_rs::GB18030);
                return 0;
            }
        };
        out.push_str(valid);
        valid.len()
    }
}

/// Decodes up to the first bad bytes, or all where they are replaced.
pub(super) fn run(
    decoder: &mut Decoder,
    bytes: &[u8],
    last: bool,
    policy: Undecodable,
    out: &mut String,
) -> Step {
    // Not into the string: encoding_rs touches each page of its spare room for each error.
    let mut room = [0; ROOM];
    let mut read = 0;
    loop {
        let rest = &bytes[read..];
        let (result, used, written) =
            decoder.decode_to_utf8_without_replacement(rest, &mut room, last);
        // It writes UTF-8 and nothing else.
        out.push_str(&String::from_utf8_lossy(&room[..written]));
        read += used;
        match result {
            DecoderResult::InputEmpty => return (read, None),
            DecoderResult::OutputFull => (),
            // Three bad bytes are an escape sequence behind another: two texts that were encoded each alone.
            DecoderResult::Malformed(3, _) if decoder.encoding() == ISO_2022_JP => (),
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
