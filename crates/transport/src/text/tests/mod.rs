//! Encodings against the bytes that CPython writes, every split of every encoding, the policies,
//! and the socket.

mod properties;
mod sockets;
mod streams;

use std::borrow::Cow;

use super::*;
use TextPolicy::{Detect, Replace, Strict};

/// All that can be spoken: the encodings of the WHATWG standard but `replacement`, UTF-8 and UTF-16
/// with a mark, and CPython's.
const ALL: [&str; 49] = [
    "utf-8",
    "utf-8-sig",
    "ibm866",
    "iso-8859-2",
    "iso-8859-3",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "iso-8859-8-i",
    "iso-8859-10",
    "iso-8859-13",
    "iso-8859-14",
    "iso-8859-15",
    "iso-8859-16",
    "koi8-r",
    "koi8-u",
    "macintosh",
    "windows-874",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "x-mac-cyrillic",
    "gbk",
    "gb18030",
    "big5",
    "euc-jp",
    "iso-2022-jp",
    "shift_jis",
    "euc-kr",
    "utf-16le",
    "utf-16be",
    "utf-16",
    "x-user-defined",
    "python:latin_1",
    "python:gbk",
    "python:gb18030",
    "python:big5",
    "python:shift_jis",
    "python:euc_jp",
    "python:euc_kr",
    "python:iso2022_jp",
];

/// Something for everyone.
const SAMPLE: &str =
    "Hello! é ž ß ą ġ ħ ŵ ș Привет ї Γειά שלום مرحبا สวัสดี 你好 漢字 こんにちは 안녕 😀 \u{f780}";

fn enc(label: &str) -> Encoding {
    label.parse().unwrap()
}

/// The characters of the sample that an encoding has.
fn sample(encoding: Encoding) -> String {
    let has = |c: &char| encoding.encode(&c.to_string(), Strict).is_ok();
    SAMPLE.chars().filter(has).collect()
}

/// All of the text, one call for each piece.
fn decode_pieces(encoding: Encoding, policy: TextPolicy, pieces: &[&[u8]]) -> String {
    let mut decoder = TextDecoder::new(encoding, policy);
    let mut text = String::new();
    for piece in pieces {
        decoder.decode(piece, false, &mut text).unwrap();
    }
    decoder.decode(&[], true, &mut text).unwrap();
    text
}

#[test]
fn bytes_are_those_of_cpython() {
    let table: &[(&str, &str, &[u8])] = &[
        ("gbk", "你好", b"\xc4\xe3\xba\xc3"),
        ("gbk", "a你b", b"a\xc4\xe3b"),
        (
            "gbk",
            "Привет",
            b"\xa7\xb1\xa7\xe2\xa7\xda\xa7\xd3\xa7\xd6\xa7\xe4",
        ),
        ("gb18030", "你好", b"\xc4\xe3\xba\xc3"),
        ("gb18030", "😀", b"\x94\x39\xfc\x36"),
        ("gb18030", "café", b"caf\xa8\xa6"),
        ("gb18030", "안녕", b"\x83\x32\xe0\x37\x82\x38\xda\x30"),
        ("big5", "你好", b"\xa7\x41\xa6\x6e"),
        ("shift_jis", "日本語", b"\x93\xfa\x96\x7b\x8c\xea"),
        ("euc_jp", "日本語", b"\xc6\xfc\xcb\xdc\xb8\xec"),
        ("euc-kr", "안녕", b"\xbe\xc8\xb3\xe7"),
        (
            "iso-2022-jp",
            "日本語",
            b"\x1b$B\x46\x7c\x4b\x5c\x38\x6c\x1b(B",
        ),
        ("koi8-r", "Привет", b"\xf0\xd2\xc9\xd7\xc5\xd4"),
        ("windows-1252", "café", b"caf\xe9"),
        ("utf-16", "你好", b"\xff\xfe\x60\x4f\x7d\x59"),
        ("utf-16", "", b"\xff\xfe"),
        ("utf-16-le", "你好", b"\x60\x4f\x7d\x59"),
        ("utf-16le", "😀", b"\x3d\xd8\x00\xde"),
        ("utf-16-be", "😀", b"\xd8\x3d\xde\x00"),
        ("utf-8", "你好", b"\xe4\xbd\xa0\xe5\xa5\xbd"),
    ];
    for &(label, text, bytes) in table {
        let encoding = enc(label);
        assert_eq!(
            &*encoding.encode(text, Strict).unwrap(),
            bytes,
            "{label} {text}"
        );
        assert_eq!(
            encoding.decode(bytes, Strict).unwrap(),
            text,
            "{label} {text}"
        );
    }
}

#[test]
fn what_is_the_same_in_utf_8_is_borrowed() {
    for (label, text, same) in [
        ("utf-8", "你好", true),
        ("gbk", "hi", true),
        ("gbk", "你好", false),
        ("utf-16le", "hi", false),
    ] {
        let encoding = enc(label);
        let bytes = encoding.encode(text, Strict).unwrap();
        assert_eq!(matches!(bytes, Cow::Borrowed(_)), same, "{label} {text}");
    }
}

