//! An integer of Python's `struct` module, holding a length.

use std::fmt;
use std::str::FromStr;

use bytes::BytesMut;
use thiserror::Error;

use crate::{Affix, CodecError, Fault};

/// The format of a length: one integer as Python's `struct.pack` writes it.
///
/// The text is that of Python's [format strings]: an optional byte order and one letter.
///
/// | order | bytes | sizes |
/// |---|---|---|
/// | `@`, or none | as this machine has them | as C has them here (`l` is 8 bytes on most 64-bit Unix) |
/// | `=` | as this machine has them | standard |
/// | `<` | least significant first | standard |
/// | `>`, `!` | most significant first | standard |
///
/// | letters | signed, unsigned | standard size |
/// |---|---|---|
/// | `b` `B` | `i8`, `u8` | 1 |
/// | `h` `H` | `i16`, `u16` | 2 |
/// | `i` `I` | `i32`, `u32` | 4 |
/// | `l` `L` | `i32`, `u32` | 4 |
/// | `q` `Q` | `i64`, `u64` | 8 |
///
/// The default is `i`: the 4 signed bytes of `struct.pack('i', len(data))`.
///
/// ```
/// use socketry_codec::Format;
///
/// let format: Format = ">H".parse()?;
/// assert_eq!((format.size(), format.max()), (2, 65_535));
/// assert_eq!(&format.write(258).expect("it fits")[..], [1, 2]);
/// # Ok::<(), socketry_codec::UnknownFormat>(())
/// ```
///
/// [format strings]: https://docs.python.org/3/library/struct.html#format-strings
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Format {
    order: Order,
    letter: u8,
    // Both follow from the two above. They are stored, since every frame asks for them.
    word: Word,
    size: u8,
}

/// The width and order of an integer. The orders of more than one byte are sorted by what comes
/// first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Hash)]
pub(crate) enum Word {
    Byte,
    Little2,
    Little4,
    Little8,
    Big2,
    Big4,
    Big8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Order {
    Native,
    Equal,
    Little,
    Big,
    Network,
}

/// A text that is not a [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{0:?} is no length format: write one letter of b B h H i I l L q Q, \
     with one of @ = < > ! before it or none"
)]
pub struct UnknownFormat(String);

impl Format {
    fn new(order: Order, letter: u8) -> Option<Self> {
        let size = match letter.to_ascii_lowercase() {
            b'b' => 1,
            b'h' => 2,
            b'i' => 4,
            b'l' if order == Order::Native => size_of::<std::ffi::c_long>(),
            b'l' => 4,
            b'q' => 8,
            _ => return None,
        };
        Some(Format {
            order,
            letter,
            word: Word::new(size, order.is_big()),
            size: u8::try_from(size).ok()?,
        })
    }

    /// Its size in bytes: 1, 2, 4 or 8.
    #[inline]
    pub fn size(&self) -> usize {
        usize::from(self.size)
    }

    /// The largest length it can hold.
    pub fn max(&self) -> u64 {
        u64::MAX >> (self.spare() + u32::from(self.is_signed()))
    }

    /// The length at the front of `bytes`; `None` if `bytes` has fewer than [`size`](Format::size).
    ///
    /// # Errors
    /// [`Fault::NegativeLength`], which is fatal: it does not tell where the next frame begins.
    #[inline]
    pub fn read(&self, bytes: &[u8]) -> Result<Option<u64>, CodecError> {
        self.word(bytes).map(|word| self.length(word)).transpose()
    }

    /// The length in an integer that was read without its sign.
    #[inline]
    pub(crate) fn length(&self, word: u64) -> Result<u64, CodecError> {
        // Shifting it to the top makes its sign the sign of the word, and shifting it back keeps
        // that sign.
        let top = (word << self.spare()).cast_signed();
        if self.is_signed() && top < 0 {
            return Err(negative(top >> self.spare()));
        }
        Ok(word)
    }

