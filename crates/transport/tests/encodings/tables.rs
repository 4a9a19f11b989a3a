//! The tables of differences in `src/text/python/tables.rs`, as the CPython of this machine makes
//! them.

use std::fmt::Write;

use encoding_rs::Encoding;

use crate::cpython::{ALL, CODECS, Codec, PLAIN, bytes, python};

/// Prints each name and spelling of a codec, and the codec.
const NAMES: &str = r"
import codecs, encodings.aliases, sys
for codec in sys.argv[1:]:
    names = {a for a, c in encodings.aliases.aliases.items() if c == codec} | {codec}
    names |= {codecs.lookup(codec).name.replace('-', '_')}
    for name in names: print(name.lower(), codec)
";

/// Each name that CPython knows for a codec that is ours, as it normalizes them.
pub(crate) fn names() -> Vec<(String, String)> {
    let codecs = CODECS.map(|(name, ..)| name);
    let codecs = codecs.into_iter().chain(PLAIN.map(|(name, _)| name));
    let arguments: Vec<String> = codecs.map(str::to_owned).collect();
    let mut names: Vec<(String, String)> = python(NAMES, &arguments)
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, codec)| (name.to_owned(), codec.to_owned()))
        .collect();
    names.sort();
    names
}

type Range = (u32, u32, u32);

/// What encoding_rs has for it: the two-byte characters of ISO-2022-JP are those of EUC-JP.
fn base(codec: &Codec) -> &'static Encoding {
    let label = if codec.units == "iso2022" {
        "euc-jp"
    } else {
        codec.like
    };
    Encoding::for_label(label.as_bytes()).unwrap()
}

fn decode(codec: &Codec) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    let mut grows = false;
    for sequence in codec.sequences() {
        // Longer ones are Hangul in parts, which need no table.
        let Ok(at) = u32::try_from(sequence) else {
            continue;
        };
        let theirs = codec.decode.get(&sequence).copied();
        let sent = bytes(sequence);
        let ours = base(codec).decode_without_bom_handling_and_without_replacement(&sent);
        let ours = ours
            .as_deref()
            .map(|text| (text.chars().next(), text.chars().count()));
        if ours == theirs.map(|meaning| (Some(meaning), 1)) {
            // What neither reads does not end a range that is refused.
            grows &= theirs.is_none();
            continue;
        }
        let meaning = theirs.map_or(0, u32::from);
        match ranges.last_mut() {
            Some((first, last, 0)) if meaning == 0 && grows && same_length(*first, at) => {
                *last = at;
            }
            Some(range) if meaning != 0 && range.2 != 0 && continues(range, at, meaning) => {
                range.1 = at;
            }
            _ => ranges.push((at, at, meaning)),
        }
        grows = true;
    }
    ranges
}

fn same_length(one: u32, other: u32) -> bool {
    one.leading_zeros() / 8 == other.leading_zeros() / 8
}

fn continues((first, last, value): &Range, at: u32, meaning: u32) -> bool {
    last + 1 == at && value + (at - first) == meaning
}

fn encode(codec: &Codec) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    let mut sent: Vec<_> = codec.encode.iter().collect();
    sent.sort();
    for (character, sequence) in sent {
        let mut text = [0; 4];
        let (ours, _, lacking) = base(codec).encode(character.encode_utf8(&mut text));
        // JIS X 0212 and Hangul in parts need no table.
        let needs = codec.units != "eucjp" || *sequence <= 0xffff;
        let sequence = u32::try_from(*sequence).ok().filter(|_| needs);
        let Some(sequence) = sequence.filter(|code| lacking || *ours != *bytes(u64::from(*code)))
        else {
            continue;
        };
        let character = u32::from(*character);
        match ranges.last_mut() {
            Some(range) if continues(range, character, sequence) => range.1 = character,
            _ => ranges.push((character, character, sequence)),
        }
    }
    ranges
}

fn write_ranges(out: &mut String, ranges: &[Range]) {
    let mut line = String::new();
    for (first, last, value) in ranges {
        let range = format!("({first:#x}, {last:#x}, {value:#x}), ");
        if line.len() + range.len() > 88 {
            writeln!(out, "            {}", line.trim_end()).unwrap();
            line.clear();
        }
        line += &range;
    }
    if !line.is_empty() {
        writeln!(out, "            {}", line.trim_end()).unwrap();
    }
}

/// The source, and the codecs that have a table.
pub(crate) fn source() -> (String, Vec<&'static str>) {
    let mut out = String::from(
        "//! How CPython's codecs differ from encoding_rs.\n\
         //!\n\
         //! `UPDATE_TABLES=1 cargo test -p socketry-transport --test encodings` writes this file:\n\
         //! it asks CPython about each sequence of bytes and each character.\n\n\
         use super::{Table, Units};\n\n\
         pub(super) static TABLES: &[Table] = &[\n",
    );
    let mut different = Vec::new();
    for (codec, (name, ..)) in ALL.iter().zip(CODECS) {
        let (decode, encode) = (decode(codec), encode(codec));
        if decode.is_empty() && encode.is_empty() && codec.units != "iso2022" {
            continue;
        }
        different.push(name);
        let units = match codec.units {
            "one" => "One",
            "two" => "Two",
            "euckr" => "EucKr",
            "sjis" => "ShiftJis",
            "eucjp" => "EucJp",
            "gb18030" => "Gb18030",
            _ => "Iso2022Jp",
        };
        let base = base(codec).name().to_ascii_uppercase().replace('-', "_");
        writeln!(
            out,
            "    Table {{\n        name: \"python:{name}\",\n        base: encoding_rs::{base},\n        units: Units::{units},\n        decode: &["
        )
        .unwrap();
        write_ranges(&mut out, &decode);
        out += "        ],\n        encode: &[\n";
        write_ranges(&mut out, &encode);
        out += "        ],\n    },\n";
    }
    out += "];\n\n/// Each name that CPython knows, and its codec; or the encoding that is the same.\n";
    out += "pub(super) static NAMES: &[(&str, &str)] = &[\n";
    for (name, codec) in names() {
        let like = CODECS
            .iter()
            .map(|(name, _, like)| (*name, *like))
            .chain(PLAIN);
        let like = like.into_iter().find(|(name, _)| *name == codec).unwrap().1;
        let target = if different.contains(&&*codec) {
            &codec
        } else {
            like
        };
        writeln!(out, "    (\"{name}\", \"{target}\"),").unwrap();
    }
    out += "];\n";
    (out, different)
}

#[test]
fn the_tables_are_what_cpython_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/text/python/tables.rs");
    let (source, _) = source();
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(path, source).unwrap();
        return;
    }
    // Names come and go with CPython's versions; tables do not.
    let tables = |source: &str| source.split("/// Each name").next().unwrap().to_owned();
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        tables(&written) == tables(&source),
        "stale: UPDATE_TABLES=1 writes them"
    );
}
