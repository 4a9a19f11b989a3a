//! Encoders and decoders of streams of texts.

use super::*;

#[test]
fn escape_sequences_in_a_row_are_no_error_wherever_they_are_cut() {
    let bytes = b"\x1b(B\x1b$BF|\x1b(B\x1b$B\x1b(J\x1b$BK\\\x1b(B";
    for at in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(
            decode_pieces(enc("iso-2022-jp"), Strict, &[head, tail]),
            "日本",
            "{at}"
        );
    }
    let unknown = enc("iso-2022-jp")
        .decode(b"\x1b(B\x1b$X", Strict)
        .unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "the bytes at offset 3 are not iso-2022-jp"
    );
}

#[test]
fn marks_are_dropped_before_each_text_of_a_stream_and_before_one_alone() {
    for label in ["utf-16", "utf-8-sig"] {
        let alone = enc(label).encode("你", Strict).unwrap();
        let twice = [&*alone, &*alone].concat();
        for at in 0..=twice.len() {
            let (head, tail) = twice.split_at(at);
            assert_eq!(
                decode_pieces(enc(label), Strict, &[head, tail]),
                "你你",
                "{label}"
            );
        }
        assert_eq!(enc(label).decode(&twice, Strict).unwrap(), "你\u{feff}你");
        for text in ["\u{feff}a", "a\u{feff}", "\u{fffe}"] {
            let bytes = enc(label).encode(text, Strict).unwrap();
            assert_eq!(enc(label).decode(&bytes, Strict).unwrap(), text, "{label}");
        }
        let mut stream = TextEncoder::new(enc(label), Strict);
        let error = stream.encode("a\u{feff}").unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("{label} has no '\\u{{feff}}' (U+FEFF)")
        );
        let mut stream = TextEncoder::new(enc(label), Replace);
        let bytes = stream.encode("a\u{feff}b").unwrap();
        assert_eq!(decode_pieces(enc(label), Strict, &[&bytes]), "ab");
    }
    let mut stream = TextEncoder::new(enc("utf-16"), Replace);
    let bytes = stream.encode("a\u{fffe}b").unwrap();
    assert_eq!(decode_pieces(enc("utf-16"), Strict, &[&bytes]), "a?b");
    assert!(
        TextEncoder::new(enc("utf-16"), Strict)
            .encode("\u{fffe}")
            .is_err()
    );
}

#[test]
fn strict_refuses_what_would_come_back_as_another_and_replace_writes_its_like() {
    for (label, text, like) in [
        ("shift_jis", "a¥‾−b", "a\\~－b"),
        ("euc-jp", "¥1", "\\1"),
        ("iso-2022-jp", "ｱｲ", "アイ"),
        ("gbk", "\u{e78d}", "\u{fe10}"),
    ] {
        let character = text.trim_start_matches('a').chars().next().unwrap();
        let error = enc(label).encode(text, Strict).unwrap_err();
        assert!(matches!(error, TextError::Unencodable { character: c, .. } if c == character));
        let bytes = enc(label).encode(text, Replace).unwrap();
        assert_eq!(enc(label).decode(&bytes, Strict).unwrap(), like, "{label}");
    }
    // The error names the first of two characters that cannot be encoded, for different reasons.
    let error = enc("shift_jis").encode("😀¥", Strict).unwrap_err();
    assert!(matches!(
        error,
        TextError::Unencodable {
            character: '😀',
            ..
        }
    ));
}
