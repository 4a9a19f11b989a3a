//! Text: every encoding at every split point, and `encoding_rs` decoding the whole as the judge.

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use socketry_transport::TextPolicy::{Detect, Replace, Strict};
use socketry_transport::{Encoding, TextDecoder, TextEncoder, TextError, TextPolicy};

/// Every encoding that can be spoken.
#[rustfmt::skip]
const ALL: [&str; 41] = [
    "utf-8", "utf-8-sig", "ibm866", "iso-8859-2", "iso-8859-3", "iso-8859-4", "iso-8859-5",
    "iso-8859-6", "iso-8859-7", "iso-8859-8", "iso-8859-8-i", "iso-8859-10", "iso-8859-13",
    "iso-8859-14", "iso-8859-15", "iso-8859-16",
    "koi8-r", "koi8-u", "macintosh", "windows-874", "windows-1250", "windows-1251", "windows-1252",
    "windows-1253", "windows-1254", "windows-1255", "windows-1256", "windows-1257", "windows-1258",
    "x-mac-cyrillic", "gbk", "gb18030", "big5", "euc-jp", "iso-2022-jp", "shift_jis", "euc-kr",
    "utf-16le", "utf-16be", "utf-16", "x-user-defined",
];

fn enc(label: &str) -> Encoding {
    label.parse().unwrap()
}

/// The encoding as `encoding_rs` has it; it has none with marks.
fn table(label: &str) -> Option<&'static encoding_rs::Encoding> {
    (!["utf-16", "utf-8-sig"].contains(&label))
        .then(|| encoding_rs::Encoding::for_label(label.as_bytes()).unwrap())
}

/// Characters to try: those of a table of 256, those that are folded somewhere, and a sample of all
/// others, which is coarser where a search takes longer.
fn characters(label: &str) -> Vec<char> {
    let mut own = FOLDED.to_owned();
    let step = match table(label) {
        Some(table) if table.is_single_byte() => {
            let bytes: Vec<u8> = (0..=u8::MAX).collect();
            own.push_str(&table.decode_without_bom_handling(&bytes).0);
            29
        }
        Some(table) if table != encoding_rs::UTF_8 => 13,
        _ => 1,
    };
    own.extend(('\0'..='\u{ffff}').step_by(step));
    own.extend(('\u{10000}'..=char::MAX).step_by(4999));
    let mut characters: Vec<char> = own.chars().collect();
    characters.sort_unstable();
    characters.dedup();
    characters
}

/// The characters that an encoding has, each with what arrives.
type Repertoire = Vec<(char, char)>;

static REPERTOIRES: LazyLock<Vec<(&str, Repertoire)>> =
    LazyLock::new(|| ALL.map(|label| (label, repertoire(label))).to_vec());

fn repertoire(label: &str) -> Repertoire {
    let encoding = enc(label);
    // At once, since a million calls take long: whatever is lacking arrives as a question mark.
    let mut sent = characters(label);
    if table(label).is_none() {
        // In a stream these are marks.
        sent.retain(|c| !matches!(c, '\u{feff}' | '\u{fffe}'));
    }
    let text: String = sent.iter().collect();
    let arrived = encoding.encode(&text, Replace).unwrap();
    let arrived: Vec<char> = encoding.decode(&arrived, Strict).unwrap().chars().collect();
    assert_eq!(arrived.len(), sent.len(), "{label}: one for one");
    let pairs = sent.into_iter().zip(arrived);
    pairs
        .filter(|(sent, arrived)| *arrived != '?' || *sent == '?')
        .collect()
}

/// A label, and a text of characters that its encoding has.
fn spoken() -> impl Strategy<Value = (&'static str, String)> {
    let text = (0..ALL.len(), vec(any::<Index>(), 0..24));
    text.prop_map(|(which, picks)| {
        let (label, own) = &REPERTOIRES[which];
        let arrived = |pick: &Index| pick.get(own).1;
        (*label, picks.iter().map(arrived).collect())
    })
}

