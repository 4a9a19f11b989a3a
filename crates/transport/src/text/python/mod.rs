//! CPython's codecs where they differ from the WHATWG standard's encodings: encoding_rs, and tables
//! of the differences.

mod decode;
mod encode;
mod hangul;
#[rustfmt::skip]
mod tables;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;

use std::collections::HashMap;
use std::sync::LazyLock;

use encoding_rs::DecoderResult;

use super::Encoding;
use super::encoding::Kind;

/// One of CPython's codecs, by its number in [`tables::TABLES`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Codec(usize);

/// How a codec differs from an encoding of encoding_rs.
struct Table {
    /// `python:` and CPython's name of it.
    name: &'static str,
    base: &'static encoding_rs::Encoding,
    units: Units,
    /// Ranges of byte sequences (first and last), each with the first of as many characters that
    /// they mean, or with 0 where CPython refuses them.
    decode: &'static [(u32, u32, u32)],
    /// Ranges of characters (first and last), each with the first of as many byte sequences that
    /// CPython writes for them.
    encode: &'static [(u32, u32, u32)],
}

/// How many bytes a character has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Units {
    /// One byte.
    One,
    /// Two bytes, of which the first is above ASCII.
    Two,
    ShiftJis,
    EucJp,
    /// Two bytes, or eight for a Hangul syllable that is written in parts.
    EucKr,
    Gb18030,
    /// Escape sequences choose between ASCII and the two-byte characters of EUC-JP, without their
    /// high bits.
    Iso2022Jp,
}

impl Units {
    /// How many bytes the first character of `bytes` has, which may be more than there are. `None`
    /// if there are too few bytes to tell.
    fn len(self, bytes: &[u8]) -> Option<usize> {
        let first = *bytes.first()?;
        Some(match (self, first) {
            (Units::One, _) | (_, ..0x80) => 1,
            (Units::ShiftJis, 0x80 | 0xa0..=0xdf | 0xfd..) => 1,
            (Units::EucJp, 0x8f) => 3,
            (Units::EucKr, 0xa4) => match bytes.get(1)? {
                0xd4 => hangul::LEN,
                _ => 2,
            },
            (Units::Gb18030, 0x81..=0xfe) => match bytes.get(1)? {
                b'0'..=b'9' => 4,
                _ => 2,
            },
            (_, 0x80 | 0xff) => 1,
            _ => 2,
        })
    }
}

impl Codec {
    fn table(self) -> &'static Table {
        &tables::TABLES[self.0]
    }

    pub(super) fn name(self) -> &'static str {
        self.table().name
    }

    pub(super) fn extends_ascii(self) -> bool {
        self.table().units != Units::Iso2022Jp
    }
}

impl Table {
    /// Appends the character that a whole unit means, and says whether it means one.
    fn read(&self, unit: &[u8], out: &mut String) -> bool {
        if self.units == Units::EucKr && unit.len() > 1 && unit[..2] == hangul::FILLER {
            let syllable = hangul::composed(unit);
            out.extend(syllable);
            return syllable.is_some();
        }
        let code = unit
            .iter()
            .fold(0, |code, byte| code << 8 | u32::from(*byte));
        if let Some(meaning) = looked_up(self.decode, code) {
            let character = char::from_u32(meaning).filter(|_| meaning != 0);
            out.extend(character);
            return character.is_some();
        }
        let mut text = [0; 16];
        let mut decoder = self.base.new_decoder_without_bom_handling();
        let (result, _, len) = decoder.decode_to_utf8_without_replacement(unit, &mut text, true);
        out.push_str(std::str::from_utf8(&text[..len]).unwrap_or_default());
        result == DecoderResult::InputEmpty
    }

    /// Appends the bytes that CPython reads back as this character, and says whether there are any.
    fn write(&self, character: char, out: &mut Vec<u8>) -> bool {
        let begin = out.len();
        if let Some(code) = looked_up(self.encode, character.into()) {
            let bytes = code.to_be_bytes();
            out.extend(bytes.iter().skip_while(|byte| **byte == 0));
        } else {
            let mut bytes = [0; 8];
            let mut encoder = self.base.new_encoder();
            let mut text = [0; 4];
            let text = &*character.encode_utf8(&mut text);
            let (_, _, len) = encoder.encode_from_utf8_without_replacement(text, &mut bytes, true);
            out.extend_from_slice(&bytes[..len]);
        }
        if self.reads(&out[begin..], character) {
            return true;
        }
        out.truncate(begin);
        match self.units {
            Units::EucJp => out.extend(jis_x_0212(character).into_iter().flatten()),
            Units::EucKr => out.extend(hangul::parts(character).into_iter().flatten()),
            _ => (),
        }
        let reads = self.reads(&out[begin..], character);
        if !reads {
            out.truncate(begin);
        }
        reads
    }

