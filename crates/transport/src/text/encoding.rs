//! The names of encodings.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "serde")]
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::TextError;
use super::python::{self, Codec};

/// The labels that the error about an unknown label shows.
pub(super) const SOME_LABELS: &str = "utf-8, gbk, gb18030, big5, shift_jis, euc-jp, euc-kr, \
     iso-8859-2, windows-1252, koi8-r, utf-16, utf-16le, utf-16be";

/// A character encoding, by its label: `utf-8` (the default), `gbk`, `gb18030`, `big5`,
/// `shift_jis`, `utf-16le`, …
///
/// Labels are those of the [WHATWG standard](https://encoding.spec.whatwg.org/#names-and-labels),
/// in any case, with `_` and `-` alike. As there, `gb2312` means GBK. In these points the labels
/// are as in Python, and not as in that standard:
///
/// * `utf-16` writes a byte order mark and then little-endian. It reads the order that the mark
///   says. `utf-16le` and `utf-16be` (also `utf-16-le`, `utf-16-be`) write no mark, and read one as
///   text. `utf-8-sig` is UTF-8 with a mark.
/// * `iso-8859-1`, `iso-8859-9`, `iso-8859-11` and `ascii`, by all their names (`latin1`,
///   `latin-1`, `l5`, …), are these themselves. The standard takes them for windows-1252,
///   windows-1254 and windows-874.
/// * A name that only Python has means Python's codec: `cp936`, `cp950`, `ujis`, `iso2022_jp`. So
///   does any of its names behind `python:`, see [`Encoding::python`].
///
/// ```
/// use socketry_transport::{Encoding, TextPolicy};
///
/// let gbk: Encoding = "GBK".parse()?;
/// assert_eq!(*gbk.encode("你好", TextPolicy::Strict)?, [0xc4, 0xe3, 0xba, 0xc3]);
/// assert_eq!(gbk.decode(&[0xc4, 0xe3], TextPolicy::Strict)?, "你");
/// assert_eq!(gbk.to_string(), "gbk");
/// # Ok::<(), socketry_transport::TextError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Encoding(pub(super) Kind);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// An encoding that `encoding_rs` decodes and encodes.
    Table(&'static encoding_rs::Encoding),
    /// `encoding_rs` only decodes UTF-16: it *encodes* UTF-16 as UTF-8.
    Utf16(Order),
    /// UTF-8 behind a byte order mark.
    MarkedUtf8,
    /// A codec of CPython that differs from `encoding_rs`.
    Python(Codec),
}

/// The order of the two bytes of a UTF-16 unit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Order {
    Little,
    Big,
    /// The mark before the text decides; little-endian without one.
    Marked,
}

impl Encoding {
    /// UTF-8, the default. A byte order mark is kept, as a character of the text.
    pub const UTF_8: Encoding = Encoding(Kind::Table(&encoding_rs::UTF_8_INIT));
    /// GBK, of a Chinese Windows.
    pub const GBK: Encoding = Encoding(Kind::Table(&encoding_rs::GBK_INIT));
    /// GB 18030, which contains GBK and has all of Unicode.
    pub const GB18030: Encoding = Encoding(Kind::Table(&encoding_rs::GB18030_INIT));
    /// UTF-16 with a byte order mark.
    pub const UTF_16: Encoding = Encoding(Kind::Utf16(Order::Marked));

    /// CPython's own codec of that name, in any spelling that CPython knows: `gbk`, `iso2022_jp`,
    /// `latin-1`, `cp1252`, … CPython's codec reads all that it encodes, and it reads all that
    /// CPython writes. The label `python:gbk` means the same. `docs/encodings.md` says how these
    /// differ from the encodings without that prefix. A codec that does not differ is that
    /// encoding.
    ///
    /// ```
    /// use socketry_transport::{Encoding, TextPolicy};
    ///
    /// // The byte 0x80, which CPython does not read.
    /// assert_eq!(*Encoding::GBK.encode("€", TextPolicy::Strict)?, [0x80]);
    /// let error = Encoding::python("gbk")?.encode("€", TextPolicy::Strict).unwrap_err();
    /// assert_eq!(error.to_string(), "python:gbk has no '€' (U+20AC)");
    /// # Ok::<(), socketry_transport::TextError>(())
    /// ```
    ///
    /// # Errors
    /// [`TextError::UnknownEncoding`] for a name that CPython does not know, and for a codec of
    /// CPython's that this library lacks.
    pub fn python(label: &str) -> Result<Self, TextError> {
        python::named(label).ok_or_else(|| TextError::UnknownEncoding {
            label: label.to_owned(),
        })
    }