/// What a decoder makes of these pieces: the text, and what was wrong.
fn decoded(encoding: Encoding, policy: TextPolicy, pieces: &[&[u8]]) -> (String, Vec<TextError>) {
    let mut decoder = TextDecoder::new(encoding, policy);
    let (mut text, mut errors) = (String::new(), Vec::new());
    let last = pieces.len().saturating_sub(1);
    for (number, piece) in pieces.iter().enumerate() {
        let mut piece = *piece;
        while let Err(error) = decoder.decode(piece, number == last, &mut text) {
            errors.push(error);
            piece = &[];
        }
    }
    (text, errors)
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|ends| &bytes[ends[0]..ends[1]])
        .collect()
}

/// Bytes of which some are the beginnings of characters in some encoding.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let telling = b"\x1b$B(J@a~\x81\x30\x8e\x8f\xa1\xb0\xc4\xe3\xf0\x9f\xd8\xdc\xfe\xff\x00";
    let byte = prop_oneof![
        3 => select(&telling[..]),
        1 => any::<u8>(),
    ];
    vec(byte, 0..40)
}

/// Some of those that [`arrives_as_another`] knows.
const FOLDED: &str = "¥‾−\u{ff61}\u{ff70}\u{ff9f}\u{e78d}\u{e796}\u{e81e}\u{e864}";

/// The characters that arrive as others, as the WHATWG standard has it: the yen sign and the
/// overline share their bytes with ASCII in Japan, half-width kana become full-width, and of
/// private characters GB 18030 gave some away to Unicode's own.
fn arrives_as_another(label: &str, sent: char, arrived: char) -> bool {
    match (label, sent) {
        ("shift_jis" | "euc-jp", '¥') => arrived == '\\',
        ("shift_jis" | "euc-jp", '‾') => arrived == '~',
        ("shift_jis" | "euc-jp" | "iso-2022-jp", '−') => arrived == '－',
        ("iso-2022-jp", '\u{ff61}'..='\u{ff9f}') => ('\u{3001}'..='\u{30fc}').contains(&arrived),
        ("gbk" | "gb18030", '\u{e78d}'..='\u{e796}') => {
            ('\u{fe10}'..='\u{fe19}').contains(&arrived)
        }
        ("gbk" | "gb18030", '\u{e81e}'..='\u{e864}') => {
            ('\u{9fb4}'..='\u{9fbb}').contains(&arrived)
        }
        _ => false,
    }
}

#[test]
fn every_character_arrives_as_itself_or_is_one_that_the_standard_folds() {
    for (label, own) in REPERTOIRES.iter() {
        for (sent, arrived) in own.iter().filter(|(sent, arrived)| sent != arrived) {
            let known = arrives_as_another(label, *sent, *arrived);
            assert!(known, "{label}: {sent:?} arrives as {arrived:?}");
            let strict = enc(label)
                .encode(sent.encode_utf8(&mut [0; 4]), Strict)
                .is_err();
            assert!(strict, "{label}: {sent:?} is sent as {arrived:?}");
        }
    }
}

#[test]
fn strict_refuses_what_would_come_back_as_another_in_all_of_unicode() {
    let all: String = ('\0'..=char::MAX).collect();
    for label in [
        "shift_jis",
        "euc-jp",
        "iso-2022-jp",
        "gbk",
        "gb18030",
        "big5",
        "euc-kr",
    ] {
        let arrived = enc(label).encode(&all, Replace).unwrap();
        let arrived = enc(label).decode(&arrived, Strict).unwrap();
        assert_eq!(
            arrived.chars().count(),
            all.chars().count(),
            "{label}: one for one"
        );
        let others = all
            .chars()
            .zip(arrived.chars())
            .filter(|(sent, arrived)| sent != arrived);
        for (sent, arrived) in others.filter(|(_, arrived)| *arrived != '?') {
            let refused = enc(label)
                .encode(sent.encode_utf8(&mut [0; 4]), Strict)
                .is_err();
            assert!(refused, "{label}: {sent:?} is sent as {arrived:?}");
        }
    }
}

