//! From bytes to text, as CPython's decoders.

use super::{Codec, Table, Units};
use crate::text::TextPolicy;
use crate::text::decode::Step;

/// An escape sequence has three bytes.
const ESCAPE: usize = 3;

pub(in crate::text) struct Decoder {
    table: &'static Table,
    shift: Shift,
}

/// The meaning of the bytes of ISO-2022-JP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shift {
    Ascii,
    /// JIS X 0201: ASCII, but for the yen sign and the overline.
    Roman,
    /// JIS X 0208.
    Double,
}

enum Unit {
    /// This many bytes were appended as text, or were an escape sequence.
    Read(usize),
    Bad(usize),
    /// More bytes have to come first.
    Incomplete,
}

impl Decoder {
    pub(in crate::text) fn new(codec: Codec) -> Self {
        Decoder {
            table: codec.table(),
            shift: Shift::Ascii,
        }
    }

    pub(in crate::text) fn step(
        &mut self,
        bytes: &[u8],
        last: bool,
        policy: TextPolicy,
        out: &mut String,
    ) -> Step {
        let mut read = 0;
        while read < bytes.len() {
            let rest = &bytes[read..];
            let unit = match self.table.units {
                Units::Iso2022Jp => self.shifted(rest, out),
                _ => self.unit(rest, out),
            };
            let bad = match unit {
                Unit::Read(len) => {
                    read += len;
                    continue;
                }
                Unit::Bad(len) => len,
                Unit::Incomplete if last => before_ascii(rest),
                Unit::Incomplete => break,
            };
            read += bad;
            if policy == TextPolicy::Strict {
                return (read, Some(bad));
            }
            out.push(char::REPLACEMENT_CHARACTER);
        }
        (read, None)
    }

    fn unit(&self, rest: &[u8], out: &mut String) -> Unit {
        let ascii = self.table.ascii(rest);
        if !ascii.is_empty() {
            out.push_str(ascii);
            return Unit::Read(ascii.len());
        }
        let Some(unit) = self.table.units.len(rest).and_then(|len| rest.get(..len)) else {
            return Unit::Incomplete;
        };
        if self.table.read(unit, out) {
            Unit::Read(unit.len())
        } else {
            Unit::Bad(before_ascii(unit))
        }
    }

    fn shifted(&mut self, rest: &[u8], out: &mut String) -> Unit {
        let first = rest[0];
        match (first, self.shift) {
            (0x1b, _) => return self.escape(rest),
            (0x0e | 0x0f | 0x80.., _) => return Unit::Bad(1),
            // Control characters are themselves everywhere.
            (..=0x1f, _) | (_, Shift::Ascii) => out.push(first.into()),
            (b'\\', Shift::Roman) => out.push('¥'),
            (b'~', Shift::Roman) => out.push('‾'),
            (_, Shift::Roman) => out.push(first.into()),
            (0x21..=0x7e, Shift::Double) => {
                return match rest.get(1) {
                    None => Unit::Incomplete,
                    Some(second @ 0x21..=0x7e)
                        if self.table.read(&[first | 0x80, second | 0x80], out) =>
                    {
                        Unit::Read(2)
                    }
                    // In ISO-2022-JP an error must not take an escape sequence with it.
                    Some(0x21..=0x7e) => Unit::Bad(2),
                    Some(_) => Unit::Bad(1),
                };
            }
            (_, Shift::Double) => return Unit::Bad(1),
        }
        Unit::Read(1)
    }

    fn escape(&mut self, rest: &[u8]) -> Unit {
        let Some(escape) = rest.get(..ESCAPE) else {
            return Unit::Incomplete;
        };
        self.shift = match escape {
            b"\x1b(B" => Shift::Ascii,
            b"\x1b(J" => Shift::Roman,
            b"\x1b$@" | b"\x1b$B" => Shift::Double,
            _ => return Unit::Bad(1),
        };
        Unit::Read(ESCAPE)
    }
}

/// The length of an error: it ends before the first ASCII byte, but has at least one byte.
fn before_ascii(unit: &[u8]) -> usize {
    let ascii = unit.iter().skip(1).position(u8::is_ascii);
    ascii.map_or(unit.len(), |at| at + 1)
}

impl Table {
    /// The ASCII at the beginning, which is itself in all codecs.
    fn ascii<'a>(&self, bytes: &'a [u8]) -> &'a str {
        let len = encoding_rs::Encoding::ascii_valid_up_to(bytes);
        std::str::from_utf8(&bytes[..len]).unwrap_or_default()
    }
}
