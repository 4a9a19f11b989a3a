//! From text to bytes: one text alone, or a stream of texts.

use std::borrow::Cow;
use std::fmt;

use encoding_rs::{EncoderResult, ISO_2022_JP};

use super::encoding::{Kind, Order};
use super::{Encoding, TextError, TextPolicy, python};

/// How many bytes one turn of the encoder may write. Any character and any shift fit, so that each
/// turn makes progress.
const ROOM: usize = 1024;
const MARK: char = '\u{feff}';
/// A byte order mark whose bytes are swapped.
const SWAPPED_MARK: char = '\u{fffe}';

impl Encoding {
    /// The bytes of `text`, which stand alone: `utf-16` and `utf-8-sig` begin with a byte order
    /// mark, and ISO-2022-JP returns to ASCII at the end. Bytes that are the same as in UTF-8 are
    /// borrowed. For a stream of texts there is [`TextEncoder`].
    ///
    /// [`Encoding::decode`] turns the bytes back into `text`, except with [`TextPolicy::Replace`].
    ///
    /// # Errors
    /// [`TextError::Unencodable`] for the first character that the encoding lacks, or that the peer
    /// would decode as another. The WHATWG standard has some of those: `¥` and `‾`, which share
    /// their bytes with `\` and `~` in Shift_JIS and EUC-JP, and half-width kana in ISO-2022-JP,
    /// which become full-width. [`TextPolicy::Replace`] writes these as the standard does, and `?`
    /// for a character that the encoding lacks. No character is ever written as `&#…;`.
    pub fn encode<'a>(
        &self,
        text: &'a str,
        policy: TextPolicy,
    ) -> Result<Cow<'a, [u8]>, TextError> {
        match self.0 {
            Kind::Utf16(order) => Ok(Cow::Owned(utf16(text, order))),
            Kind::MarkedUtf8 => Ok(Cow::Owned(format!("{MARK}{text}").into_bytes())),
            Kind::Python(codec) if codec.extends_ascii() && text.is_ascii() => {
                Ok(Cow::Borrowed(text.as_bytes()))
            }
            Kind::Python(codec) => {
                let mut encoder = python::Encoder::new(codec);
                let encoded = encoder.encode(text, policy);
                let mut bytes = encoded.map_err(|character| self.lacks(character))?;
                encoder.finish(&mut bytes);
                Ok(Cow::Owned(bytes))
            }
            Kind::Table(table) => {
                let same =
                    table == encoding_rs::UTF_8 || (table.is_ascii_compatible() && text.is_ascii());
                if same {
                    Ok(Cow::Borrowed(text.as_bytes()))
                } else if policy == TextPolicy::Replace {
                    Ok(Cow::Owned(replaced(&mut table.new_encoder(), text, true)))
                } else {
                    self.strict(table, text).map(Cow::Owned)
                }
            }
        }
    }

    fn strict(
        self,
        table: &'static encoding_rs::Encoding,
        text: &str,
    ) -> Result<Vec<u8>, TextError> {
        let folded = text.char_indices().find(|(_, c)| folds(table, *c));
        // The encoding may lack an earlier character.
        let (mut rest, folded) = folded.map_or((text, None), |(at, c)| (&text[..at], Some(c)));
        let mut bytes = Vec::with_capacity(text.len());
        let lacking = run(&mut table.new_encoder(), &mut rest, true, &mut bytes);
        match lacking.or(folded) {
            None => Ok(bytes),
            Some(character) => Err(self.lacks(character)),
        }
    }

    pub(super) fn lacks(self, character: char) -> TextError {
        TextError::Unencodable {
            character,
            encoding: self,
        }
    }
}

/// Encodes `text`, with `?` for each character that the encoding lacks.
fn replaced(encoder: &mut encoding_rs::Encoder, mut text: &str, last: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    while run(encoder, &mut text, last, &mut bytes).is_some() {
        // The encoder writes it, since it may have to shift first.
        run(encoder, &mut "?", false, &mut bytes);
    }
    bytes
}

/// Whether the standard's encoder writes this character as another, which its decoder then gives
/// back.
fn folds(table: &'static encoding_rs::Encoding, character: char) -> bool {
    use encoding_rs::{EUC_JP, GB18030, GBK, SHIFT_JIS};
    match character {
        '¥' | '‾' => table == SHIFT_JIS || table == EUC_JP,
        '−' => table == SHIFT_JIS || table == EUC_JP || table == ISO_2022_JP,
        '\u{ff61}'..='\u{ff9f}' => table == ISO_2022_JP,
        // Private characters. GB 18030 has since given their bytes to characters of Unicode.
        '\u{e78d}'..='\u{e796}' | '\u{e81e}' | '\u{e826}' | '\u{e82b}' | '\u{e82c}' => {
            table == GBK || table == GB18030
        }
        '\u{e832}' | '\u{e843}' | '\u{e854}' | '\u{e864}' => table == GBK || table == GB18030,
        _ => false,
    }
}

/// Encodes `text` up to and including the first character that the encoding lacks, which it
/// returns.
fn run(
    encoder: &mut encoding_rs::Encoder,
    text: &mut &str,
    last: bool,
    bytes: &mut Vec<u8>,
) -> Option<char> {
    // A buffer of our own: encoding_rs touches each page of a vector's spare room for each
    // character that the encoding lacks.
    let mut room = [0; ROOM];
    loop {
        let (result, read, written) =
            encoder.encode_from_utf8_without_replacement(text, &mut room, last);
        bytes.extend_from_slice(&room[..written]);
        let (done, rest) = text.split_at(read);
        *text = rest;
        match result {
            EncoderResult::InputEmpty => return None,
            EncoderResult::OutputFull => (),
            // The character is the last one that was read: for a control character in ISO-2022-JP
            // encoding_rs reports U+FFFD instead.
            EncoderResult::Unmappable(told) => {
                return Some(done.chars().next_back().unwrap_or(told));
            }
        }
    }
}