/// What two escape sequences in a row come to: the second.
fn without_empty_escapes(bytes: &[u8]) -> Vec<u8> {
    let escape = |at: &[u8]| {
        matches!(
            at,
            [0x1b, b'(', b'B' | b'I' | b'J', ..] | [0x1b, b'$', b'@' | b'B', ..]
        )
    };
    let mut kept = Vec::new();
    let mut rest = bytes;
    while let [first, others @ ..] = rest {
        if escape(rest) && escape(&rest[3..]) {
            rest = &rest[3..];
        } else {
            kept.push(*first);
            rest = others;
        }
    }
    kept
}

const UTF_16_MARKS: [&[u8]; 3] = [b"", b"\xff\xfe", b"\xfe\xff"];

/// Units of UTF-16, in the order of the last mark, of which none is text.
fn utf_16(bytes: &[u8]) -> String {
    let (mut text, mut run) = (String::new(), Vec::new());
    let mut order: fn([u8; 2]) -> u16 = u16::from_le_bytes;
    let (units, odd) = bytes.as_chunks();
    for unit in units {
        let marked = match unit {
            [0xff, 0xfe] => u16::from_le_bytes,
            [0xfe, 0xff] => u16::from_be_bytes,
            _ => {
                run.push(order(*unit));
                continue;
            }
        };
        text.push_str(&String::from_utf16_lossy(&run));
        run.clear();
        order = marked;
    }
    text.push_str(&String::from_utf16_lossy(&run));
    // The first half of a pair and half a unit behind it are one error.
    let halved = run
        .last()
        .is_some_and(|unit| (0xd800..0xdc00).contains(unit));
    if !odd.is_empty() && !halved {
        text.push('\u{fffd}');
    }
    text
}

#[test]
fn what_an_encoding_lacks_is_refused_and_named() {
    for (label, own) in REPERTOIRES.iter() {
        let has = |c: &char| own.binary_search_by_key(c, |(sent, _)| *sent).is_ok();
        for character in characters(label).into_iter().step_by(11) {
            if has(&character) || matches!(character, '\u{feff}' | '\u{fffe}') {
                continue;
            }
            let error = enc(label)
                .encode(&format!("a{character}b"), Strict)
                .unwrap_err();
            let encoding = enc(label);
            assert_eq!(
                error,
                TextError::Unencodable {
                    character,
                    encoding
                }
            );
        }
    }
}