    fn reads(&self, unit: &[u8], character: char) -> bool {
        let mut back = String::new();
        !unit.is_empty() && self.read(unit, &mut back) && back.chars().eq([character])
    }
}

/// The bytes of a character in EUC-JP that the standard decodes and does not encode.
fn jis_x_0212(character: char) -> Option<[u8; 3]> {
    static BYTES: LazyLock<HashMap<char, [u8; 3]>> = LazyLock::new(|| {
        let all = (0xa1..=0xfe).flat_map(|a| (0xa1..=0xfe).map(move |b| [0x8f, a, b]));
        let read = |bytes: [u8; 3]| {
            let text =
                encoding_rs::EUC_JP.decode_without_bom_handling_and_without_replacement(&bytes);
            Some((text?.chars().next()?, bytes))
        };
        all.filter_map(read).collect()
    });
    BYTES.get(&character).copied()
}

/// The value for `code` in ranges that are in order. A value of 0 is for all codes of its range.
fn looked_up(ranges: &[(u32, u32, u32)], code: u32) -> Option<u32> {
    let at = ranges.partition_point(|(_, last, _)| *last < code);
    let (first, _, value) = ranges.get(at).filter(|(first, ..)| *first <= code)?;
    Some(if *value == 0 {
        0
    } else {
        value + (code - first)
    })
}

/// CPython's codec of this name, if it is one of ours.
pub(super) fn named(label: &str) -> Option<Encoding> {
    let codec = codec(label)?;
    // A codec without a table is the same as an encoding of the standard.
    with_table(codec).or_else(|| codec.parse().ok())
}

/// The codecs whose names the standard gives to supersets, in which 0x80 to 0x9F are other
/// characters.
const THEMSELVES: [&str; 4] = ["ascii", "latin_1", "iso8859_9", "iso8859_11"];

/// The codec of a name for which the standard would take an encoding whose bytes differ silently.
pub(super) fn itself(label: &str) -> Option<Encoding> {
    codec(label)
        .filter(|codec| THEMSELVES.contains(codec))
        .and_then(with_table)
}

fn codec(label: &str) -> Option<&'static str> {
    let name = normalized(label);
    let at = tables::NAMES.binary_search_by_key(&&*name, |(name, _)| name);
    at.ok().map(|at| tables::NAMES[at].1)
}

fn with_table(codec: &str) -> Option<Encoding> {
    let mut tables = tables::TABLES.iter();
    let number = tables.position(|table| table.name.strip_prefix("python:") == Some(codec))?;
    Some(Encoding(Kind::Python(Codec(number))))
}

/// A name as CPython looks it up: letters in lower case, and one underscore between words.
fn normalized(label: &str) -> String {
    let mut name = String::new();
    for c in label.trim_ascii().chars() {
        if c.is_ascii_alphanumeric() || c == '.' {
            name.push(c.to_ascii_lowercase());
        } else if !name.ends_with('_') {
            name.push('_');
        }
    }
    name
}

/// The name of our encoding that is nearest to a codec of CPython that we lack.
pub(super) fn nearest(label: &str) -> Option<&'static str> {
    let name = normalized(label);
    let families = [
        (&["hz"][..], "gbk"),
        (
            &["iso2022_kr", "iso_2022_kr", "iso2022kr", "csiso2022kr"],
            "euc-kr",
        ),
        (&["johab", "cp1361", "ms1361"], "euc-kr"),
        (&["iso2022_jp", "iso_2022_jp", "iso2022jp"], "iso-2022-jp"),
        (&["shift_jis", "shiftjis", "sjis", "s_jis"], "shift_jis"),
        (&["euc_jis", "eucjis", "jisx0213"], "euc-jp"),
        (&["utf_32", "utf32", "u32"], "utf-16"),
        (&["mac"], "macintosh"),
        (
            &[
                "cp1125", "1125", "ibm1125", "cp866u", "ruscii", "cp855", "855", "ibm855",
                "csibm855",
            ],
            "ibm866",
        ),
        (&["koi8"], "koi8-u"),
        (
            &[
                "kz1048",
                "kz_1048",
                "rk1048",
                "strk1048",
                "ptcp154",
                "csptcp154",
                "pt154",
                "cp154",
                "cyrillic_asian",
            ],
            "windows-1251",
        ),
        (&["utf", "unicode", "u7"], "utf-8"),
        (&["r8", "0", "1", "2", "4", "5", "7", "8"], "windows-1252"),
        (
            &[
                "cp",
                "ibm",
                "csibm",
                "cspc",
                "ebcdic",
                "hp_roman8",
                "roman8",
                "cshproman8",
            ],
            "windows-1252",
        ),
    ];
    let like = |(begins, _): &&(&[&str], _)| begins.iter().any(|begin| name.starts_with(begin));
    families.iter().find(like).map(|(_, nearest)| *nearest)
}