fn utf16(text: &str, order: Order) -> Vec<u8> {
    let mark = (order == Order::Marked).then_some(0xfeff);
    let units = mark.into_iter().chain(text.encode_utf16());
    match order {
        Order::Big => units.flat_map(u16::to_be_bytes).collect(),
        Order::Little | Order::Marked => units.flat_map(u16::to_le_bytes).collect(),
    }
}

/// Encodes a stream of texts: one byte order mark before all of them, and ISO-2022-JP stays shifted
/// between two.
///
/// Two texts in a row have the bytes of one longer text, which any decoder of a stream takes. A
/// peer that decodes each text alone needs [`Encoding::encode`] instead. A strict decoder of an
/// ISO-2022-JP stream refuses two texts that were encoded so.
///
/// ```
/// use socketry_transport::{TextEncoder, TextPolicy};
///
/// let mut encoder = TextEncoder::new("iso-2022-jp".parse()?, TextPolicy::Strict);
/// assert_eq!(&*encoder.encode("日本")?, b"\x1b$BF|K\\");
/// assert_eq!(&*encoder.encode("語")?, b"8l");
/// assert_eq!(encoder.finish(), b"\x1b(B");
/// # Ok::<(), socketry_transport::TextError>(())
/// ```
pub struct TextEncoder {
    encoding: Encoding,
    policy: TextPolicy,
    begun: bool,
    /// The encoder of ISO-2022-JP, the only encoding whose bytes depend on the bytes before.
    shifting: Option<Shifting>,
}

enum Shifting {
    Table(encoding_rs::Encoder),
    Python(python::Encoder),
}

impl Shifting {
    fn first(encoding: Encoding) -> Option<Self> {
        match encoding.0 {
            Kind::Table(table) if table == ISO_2022_JP => {
                Some(Shifting::Table(table.new_encoder()))
            }
            Kind::Python(codec) if !codec.extends_ascii() => {
                Some(Shifting::Python(python::Encoder::new(codec)))
            }
            _ => None,
        }
    }

    /// The bytes of `text`, with `?` for each character that the encoding lacks.
    fn encode(&mut self, text: &str) -> Vec<u8> {
        match self {
            Shifting::Table(encoder) => replaced(encoder, text, false),
            Shifting::Python(encoder) => {
                let encoded = encoder.encode(text, TextPolicy::Replace);
                encoded.unwrap_or_default()
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match &mut self {
            Shifting::Table(encoder) => bytes = replaced(encoder, "", true),
            Shifting::Python(encoder) => encoder.finish(&mut bytes),
        }
        bytes
    }
}

impl TextEncoder {
    /// An encoder at the beginning of a stream.
    pub fn new(encoding: Encoding, policy: TextPolicy) -> Self {
        TextEncoder {
            encoding,
            policy,
            begun: false,
            shifting: Shifting::first(encoding),
        }
    }

    /// The bytes of `text`, which follow those of all texts before it. An empty text has no bytes.
    ///
    /// # Errors
    /// As [`Encoding::encode`]; the encoder is then as it was before the call. Also for a character
    /// that a [`TextDecoder`](crate::TextDecoder) would take for a byte order mark: U+FEFF in
    /// `utf-16` and `utf-8-sig`, and in `utf-16` U+FFFE, which is that with its bytes swapped.
    /// [`TextPolicy::Replace`] drops the first and writes `?` for the second.
    pub fn encode<'a>(&mut self, text: &'a str) -> Result<Cow<'a, [u8]>, TextError> {
        if text.is_empty() {
            return Ok(Cow::Borrowed(&[]));
        }
        let mark = text.chars().find(|c| self.encoding.is_mark(*c));
        let whole = text;
        let text = match mark {
            Some(mark) if self.policy != TextPolicy::Replace => {
                return Err(self.encoding.lacks(mark));
            }
            Some(_) => Cow::Owned(text.replace(MARK, "").replace(SWAPPED_MARK, "?")),
            None => Cow::Borrowed(text),
        };
        let encoding = if self.begun {
            self.encoding.continued()
        } else {
            self.encoding
        };
        // Encoded alone first: that tells whether the encoding has all of its characters.
        let alone = match text {
            Cow::Borrowed(text) => encoding.encode(text, self.policy)?,
            Cow::Owned(text) => Cow::Owned(encoding.encode(&text, self.policy)?.into_owned()),
        };
        self.begun = true;
        Ok(match &mut self.shifting {
            Some(encoder) => Cow::Owned(encoder.encode(whole)),
            None => alone,
        })
    }

    /// The bytes that end the stream: those that return to ASCII, if the encoding is shifted. The
    /// encoder is at the beginning of another stream then.
    pub fn finish(&mut self) -> Vec<u8> {
        let ended = std::mem::replace(self, TextEncoder::new(self.encoding, self.policy));
        ended.shifting.map_or_else(Vec::new, Shifting::finish)
    }
}

impl fmt::Debug for TextEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextEncoder")
            .field("encoding", &self.encoding)
            .field("policy", &self.policy)
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}
