//! How a length is written: an integer of a known width, a variable number of bytes, or digits.

use crate::limits::{self, malformed_length as malformed};
use crate::{CodecError, Fault, Format};

/// How the length of a [`Layout`](super::Layout) is written.
///
/// | notation | bytes |
/// |---|---|
/// | `>I`, `<H`, … | an integer of Python's `struct`: [`Format`] |
/// | `>u24`, `<u24` | three bytes, the most or the least significant first |
/// | `>i>Q` | four bytes, signed; −1 stands for a length above 2³¹ − 1, in eight bytes behind it |
/// | `varint` | LEB128: seven bits a byte, the least significant first, the top bit where more follow |
/// | `vlq` | seven bits a byte, the most significant first, as MIDI and ASN.1 tags have it |
/// | `digits,0x3a` | decimal digits, and the byte that ends them |
///
/// A number behind `varint`, `vlq` or `digits` is the most bytes (digits) that are read: `varint4`.
/// The default is 10 bytes, which hold 64 bits, and 9 digits. The shortest form is written. Longer
/// forms of the same number, with zero bits, zeros or −1 in front, are read, as most readers do;
/// with [`strict`](Length::strict) (`varint4-strict`) they are an error.
///
/// Sources: LEB128 is in DWARF 5, section 7.6, and the varint of Protocol Buffers and MQTT; VLQ is
/// in the Standard MIDI Files specification 1.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Length {
    pub(super) form: Form,
    /// Whether a number must have its shortest form.
    pub(super) strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Word(Format),
    Three {
        big: bool,
    },
    /// `>i`, or −1 and `>Q`.
    Escaped,
    Varint {
        most: u8,
    },
    Vlq {
        most: u8,
    },
    Digits {
        most: u8,
        delimiter: u8,
    },
}

/// The length at the front of some bytes.
pub(super) enum Front {
    Here {
        value: u64,
        /// The bytes that it took.
        size: usize,
    },
    /// At least so many bytes are missing.
    Missing(usize),
}

/// The most bytes of a varint or VLQ: they hold 64 bits.
pub(super) const MOST_BYTES: u8 = 10;
/// The most digits: a number of 18 digits is below 2⁶³.
pub(super) const MOST_DIGITS: u8 = 18;
/// The digits that are read by default.
pub(super) const DIGITS: u8 = 9;

impl From<Format> for Length {
    fn from(format: Format) -> Self {
        Length::of(Form::Word(format))
    }
}

impl Length {
    pub(super) const fn of(form: Form) -> Self {
        let strict = false;
        Length { form, strict }
    }

    /// Three bytes, the most significant first.
    pub const fn big24() -> Self {
        Length::of(Form::Three { big: true })
    }

    /// Three bytes, the least significant first.
    pub const fn little24() -> Self {
        Length::of(Form::Three { big: false })
    }

    /// Four bytes, signed, the most significant first; −1 says that eight more bytes have the
    /// length. CPython's `multiprocessing.connection` writes it.
    pub const fn escaped() -> Self {
        Length::of(Form::Escaped)
    }

    /// LEB128, of at most 10 bytes.
    pub const fn varint() -> Self {
        Length::of(Form::Varint { most: MOST_BYTES })
    }

    /// A variable-length quantity, of at most 10 bytes.
    pub const fn vlq() -> Self {
        Length::of(Form::Vlq { most: MOST_BYTES })
    }

    /// At most 9 decimal digits, and the byte that ends them, which is no digit.
    pub const fn digits(delimiter: u8) -> Self {
        let most = DIGITS;
        Length::of(Form::Digits { most, delimiter })
    }

    /// At most this many bytes (1 to 10) or digits (1 to 18); the nearest of these for another
    /// number. A length of a known width stays as it is.
    #[must_use]
    pub fn at_most(mut self, bytes: u8) -> Self {
        match &mut self.form {
            Form::Varint { most } | Form::Vlq { most } => *most = bytes.clamp(1, MOST_BYTES),
            Form::Digits { most, .. } => *most = bytes.clamp(1, MOST_DIGITS),
            Form::Word(_) | Form::Three { .. } | Form::Escaped => {}
        }
        self
    }

    /// Refuses a number that is not in its shortest form.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// The largest number that it holds.
    pub fn max(&self) -> u64 {
        match self.form {
            Form::Word(format) => format.max(),
            Form::Three { .. } => (1 << 24) - 1,
            Form::Escaped => u64::MAX,
            Form::Varint { most } | Form::Vlq { most } => 1u64
                .checked_shl(7 * u32::from(most))
                .map_or(u64::MAX, |top| top - 1),
            Form::Digits { most, .. } => 10u64.pow(u32::from(most)) - 1,
        }
    }

    /// The fewest and the most bytes that it takes.
    pub(super) fn sizes(&self) -> (usize, usize) {
        match self.form {
            Form::Word(format) => (format.size(), format.size()),
            Form::Three { .. } => (3, 3),
            Form::Escaped => (4, 12),
            Form::Varint { most } | Form::Vlq { most } => (1, most.into()),
            Form::Digits { most, .. } => (2, usize::from(most) + 1),
        }
    }

    /// The bytes of the shortest form of `value`.
    pub(super) fn size(&self, value: u64) -> usize {
        match self.form {
            Form::Word(_) | Form::Three { .. } => self.sizes().0,
            Form::Escaped if i32::try_from(value).is_ok() => 4,
            Form::Escaped => 12,
            Form::Varint { .. } | Form::Vlq { .. } => sevens(value),
            Form::Digits { .. } => value.checked_ilog10().unwrap_or(0) as usize + 2,
        }
    }

