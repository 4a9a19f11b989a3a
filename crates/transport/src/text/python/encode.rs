//! From text to bytes that CPython's decoders read back.

use super::decode::Shift;
use super::{Codec, Table, Units};
use crate::text::TextPolicy;

#[derive(Clone)]
pub(in crate::text) struct Encoder {
    table: &'static Table,
    shift: Shift,
}

impl Encoder {
    pub(in crate::text) fn new(codec: Codec) -> Self {
        Encoder {
            table: codec.table(),
            shift: Shift::Ascii,
        }
    }

    /// The bytes of `text`, or the first character that the codec lacks.
    pub(in crate::text) fn encode(
        &mut self,
        text: &str,
        policy: TextPolicy,
    ) -> Result<Vec<u8>, char> {
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            if self.write(character, &mut bytes) {
                continue;
            }
            if policy != TextPolicy::Replace {
                return Err(character);
            }
            self.write('?', &mut bytes);
        }
        Ok(bytes)
    }

    /// Appends the escape sequence that returns to ASCII, if the codec is shifted.
    pub(in crate::text) fn finish(&mut self, out: &mut Vec<u8>) {
        self.shift_to(Shift::Ascii, out);
    }

    fn write(&mut self, character: char, out: &mut Vec<u8>) -> bool {
        match (self.table.units, u8::try_from(character)) {
            (Units::Iso2022Jp, _) => self.write_shifted(character, out),
            (_, Ok(byte @ ..0x80)) => {
                out.push(byte);
                true
            }
            _ => self.table.write(character, out),
        }
    }

    fn write_shifted(&mut self, character: char, out: &mut Vec<u8>) -> bool {
        let (shift, byte) = match (character, u8::try_from(character)) {
            ('\x0e' | '\x0f' | '\x1b', _) => return false,
            ('¥', _) => (Shift::Roman, b'\\'),
            ('‾', _) => (Shift::Roman, b'~'),
            (_, Ok(byte @ ..0x80)) => (Shift::Ascii, byte),
            _ => {
                let mut pair = Vec::new();
                // EUC-JP writes two bytes; others are half-width kana or JIS X 0212, which this
                // codec lacks.
                self.table.write(character, &mut pair);
                if pair.len() != 2 || pair.iter().any(|byte| *byte < 0xa1) {
                    return false;
                }
                self.shift_to(Shift::Double, out);
                out.extend(pair.iter().map(|byte| byte & 0x7f));
                return true;
            }
        };
        self.shift_to(shift, out);
        out.push(byte);
        true
    }

    fn shift_to(&mut self, shift: Shift, out: &mut Vec<u8>) {
        if self.shift != shift {
            self.shift = shift;
            out.extend_from_slice(match shift {
                Shift::Ascii => b"\x1b(B",
                Shift::Roman => b"\x1b(J",
                Shift::Double => b"\x1b$B",
            });
        }
    }
}