    /// Whether ASCII characters are the same bytes in it, and no other text has ASCII bytes only.
    /// That is true of all encodings but UTF-16 and ISO-2022-JP. Only in such an encoding can bytes
    /// prove that they are *not* UTF-8.
    pub fn extends_ascii(self) -> bool {
        match self.0 {
            Kind::Table(table) => table.is_ascii_compatible(),
            Kind::Utf16(_) | Kind::MarkedUtf8 => false,
            Kind::Python(codec) => codec.extends_ascii(),
        }
    }

    /// UTF-8 with a byte order mark.
    pub(super) const UTF_8_SIG: Encoding = Encoding(Kind::MarkedUtf8);

    /// The encoding of a text that continues another, where no byte order mark belongs.
    pub(super) fn continued(self) -> Self {
        match self.0 {
            Kind::Utf16(Order::Marked) => Encoding(Kind::Utf16(Order::Little)),
            Kind::MarkedUtf8 => Encoding::UTF_8,
            _ => self,
        }
    }

    /// Whether a decoder of a stream takes this character for a byte order mark, in either order of
    /// its bytes.
    pub(super) fn is_mark(self, character: char) -> bool {
        match self.0 {
            Kind::Utf16(Order::Marked) => matches!(character, '\u{feff}' | '\u{fffe}'),
            Kind::MarkedUtf8 => character == '\u{feff}',
            _ => false,
        }
    }
}

impl Default for Encoding {
    fn default() -> Self {
        Encoding::UTF_8
    }
}

impl FromStr for Encoding {
    type Err = TextError;

    fn from_str(label: &str) -> Result<Self, TextError> {
        let folded = label.trim_ascii().to_ascii_lowercase();
        if let Some(name) = folded.strip_prefix("python:") {
            return Encoding::python(name);
        }
        let dashed = label.trim_ascii().to_ascii_lowercase().replace('_', "-");
        match &*dashed {
            "utf-16" | "utf16" => return Ok(Encoding::UTF_16),
            "utf-8-sig" => return Ok(Encoding::UTF_8_SIG),
            "utf-16-le" => return Ok(Encoding(Kind::Utf16(Order::Little))),
            "utf-16-be" => return Ok(Encoding(Kind::Utf16(Order::Big))),
            _ => (),
        }
        if let Some(itself) = python::itself(&folded) {
            return Ok(itself);
        }
        // The label as it was written comes first: some have an underscore, such as "shift_jis".
        let found = [label, &dashed]
            .into_iter()
            .find_map(|label| encoding_rs::Encoding::for_label_no_replacement(label.as_bytes()));
        match found {
            Some(found) if found == encoding_rs::UTF_16LE => {
                Ok(Encoding(Kind::Utf16(Order::Little)))
            }
            Some(found) if found == encoding_rs::UTF_16BE => Ok(Encoding(Kind::Utf16(Order::Big))),
            Some(found) => Ok(Encoding(Kind::Table(found))),
            None => Encoding::python(label),
        }
    }
}

impl TryFrom<&str> for Encoding {
    type Error = TextError;

    fn try_from(label: &str) -> Result<Self, TextError> {
        label.parse()
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Table(table) => f.pad(&table.name().to_ascii_lowercase()),
            Kind::Utf16(Order::Little) => f.pad("utf-16le"),
            Kind::Utf16(Order::Big) => f.pad("utf-16be"),
            Kind::Utf16(Order::Marked) => f.pad("utf-16"),
            Kind::MarkedUtf8 => f.pad("utf-8-sig"),
            Kind::Python(codec) => f.pad(codec.name()),
        }
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoding({self})")
    }
}

#[cfg(feature = "serde")]
impl Serialize for Encoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "serde")]
impl<'de> Deserialize<'de> for Encoding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let label = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        label.parse().map_err(serde::de::Error::custom)
    }
}
