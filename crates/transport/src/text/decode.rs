//! From bytes to text, in pieces of any size.

use std::fmt;
use std::mem;

use bytes::{Buf, BytesMut};
use encoding_rs::{Decoder, DecoderResult, ISO_2022_JP};

use super::encoding::{Kind, Order};
use super::marks::Marked;
use super::{Encoding, TextError, TextPolicy, python};

impl Encoding {
    /// The text of `bytes`, which stand alone as a datagram or a frame does. In `utf-16` and
    /// `utf-8-sig` a byte order mark at the beginning is dropped; a second U+FEFF is text.
    ///
    /// # Errors
    /// [`TextError::Undecodable`] with [`TextPolicy::Strict`], for the first bytes that are no
    /// text.
    pub fn decode(&self, bytes: &[u8], policy: TextPolicy) -> Result<String, TextError> {
        let mut text = String::new();
        TextDecoder::of(*self, policy, false).decode(bytes, true, &mut text)?;
        Ok(text)
    }
}

/// Decodes a stream of bytes: a character that is split between two pieces comes out whole.
///
/// The peer may have encoded the whole stream at once, or each of its texts alone
/// ([`Encoding::encode`], Python's `text.encode(…)`). So in `utf-16` and `utf-8-sig` every U+FEFF
/// is dropped as a byte order mark. In `utf-16` each mark decides the order of the bytes behind it.
/// In ISO-2022-JP two escape sequences in a row are no error, though the WHATWG standard calls them
/// one.
///
/// ```
/// use socketry_transport::{Encoding, TextDecoder, TextPolicy};
///
/// let mut decoder = TextDecoder::new(Encoding::GBK, TextPolicy::Strict);
/// let mut text = String::new();
/// decoder.decode(&[0xc4], false, &mut text)?;
/// assert_eq!(text, "");
/// decoder.decode(&[0xe3], true, &mut text)?;
/// assert_eq!(text, "你");
/// # Ok::<(), socketry_transport::TextError>(())
/// ```
pub struct TextDecoder {
    encoding: Encoding,
    policy: TextPolicy,
    state: State,
    /// Bytes that arrived and were not decoded: the rest of a piece after an error, or the
    /// beginning of a character.
    held: BytesMut,
    /// How many bytes the decoder has passed, decoded or not.
    offset: u64,
}

/// How many bytes of UTF-8 one turn of the decoder may write. Any character fits, so that each turn
/// makes progress.
const ROOM: usize = 1024;

enum State {
    /// There may be byte order marks.
    Marked(Marked),
    /// UTF-8 so far.
    Guess,
    Known(Decoder),
    Python(python::Decoder),
}

/// How many bytes were read. If the last of them are bad, also how many bytes before the end of the
/// read these begin.
pub(super) type Step = (usize, Option<usize>);

impl State {
    fn first(encoding: Encoding, policy: TextPolicy, texts: bool) -> Self {
        match (policy, encoding.0) {
            (TextPolicy::Detect, _) => State::Guess,
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
    pub fn new(encoding: Encoding, policy: TextPolicy) -> Self {
        TextDecoder::of(encoding, policy, true)
    }

    /// A decoder of one text, or of a stream of `texts`.
    fn of(encoding: Encoding, policy: TextPolicy, texts: bool) -> Self {
        TextDecoder {
            encoding,
            policy,
            state: State::first(encoding, policy, texts),
            held: BytesMut::new(),
            offset: 0,
        }
    }

    /// Decodes `bytes`, after the bytes that it holds, and appends the text to `out`. `last` says
    /// that nothing follows: an incomplete character is an error then, and after an `Ok` the
    /// decoder is at the beginning of another stream.
    ///
    /// # Errors
    /// [`TextError::Undecodable`] with [`TextPolicy::Strict`]. `out` keeps the text before the bad
    /// bytes, the decoder passes over these, and it holds the rest for the next call:
    /// `decode(&[], last, out)` goes on with it. Call that before you feed more: the decoder holds
    /// as much as you feed.
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

    /// Decodes as much as possible and says how many bytes that took. The caller gives the others
    /// again, with more bytes or with `last`.
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

    /// Takes the bytes that are UTF-8, except a character that may yet become whole. At the first
    /// other byte it settles for GB18030 and takes nothing.
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
    policy: TextPolicy,
    out: &mut String,
) -> Step {
    // A buffer of our own: encoding_rs touches each page of a string's spare room for each error.
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
            // Three bad bytes are an escape sequence behind another: the peer encoded two texts,
            // each alone.
            DecoderResult::Malformed(3, _) if decoder.encoding() == ISO_2022_JP => (),
            DecoderResult::Malformed(bad, after) if policy == TextPolicy::Strict => {
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