    /// The number at the front of `input`.
    #[inline(always)]
    pub(super) fn read(&self, input: &[u8]) -> Result<Front, CodecError> {
        match self.form {
            Form::Word(format) => {
                let Some(word) = format.word(input) else {
                    return Ok(Front::Missing(format.size() - input.len()));
                };
                let (value, size) = (format.length(word)?, format.size());
                Ok(Front::Here { value, size })
            }
            Form::Three { big } => Ok(three(input, big)),
            Form::Escaped => self.shortest(escaped(input)?),
            Form::Varint { most } => self.shortest(varint(input, most)?),
            Form::Vlq { most } => self.shortest(vlq(input, most)?),
            Form::Digits { most, delimiter } => self.shortest(digits(input, most, delimiter)?),
        }
    }

    fn shortest(&self, front: Front) -> Result<Front, CodecError> {
        match front {
            Front::Here { value, size } if self.strict && size != self.size(value) => {
                Err(malformed("is not in its shortest form"))
            }
            front => Ok(front),
        }
    }

    /// Writes `value`, which is at most [`max`](Length::max), in its shortest form.
    pub(super) fn write(&self, value: u64) -> Written {
        let mut written = Written::default();
        match self.form {
            Form::Word(format) => written.extend(&format.bytes(value)),
            Form::Three { big: true } => written.extend(&value.to_be_bytes()[5..]),
            Form::Three { big: false } => written.extend(&value.to_le_bytes()[..3]),
            Form::Escaped => match i32::try_from(value) {
                Ok(value) => written.extend(&value.to_be_bytes()),
                Err(_) => {
                    written.extend(&(-1i32).to_be_bytes());
                    written.extend(&value.to_be_bytes());
                }
            },
            Form::Varint { .. } => {
                for seven in 0..sevens(value) {
                    let more = u8::from(seven + 1 < sevens(value)) << 7;
                    written.push(bits(value, seven) | more);
                }
            }
            Form::Vlq { .. } => {
                for seven in (0..sevens(value)).rev() {
                    written.push(bits(value, seven) | u8::from(seven > 0) << 7);
                }
            }
            Form::Digits { delimiter, .. } => {
                let mut place = 10u64.pow(value.checked_ilog10().unwrap_or(0));
                while place > 0 {
                    written.push(b'0' + (value / place % 10).to_le_bytes()[0]);
                    place /= 10;
                }
                written.push(delimiter);
            }
        }
        written
    }
}

/// The few bytes of a length.
#[derive(Default)]
pub(super) struct Written {
    bytes: [u8; MOST_DIGITS as usize + 1],
    len: usize,
}

impl Written {
    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn extend(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.push(*byte));
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// How many groups of seven bits `value` has, 1 at least.
fn sevens(value: u64) -> usize {
    (64 - (value | 1).leading_zeros()).div_ceil(7) as usize
}

/// One group of seven bits.
fn bits(value: u64, seven: usize) -> u8 {
    (value >> (7 * seven)).to_le_bytes()[0] & 0x7f
}

fn three(input: &[u8], big: bool) -> Front {
    match (input, big) {
        (&[a, b, c, ..], true) | (&[c, b, a, ..], false) => Front::Here {
            value: u32::from_be_bytes([0, a, b, c]).into(),
            size: 3,
        },
        _ => Front::Missing(3 - input.len()),
    }
}

fn escaped(input: &[u8]) -> Result<Front, CodecError> {
    let Some((word, rest)) = input.split_first_chunk() else {
        return Ok(Front::Missing(4 - input.len()));
    };
    let word = i32::from_be_bytes(*word);
    if word != -1 {
        let negative = |_| CodecError::fatal(Fault::NegativeLength(word.into()));
        let value = word.try_into().map_err(negative)?;
        return Ok(Front::Here { value, size: 4 });
    }
    Ok(match rest.first_chunk() {
        Some(word) => Front::Here {
            value: u64::from_be_bytes(*word),
            size: 12,
        },
        None => Front::Missing(8 - rest.len()),
    })
}

fn varint(input: &[u8], most: u8) -> Result<Front, CodecError> {
    let mut value = 0u64;
    for (at, byte) in input.iter().take(most.into()).enumerate() {
        let seven = u64::from(byte & 0x7f);
        let shifted = seven << (7 * at);
        if shifted >> (7 * at) != seven {
            return Err(malformed("is above 2^64 - 1"));
        }
        value |= shifted;
        if byte & 0x80 == 0 {
            let size = at + 1;
            return Ok(Front::Here { value, size });
        }
    }
    unended(input, most)
}

fn vlq(input: &[u8], most: u8) -> Result<Front, CodecError> {
    let mut value = 0u64;
    for (at, byte) in input.iter().take(most.into()).enumerate() {
        if value >> 57 != 0 {
            return Err(malformed("is above 2^64 - 1"));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            let size = at + 1;
            return Ok(Front::Here { value, size });
        }
    }
    unended(input, most)
}

/// A number of which the last byte has not arrived, or never comes.
fn unended(input: &[u8], most: u8) -> Result<Front, CodecError> {
    if input.len() < most.into() {
        return Ok(Front::Missing(1));
    }
    Err(malformed("has more bytes than it may have"))
}

fn digits(input: &[u8], most: u8, delimiter: u8) -> Result<Front, CodecError> {
    // The delimiter at least is missing, and a digit before it.
    let missing = if input.is_empty() { 2 } else { 1 };
    let number = limits::digits(input, most.into(), delimiter)?;
    Ok(
        number.map_or(Front::Missing(missing), |(value, size)| Front::Here {
            value,
            size,
        }),
    )
}