#[test]
fn debugging_output_says_how_much_is_held_and_not_what() {
    let mut decoder = TextDecoder::new(Encoding::GBK, Strict);
    decoder
        .decode(b"ab\xffcd", false, &mut String::new())
        .unwrap_err();
    assert_eq!(
        format!("{decoder:?}"),
        "TextDecoder { encoding: Encoding(gbk), policy: Strict, held: 2, offset: 3 }"
    );
}

#[test]
fn labels_are_known_by_many_names_and_print_as_one() {
    for (label, name) in [
        ("UTF8", "utf-8"),
        ("utf_8", "utf-8"),
        ("UTF_8_SIG", "utf-8-sig"),
        (" GBK ", "gbk"),
        ("gb2312", "gbk"),
        ("Shift-JIS", "shift_jis"),
        ("sjis", "shift_jis"),
        ("euc_kr", "euc-kr"),
        ("latin1", "python:latin_1"),
        ("latin-1", "python:latin_1"),
        ("ISO-8859-1", "python:latin_1"),
        ("us-ascii", "python:ascii"),
        ("l5", "python:iso8859_9"),
        ("cp1252", "windows-1252"),
        ("python:cp1252", "python:cp1252"),
        (" Python:GBK", "python:gbk"),
        ("python:koi8-r", "koi8-r"),
        ("python:utf_16", "utf-16"),
        ("iso2022_jp", "python:iso2022_jp"),
        ("iso-2022-jp", "iso-2022-jp"),
        ("latin_1", "python:latin_1"),
        ("cp936", "python:gbk"),
        ("cp932", "python:cp932"),
        ("cp949", "euc-kr"),
        ("uhc", "euc-kr"),
        ("cp950", "python:cp950"),
        ("big5hkscs", "big5"),
        ("ujis", "python:euc_jp"),
        ("utf-8-sig", "utf-8-sig"),
        ("UTF_16", "utf-16"),
        ("utf_16_le", "utf-16le"),
        ("UTF-16BE", "utf-16be"),
    ] {
        assert_eq!(enc(label).to_string(), name, "{label}");
        assert_eq!(Encoding::try_from(label).unwrap(), enc(label));
    }
    for name in ALL {
        assert_eq!(enc(name).to_string(), name);
        #[cfg(feature = "serde")]
        {
            assert_eq!(serde_json::to_value(enc(name)).unwrap(), name);
            let read: Encoding = serde_json::from_value(name.into()).unwrap();
            assert_eq!(read, enc(name));
        }
    }
    assert_eq!(Encoding::default(), enc("utf-8"));
}

#[test]
fn unknown_labels_are_named_with_some_that_are_known() {
    for label in [
        "klingon",
        "",
        "replacement",
        "hz-gb-2312",
        "iso-2022-kr",
        "\u{1b}[2J",
    ] {
        let words = label.parse::<Encoding>().unwrap_err().to_string();
        assert!(
            words.contains(&format!("'{}'", label.escape_debug())),
            "{words}"
        );
        assert!(
            words.contains("gbk") && words.contains("utf-16le"),
            "{words}"
        );
    }
    for label in encoding::SOME_LABELS.split(", ") {
        assert!(label.parse::<Encoding>().is_ok(), "{label}");
    }
}