proptest! {
    #[test]
    fn a_text_arrives_whatever_the_cut((label, text) in spoken()) {
        let sent = enc(label).encode(&text, Strict).unwrap();
        for policy in [Strict, Replace] {
            for at in 0..=sent.len() {
                let (head, tail) = sent.split_at(at);
                let arrived = decoded(enc(label), policy, &[head, tail]);
                prop_assert_eq!(&arrived, &(text.clone(), vec![]), "{} cut at {}", label, at);
            }
            let single: Vec<&[u8]> = sent.chunks(1).chain([&[][..]]).collect();
            let arrived = decoded(enc(label), policy, &single);
            prop_assert_eq!(arrived, (text.clone(), vec![]), "{}", label);
        }
    }

    #[test]
    fn replacing_is_what_encoding_rs_makes_of_the_whole(
        label in select(&ALL[..]),
        bytes in bytes(),
        cuts in vec(any::<Index>(), 0..5),
    ) {
        let Some(table) = table(label) else { return Ok(()) };
        let theirs = match label {
            "iso-2022-jp" => without_empty_escapes(&bytes),
            _ => bytes.clone(),
        };
        let (whole, bad) = table.decode_without_bom_handling(&theirs);
        let (text, errors) = decoded(enc(label), Replace, &pieces(&bytes, &cuts));
        prop_assert_eq!(&*text, &*whole, "{}", label);
        prop_assert!(errors.is_empty());
        let strict = enc(label).decode(&bytes, Strict);
        prop_assert_eq!(strict.is_err(), bad, "{}", label);
    }

    #[test]
    fn utf_16_obeys_each_mark_whatever_the_cut(
        texts in vec((select(&UTF_16_MARKS[..]), bytes()), 0..4),
        cuts in vec(any::<Index>(), 0..5),
    ) {
        let texts = texts.iter();
        let bytes: Vec<u8> = texts.flat_map(|(mark, bytes)| [*mark, bytes].concat()).collect();
        let (text, _) = decoded(Encoding::UTF_16, Replace, &pieces(&bytes, &cuts));
        prop_assert_eq!(text, utf_16(&bytes));
    }

    #[test]
    fn utf_8_sig_is_utf_8_without_marks_whatever_the_cut(
        parts in vec(prop_oneof![Just("\u{feff}".as_bytes().to_vec()), bytes()], 0..4),
        cuts in vec(any::<Index>(), 0..5),
    ) {
        let bytes = parts.concat();
        let (whole, _) = encoding_rs::UTF_8.decode_without_bom_handling(&bytes);
        let (text, _) = decoded(enc("utf-8-sig"), Replace, &pieces(&bytes, &cuts));
        prop_assert_eq!(text, whole.replace('\u{feff}', ""));
    }

    /// Two encoders of a stream, and one that begins anew with each text.
    #[test]
    fn texts_of_a_stream_join((label, text) in spoken(), cuts in vec(any::<Index>(), 0..5)) {
        let characters: Vec<char> = text.chars().collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
        cuts.extend([0, characters.len()]);
        cuts.sort_unstable();
        let between = |ends: &[usize]| characters[ends[0]..ends[1]].iter().collect::<String>();
        let texts = cuts.windows(2).map(between);
        let mut encoder = TextEncoder::new(enc(label), Strict);
        let (mut joined, mut alone) = (Vec::new(), Vec::new());
        for text in texts {
            joined.extend_from_slice(&encoder.encode(&text).unwrap());
            alone.extend_from_slice(&enc(label).encode(&text, Strict).unwrap());
        }
        joined.extend_from_slice(&encoder.finish());
        if !text.is_empty() {
            prop_assert_eq!(&joined, &*enc(label).encode(&text, Strict).unwrap(), "{}", label);
        }
        prop_assert_eq!(decoded(enc(label), Strict, &[&alone]), (text, vec![]), "{}", label);
    }

    /// UTF-8 up to the piece that proves otherwise, and GB18030 from the first character on that is
    /// not given out yet.
    #[test]
    fn detecting_is_utf_8_and_then_gb18030_whatever_the_cut(
        text in "[a-z你é😀]{0,8}",
        bytes in bytes(),
        cuts in vec(any::<Index>(), 0..5),
    ) {
        let bytes = [text.as_bytes(), &bytes].concat();
        let pieces = pieces(&bytes, &cuts);
        let (mut given, mut arrived, mut proven) = (0, 0, false);
        for (number, piece) in pieces.iter().enumerate() {
            arrived += piece.len();
            let rest = std::str::from_utf8(&bytes[given..arrived]);
            let last = number + 1 == pieces.len();
            proven |= rest.is_err_and(|error| error.error_len().is_some() || last);
            if !proven {
                given += rest.map_or_else(|error| error.valid_up_to(), str::len);
            }
        }
        let (rest, _) = encoding_rs::GB18030.decode_without_bom_handling(&bytes[given..]);
        let expected = format!("{}{rest}", std::str::from_utf8(&bytes[..given]).unwrap());
        let (detected, errors) = decoded(enc("big5"), Detect, &pieces);
        prop_assert_eq!(detected, expected);
        prop_assert!(errors.is_empty());
    }

    /// Where strict fails, it says where: what stands before decodes, and so does what `replace`
    /// makes of it.
    #[test]
    fn an_error_names_the_first_offset_that_is_wrong(label in select(&ALL[..]), bytes in bytes()) {
        if let Err(TextError::Undecodable { offset, .. }) = enc(label).decode(&bytes, Strict) {
            let before = &bytes[..usize::try_from(offset).unwrap()];
            prop_assert!(before.len() < bytes.len());
            prop_assert!(enc(label).decode(before, Strict).is_ok(), "{} at {}", label, offset);
        }
    }
}
