//! The ending of a line, and how it is written in a codec's name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The ending of a line: a line feed, carriage return and line feed, or any one byte.
///
/// Its text is the one after `line:` in a codec's name; [`parse`](Ending::parse) has the rules. A
/// line of *text* (`lf` and `crlf`) may arrive with either ending. They differ in the ending that
/// is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ending {
    byte: u8,
    crlf: bool,
}

impl Ending {
    /// `\n` is written; `\n` and `\r\n` are read. The default.
    pub const LF: Ending = Ending {
        byte: b'\n',
        crlf: false,
    };

    /// `\r\n` is written; `\n` and `\r\n` are read.
    pub const CRLF: Ending = Ending {
        byte: b'\n',
        crlf: true,
    };

    /// This one byte, as `find -print0` and `xargs -0` use the byte zero; `b'\n'` is
    /// [`LF`](Ending::LF).
    pub const fn byte(byte: u8) -> Self {
        Ending { byte, crlf: false }
    }

    /// Reads `lf`, `crlf`, one ASCII character, or an escape: `\0`, `\t`, `\n`, `\r`, or `\x1f` for
    /// any byte.
    ///
    /// ```
    /// use socketry_codec::Ending;
    /// assert_eq!(Ending::parse(r"\0"), Some(Ending::byte(0)));
    /// assert_eq!(Ending::parse("crlf"), Some(Ending::CRLF));
    /// assert_eq!(Ending::parse("ab"), None);
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "lf" => Some(Ending::LF),
            "crlf" => Some(Ending::CRLF),
            r"\0" => Some(Ending::byte(0)),
            r"\t" => Some(Ending::byte(b'\t')),
            r"\n" => Some(Ending::LF),
            r"\r" => Some(Ending::byte(b'\r')),
            _ => single(text).or_else(|| hex(text)).map(Ending::byte),
        }
    }

    /// The byte to look for.
    #[inline]
    pub(crate) fn last(self) -> u8 {
        self.byte
    }

    /// Whether a `\r` before it belongs to it.
    #[inline]
    pub(crate) fn is_text(self) -> bool {
        self.byte == b'\n'
    }

    pub(crate) fn is_crlf(self) -> bool {
        self.crlf
    }

    /// The bytes that are written after a line.
    pub(crate) fn written(&self) -> &[u8] {
        if self.crlf {
            b"\r\n"
        } else {
            std::slice::from_ref(&self.byte)
        }
    }
}

impl FromStr for Ending {
    type Err = UnknownEnding;

    /// As [`parse`](Ending::parse).
    fn from_str(text: &str) -> Result<Self, UnknownEnding> {
        Ending::parse(text).ok_or(UnknownEnding)
    }
}

/// A text that is not an [`Ending`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    r"a line ends with lf, crlf, one ASCII character, one of \0 \t \n \r \xHH, or 0x and the \
     hexadecimal digits of 1 to 64 bytes"
)]
#[non_exhaustive]
pub struct UnknownEnding;

fn single(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    }
}

fn hex(text: &str) -> Option<u8> {
    let digits = text.strip_prefix(r"\x")?;
    let valid = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| u8::from_str_radix(digits, 16).ok())?
}

impl Default for Ending {
    fn default() -> Self {
        Ending::LF
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.crlf, self.byte) {
            (true, _) => f.write_str("crlf"),
            (_, b'\n') => f.write_str("lf"),
            (_, 0) => f.write_str(r"\0"),
            (_, b'\t') => f.write_str(r"\t"),
            (_, b'\r') => f.write_str(r"\r"),
            (_, byte) if byte.is_ascii_graphic() => write!(f, "{}", char::from(byte)),
            (_, byte) => write!(f, r"\x{byte:02x}"),
        }
    }
}