#[test]
fn every_encoding_survives_every_split() {
    for label in ALL {
        let encoding = enc(label);
        let text = sample(encoding);
        assert!(!text.is_ascii(), "{label} has only {text}");
        let bytes = encoding.encode(&text, Strict).unwrap();
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            let whole = decode_pieces(encoding, Strict, &[head, tail]);
            assert_eq!(whole, text, "{label} at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode_pieces(encoding, Strict, &single), text, "{label}");
    }
}

#[test]
fn a_byte_order_mark_is_obeyed_by_utf_16_and_kept_by_the_others() {
    let marked = Encoding::UTF_16;
    assert_eq!(marked.decode(b"\xfe\xff\x4f\x60", Strict).unwrap(), "你");
    assert_eq!(marked.decode(b"\xff\xfe\x60\x4f", Strict).unwrap(), "你");
    assert_eq!(marked.decode(b"\x60\x4f", Strict).unwrap(), "你");
    assert_eq!(marked.decode(b"", Strict).unwrap(), "");
    assert_eq!(
        decode_pieces(marked, Strict, &[b"\xfe", b"\xff\x4f", b"\x60"]),
        "你"
    );
    assert_eq!(
        enc("utf-16le").decode(b"\xff\xfea\0", Strict).unwrap(),
        "\u{feff}a"
    );
    assert_eq!(
        Encoding::UTF_8.decode(b"\xef\xbb\xbfa", Strict).unwrap(),
        "\u{feff}a"
    );
    let alone = marked
        .decode(b"\xff\xfea\0\x3d\xd8a\0", Strict)
        .unwrap_err();
    assert_eq!(alone.to_string(), "the bytes at offset 4 are not utf-16");
    let half = marked.decode(b"a", Strict).unwrap_err();
    assert!(matches!(half, TextError::Undecodable { offset: 0, .. }));
}

#[test]
fn strict_names_the_offset_and_goes_on_behind_the_bad_bytes() {
    let mut decoder = TextDecoder::new(Encoding::UTF_8, Strict);
    let mut text = String::new();
    decoder.decode(b"ab\xe4", false, &mut text).unwrap();
    decoder.decode(b"\xbd\xa0", false, &mut text).unwrap();
    let error = decoder
        .decode(b"c\xffd\xe4\xbde", false, &mut text)
        .unwrap_err();
    assert_eq!(text, "ab你c");
    assert_eq!(error.to_string(), "the bytes at offset 6 are not utf-8");
    let error = decoder.decode(b"f", false, &mut text).unwrap_err();
    assert_eq!(text, "ab你cd");
    assert!(
        matches!(error, TextError::Undecodable { offset: 8, .. }),
        "{error}"
    );
    decoder.decode(b"g\xe4", false, &mut text).unwrap();
    assert_eq!(text, "ab你cdefg");
    let error = decoder.decode(b"", true, &mut text).unwrap_err();
    assert!(
        matches!(error, TextError::Undecodable { offset: 13, .. }),
        "{error}"
    );
    decoder.decode(b"", true, &mut text).unwrap();
    let error = decoder.decode(b"\xff", true, &mut text).unwrap_err();
    assert!(
        matches!(error, TextError::Undecodable { offset: 0, .. }),
        "{error}"
    );
}

#[test]
fn an_incomplete_end_is_one_error_and_then_the_end_in_every_encoding() {
    for (label, bytes) in [
        ("utf-8", &b"a\xf0\x9f\x98"[..]),
        ("gbk", b"a\xc4"),
        ("gb18030", b"a\x81\x30\x81"),
        ("big5", b"a\xa7"),
        ("shift_jis", b"a\x93"),
        ("euc-jp", b"a\x8f\xb0"),
        ("euc-kr", b"a\xbe"),
        ("iso-2022-jp", b"a\x1b$B\x46"),
        ("utf-16le", b"a\0\x3d\xd8"),
    ] {
        let mut decoder = TextDecoder::new(enc(label), Strict);
        let mut text = String::new();
        let error = decoder.decode(bytes, true, &mut text);
        assert!(error.is_err() && text == "a", "{label}: {error:?} {text}");
        decoder.decode(&[], false, &mut text).unwrap();
        decoder.decode(&[], true, &mut text).unwrap();
        assert_eq!(text, "a", "{label}");
    }
}

#[test]
fn replace_writes_the_replacement_character_and_the_question_mark() {
    assert_eq!(
        Encoding::UTF_8.decode(b"a\xffb\xe4", Replace).unwrap(),
        "a\u{fffd}b\u{fffd}"
    );
    assert_eq!(
        Encoding::GBK.decode(b"a\xffb\xc4", Replace).unwrap(),
        "a\u{fffd}b\u{fffd}"
    );
    let latin = enc("windows-1252");
    assert_eq!(&*latin.encode("é你好!", Replace).unwrap(), b"\xe9??!");
    let japanese = enc("iso-2022-jp");
    let bytes = japanese.encode("日😀本", Replace).unwrap();
    assert_eq!(japanese.decode(&bytes, Strict).unwrap(), "日?本");
}

#[test]
fn strict_and_detect_name_the_character_that_is_lacking() {
    for policy in [Strict, Detect] {
        let error = enc("windows-1252").encode("é你", policy).unwrap_err();
        assert_eq!(error.to_string(), "windows-1252 has no '你' (U+4F60)");
    }
    // `encoding_rs` reports U+FFFD for these.
    let error = enc("iso-2022-jp").encode("a\u{1b}b", Strict).unwrap_err();
    assert_eq!(error.to_string(), "iso-2022-jp has no '\\u{1b}' (U+001B)");
}

#[test]
fn detect_is_utf_8_until_proven_otherwise() {
    let any = enc("big5");
    assert_eq!(any.decode("你好".as_bytes(), Detect).unwrap(), "你好");
    assert_eq!(
        any.decode(b"ok \xc4\xe3\xba\xc3", Detect).unwrap(),
        "ok 你好"
    );
    // Its first character would be UTF-8 too: a datagram is judged as a whole.
    assert_eq!(any.decode(b"\xc4\xa3\xba\xc3", Detect).unwrap(), "模好");
    assert_eq!(any.decode(b"\xc4\xe3\xff", Detect).unwrap(), "你\u{fffd}");

    let mut decoder = TextDecoder::new(any, Detect);
    let mut text = String::new();
    for piece in [
        &b"a\xe4\xbd"[..],
        b"\xa0",
        b"\xc4",
        b"\xe3\xba",
        b"\xc3\xe4",
        b"\xbd",
    ] {
        decoder.decode(piece, false, &mut text).unwrap();
    }
    decoder.decode(&[], true, &mut text).unwrap();
    assert_eq!(text, "a你你好浣", "and for ever after");
    text.clear();
    decoder.decode("é".as_bytes(), true, &mut text).unwrap();
    assert_eq!(text, "é", "but for another stream");
}
