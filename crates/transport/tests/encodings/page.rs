//! `docs/encodings.md`: how many characters differ, each way.

use std::fmt::Write;

use socketry_transport::Encoding;
use socketry_transport::TextPolicy::{Replace, Strict};

use crate::cpython::{ALL, Codec};

const ABOVE: &str = "\
# Encodings, ours and CPython's

<!-- written by `UPDATE_DOCS=1 cargo test -p socketry-transport --test encodings`, which asks CPython -->

Encodings without a prefix are those of the WHATWG standard, which browsers use. CPython's codecs of
the same name often have fewer characters. For a peer in Python it is best to use the prefix:
`--encoding python:gbk`, or `Encoding::python(\"gbk\")`. CPython's codec reads all text that is sent
with it, and all text that CPython writes is read. With the prefix there are no differences: a test
compares every sequence of bytes and every character.

Without the prefix, each row counts characters in all of Unicode:

* **sent, refused**: ours encodes the character (and decodes it again), but CPython's codec does not
  decode the bytes.
* **sent, another**: CPython's codec takes the bytes for another character, silently.
* **received, refused** and **received, another**: the same for characters that CPython encodes (and
  decodes again) and ours decodes.

| CPython's codec | ours | sent, refused | sent, another | received, refused | received, another |
|---|---|--:|--:|--:|--:|
";

const BETWEEN: &str = "
## Which characters

At most twelve ranges of each kind; for those that are taken for another, with the first other one.
";

const BELOW: &str = "
## Names

A name of the standard means the standard's encoding, with `_` and `-` alike. There are four
exceptions, for which the standard's encoding would silently have other characters at 0x80 to 0x9F:
`iso-8859-1` (`latin1`, `latin-1`, …), `iso-8859-9`, `iso-8859-11` and `ascii` are themselves, as in
Python. A name that only Python has (`cp936`, `cp950`, `ujis`, `iso2022_jp`) means Python's codec.
`cp949` and `uhc` are exactly the standard's `euc-kr`. `big5hkscs` means the standard's `big5`.

Python's `euc_kr` writes Hangul that KS X 1001 lacks in eight bytes, from its parts. The standard
reads them as four jamo. `python:euc_kr` reads and writes them.
";

/// Characters, each with what it is taken for.
type Kind = Vec<(char, Option<char>)>;

/// What is sent and refused, sent and another, received and refused, received and another.
fn differences(codec: &Codec) -> [Kind; 4] {
    let ours: Encoding = codec.like.parse().unwrap();
    let mut kinds = [const { Vec::new() }; 4];
    let all = codec.characters();
    let lines: String = all.clone().flat_map(|c| [c, '\n']).collect();
    let sent = ours.encode(&lines, Replace).unwrap();
    let back = ours.decode(&sent, Strict).unwrap();
    let lines = sent.split(|byte| *byte == b'\n').zip(back.split('\n'));
    for (character, (line, back)) in all.zip(lines) {
        if !back.chars().eq([character])
            || (codec.units == "iso2022" && !line.starts_with(b"\x1b$B"))
        {
            continue;
        }
        let code = match codec.units {
            "iso2022" => line[3..5]
                .iter()
                .fold(0, |code, byte| code << 8 | u64::from(byte | 0x80)),
            _ => line
                .iter()
                .fold(0, |code, byte| code << 8 | u64::from(*byte)),
        };
        match codec.decode.get(&code) {
            Some(same) if *same == character => (),
            Some(another) => kinds[1].push((character, Some(*another))),
            None => kinds[0].push((character, None)),
        }
    }
    let mut encoded: Vec<_> = codec.encode.iter().collect();
    encoded.sort_unstable();
    encoded.retain(|(character, _)| **character != '\n');
    let mut received = Vec::new();
    for (_, code) in &encoded {
        received.extend_from_slice(&codec.on_the_wire(**code));
        if codec.units == "iso2022" {
            received.extend_from_slice(b"\x1b(B");
        }
        received.push(b'\n');
    }
    let received = ours.decode(&received, Replace).unwrap();
    for ((character, _), read) in encoded.iter().zip(received.split('\n')) {
        if read.contains(char::REPLACEMENT_CHARACTER) {
            kinds[2].push((**character, None));
        } else if !read.chars().eq([**character]) {
            kinds[3].push((**character, read.chars().next()));
        }
    }
    kinds
}

fn shown(character: char) -> String {
    let code = format!("U+{:04X}", u32::from(character));
    if character.is_alphanumeric() || "€¥‾−～〜‖∥¢£¬–—•·※".contains(character)
    {
        format!("{character} ({code})")
    } else {
        code
    }
}

fn ranges(kind: &Kind) -> String {
    let mut ranges: Vec<(char, char, Option<char>)> = Vec::new();
    for (character, another) in kind {
        match ranges.last_mut() {
            Some((_, last, _)) if u32::from(*last) + 1 == u32::from(*character) => {
                *last = *character;
            }
            _ => ranges.push((*character, *character, *another)),
        }
    }
    let more = if ranges.len() > 12 { ", …" } else { "" };
    let words = ranges.iter().take(12).map(|(first, last, another)| {
        let to = if first == last {
            String::new()
        } else {
            format!(" to {}", shown(*last))
        };
        let taken = another.map_or_else(String::new, |another| format!(" as {}", shown(another)));
        format!("{}{to}{taken}", shown(*first))
    });
    words.collect::<Vec<_>>().join(", ") + more
}

fn page() -> String {
    let mut page = ABOVE.to_owned();
    let mut named = BETWEEN.to_owned();
    for codec in ALL.iter() {
        let kinds = differences(codec);
        let [one, two, three, four] = kinds.each_ref().map(Vec::len);
        writeln!(
            page,
            "| {} | {} | {one} | {two} | {three} | {four} |",
            codec.name, codec.like
        )
        .unwrap();
        if kinds.iter().all(Vec::is_empty) {
            continue;
        }
        writeln!(named, "\n**{}**\n", codec.name).unwrap();
        let titles = [
            "sent, refused",
            "sent, another",
            "received, refused",
            "received, another",
        ];
        for (title, kind) in titles
            .iter()
            .zip(&kinds)
            .filter(|(_, kind)| !kind.is_empty())
        {
            writeln!(named, "* {title}: {}", ranges(kind)).unwrap();
        }
    }
    page + &named + BELOW
}

#[test]
fn the_page_of_encodings_is_what_cpython_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/encodings.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page).unwrap();
        return;
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page,
        "docs/encodings.md is stale: UPDATE_DOCS=1 writes it"
    );
}