    /// The integer, read without its sign. It is one load of a known width and order, so that
    /// finding the next frame waits for nothing else.
    #[inline]
    pub(crate) fn word(&self, bytes: &[u8]) -> Option<u64> {
        match self.word {
            Word::Byte => bytes.first().map(|byte| u64::from(*byte)),
            Word::Little2 => bytes.first_chunk().map(|b| u16::from_le_bytes(*b).into()),
            Word::Big2 => bytes.first_chunk().map(|b| u16::from_be_bytes(*b).into()),
            Word::Little4 => bytes.first_chunk().map(|b| u32::from_le_bytes(*b).into()),
            Word::Big4 => bytes.first_chunk().map(|b| u32::from_be_bytes(*b).into()),
            Word::Little8 => bytes.first_chunk().map(|b| u64::from_le_bytes(*b)),
            Word::Big8 => bytes.first_chunk().map(|b| u64::from_be_bytes(*b)),
        }
    }

    /// The bytes of this length on the wire; `None` if it is above [`max`](Format::max).
    #[inline]
    pub fn write(&self, len: u64) -> Option<Affix> {
        (len <= self.max()).then(|| self.bytes(len))
    }

    /// The lowest bytes of `len`, which the caller has compared with [`max`](Format::max).
    #[inline]
    pub(crate) fn bytes(&self, len: u64) -> Affix {
        if self.is_big() {
            Affix::new(&len.to_be_bytes()[8 - self.size()..])
        } else {
            Affix::new(&len.to_le_bytes()[..self.size()])
        }
    }

    /// Appends the bytes of [`bytes`](Format::bytes): stores all eight and keeps the first few. One
    /// store of a known width costs less than a choice among four.
    #[inline]
    pub(crate) fn put(&self, len: u64, out: &mut BytesMut) {
        let stays = out.len() + self.size();
        let word = if self.is_big() {
            (len << self.spare()).to_be_bytes()
        } else {
            len.to_le_bytes()
        };
        out.extend_from_slice(&word);
        out.truncate(stays);
    }

    /// The lesser of `bytes` and the largest length that this format holds.
    pub(crate) fn at_most(&self, bytes: usize) -> usize {
        usize::try_from(self.max()).map_or(bytes, |max| max.min(bytes))
    }

    /// Its width and order.
    #[inline(always)]
    pub(crate) fn kind(&self) -> Word {
        self.word
    }

    /// Whether the most significant byte comes first.
    #[inline]
    fn is_big(&self) -> bool {
        self.word >= Word::Big2
    }

    /// The bits of a 64-bit word that this format does not use.
    #[inline]
    fn spare(&self) -> u32 {
        64 - 8 * u32::from(self.size)
    }

    #[inline]
    fn is_signed(&self) -> bool {
        self.letter.is_ascii_lowercase()
    }
}

#[cold]
fn negative(len: i64) -> CodecError {
    CodecError::fatal(Fault::NegativeLength(len))
}

impl Word {
    fn new(size: usize, big: bool) -> Self {
        match (size, big) {
            (1, _) => Word::Byte,
            (2, false) => Word::Little2,
            (2, true) => Word::Big2,
            (4, false) => Word::Little4,
            (4, true) => Word::Big4,
            (_, false) => Word::Little8,
            (_, true) => Word::Big8,
        }
    }
}

impl Order {
    fn is_big(self) -> bool {
        match self {
            Order::Native | Order::Equal => cfg!(target_endian = "big"),
            Order::Little => false,
            Order::Big | Order::Network => true,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            b'@' => Order::Native,
            b'=' => Order::Equal,
            b'<' => Order::Little,
            b'>' => Order::Big,
            b'!' => Order::Network,
            _ => return None,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Order::Native => "",
            Order::Equal => "=",
            Order::Little => "<",
            Order::Big => ">",
            Order::Network => "!",
        }
    }
}

impl Default for Format {
    fn default() -> Self {
        Format {
            order: Order::Native,
            letter: b'i',
            word: Word::new(4, cfg!(target_endian = "big")),
            size: 4,
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, UnknownFormat> {
        let format = match *text.as_bytes() {
            [letter] => Format::new(Order::Native, letter),
            [order, letter] => Order::from_byte(order).and_then(|order| Format::new(order, letter)),
            _ => None,
        };
        format.ok_or_else(|| UnknownFormat(text.into()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.order.as_str(), char::from(self.letter))
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({self})")
    }
}
