//! From text to bytes.

use std::borrow::Cow;

use encoding_rs::{Encoder, EncoderResult};

use super::encoding::{Kind, Order};
use super::{Encoding, TextError, Undecodable};

impl Encoding {
    /// The bytes of `text`, complete in themselves (with a byte order mark for `utf-16`, shifted back at the end for
    /// ISO-2022-JP). They are borrowed where they are the same as in UTF-8.
    ///
    /// As in the WHATWG standard, a few characters arrive as their likes: `¥` and `‾` as `\` and `~` in Shift_JIS and EUC-JP,
    /// whose bytes they share, and half-width kana as full-width ones in ISO-2022-JP.
    ///
    /// # Errors
    /// [`TextError::Unencodable`] for the first character that the encoding lacks, except with
    /// [`Undecodable::Replace`], which writes `?` for it. It is never written as `&#…;`.
    pub fn encode<'a>(
        &self,
        text: &'a str,
        policy: Undecodable,
    ) -> Result<Cow<'a, [u8]>, TextError> {
        match self.0 {
            Kind::Utf16(order) => Ok(Cow::Owned(utf16(text, order))),
            Kind::Table(table) => {
                let same =
                    table == encoding_rs::UTF_8 || (table.is_ascii_compatible() && text.is_ascii());
                if same {
                    Ok(Cow::Borrowed(text.as_bytes()))
                } else {
                    self.by_table(table.new_encoder(), text, policy)
                        .map(Cow::Owned)
                }
            }
        }
    }

    fn by_table(
        self,
        mut encoder: Encoder,
        text: &str,
        policy: Undecodable,
    ) -> Result<Vec<u8>, TextError> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = run(&mut encoder, &mut rest, true, &mut bytes) {
            if policy != Undecodable::Replace {
                return Err(TextError::Unencodable {
                    character,
                    encoding: self,
                });
            }
            // Through the encoder, which may have to shift for it.
            run(&mut encoder, &mut "?", false, &mut bytes);
        }
        Ok(bytes)
    }
}

/// Encodes `text` up to and including the first character that the encoding lacks, which it returns.
fn run(encoder: &mut Encoder, text: &mut &str, last: bool, bytes: &mut Vec<u8>) -> Option<char> {
    loop {
        // Enough for any character and any shift, so that each turn gets on.
        bytes.reserve(text.len().max(16));
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(text, bytes, last);
        let (done, rest) = text.split_at(read);
        *text = rest;
        match result {
            EncoderResult::InputEmpty => return None,
            EncoderResult::OutputFull => (),
            // The last one that was read: of a control character, ISO-2022-JP reports U+FFFD instead.
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
