//! All of Unicode and all sequences of bytes, through `python:` encodings.

use socketry_transport::TextPolicy::{Replace, Strict};
use socketry_transport::{Encoding, TextDecoder};

use crate::cpython::{ALL, Codec};

fn ours(codec: &Codec) -> Encoding {
    Encoding::python(&codec.name).unwrap()
}

#[test]
fn every_sequence_of_bytes_means_what_it_means_to_cpython() {
    for codec in ALL.iter() {
        let mut decoder = TextDecoder::new(ours(codec), Strict);
        let mut text = String::new();
        for sequence in codec.sequences() {
            let theirs = codec.decode.get(&sequence).copied();
            // What else may follow an error is another matter.
            let read = decoder.decode(&codec.on_the_wire(sequence), true, &mut text);
            let read = read.is_ok().then(|| text.chars().next()).flatten();
            assert_eq!(read, theirs, "{} {sequence:#x}", codec.name);
            if read.is_none() {
                decoder = TextDecoder::new(ours(codec), Strict);
            }
            text.clear();
        }
    }
}

#[test]
fn every_character_is_encoded_as_cpython_reads_it_back() {
    for codec in ALL.iter() {
        // A line feed returns to ASCII, so that each line stands alone.
        let all = codec.characters();
        let lines: String = all.clone().flat_map(|c| [c, '\n']).collect();
        let bytes = ours(codec).encode(&lines, Replace).unwrap();
        let mut lines = bytes.split(|byte| *byte == b'\n');
        for character in all.clone() {
            let line = lines.next().unwrap();
            let theirs = codec
                .encode
                .get(&character)
                .map(|code| codec.on_the_wire(*code));
            if character.is_ascii() || (codec.units == "iso2022" && "¥‾".contains(character)) {
                continue;
            }
            let line = line.strip_suffix(b"\x1b(B").unwrap_or(line);
            let theirs = theirs.as_deref().unwrap_or(b"?");
            assert_eq!(line, theirs, "{} {character:?}", codec.name);
        }
    }
}
