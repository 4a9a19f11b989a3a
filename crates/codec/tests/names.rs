//! Codecs by name, and from configuration.

mod common;

use socketry_codec::{BoxCodec, CodecName, CodecSpec};

#[test]
fn names_print_in_their_shortest_form() {
    for name in common::NAMES {
        assert_eq!(name.parse::<CodecName>().unwrap().to_string(), name);
    }
    let table = [
        ("struct:i", "struct"),
        ("struct:@i", "struct"),
        ("struct:@l", "struct:l"),
        ("json:i", "json"),
        ("line:lf", "line"),
        ("line:\n", "line"),
        (r"line:\n", "line"),
        ("line:\0", r"line:\0"),
        ("line:\t", r"line:\t"),
        ("line:\x1f", r"line:\x1f"),
        (r"line:\xFF", r"line:\xff"),
        ("line: ", r"line:\x20"),
        (r"line:\", r"line:\"),
        ("line::", "line::"),
    ];
    for (name, printed) in table {
        let parsed: CodecName = name.parse().unwrap();
        assert_eq!(parsed.to_string(), printed);
        assert_eq!(printed.parse::<CodecName>().unwrap(), parsed);
    }
}

#[test]
fn every_delimiter_has_a_name() {
    for byte in 0..=u8::MAX {
        let name = CodecName::Line(socketry_codec::Ending::byte(byte));
        assert_eq!(name.to_string().parse(), Ok(name));
    }
}

#[test]
fn an_unknown_name_says_what_there_is() {
    let table = [
        ("", "raw, line, struct and json"),
        ("Line", "raw, line, struct and json"),
        ("raw:", "raw takes nothing"),
        ("line:", "one ASCII character"),
        ("line:ab", "one ASCII character"),
        ("line:é", "one ASCII character"),
        (r"line:\x+1", "one ASCII character"),
        ("struct:>x", "b B h H i I l L q Q"),
        ("struct:", "b B h H i I l L q Q"),
        ("struct:2i", "b B h H i I l L q Q"),
        ("struct:< i", "b B h H i I l L q Q"),
        ("json:barely", "json:bare"),
    ];
    for (name, hint) in table {
        let error = name.parse::<BoxCodec>().unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
        assert!(error.contains(&format!("{name:?}")), "{error}");
    }
}

#[test]
fn a_limit_must_apply_to_its_codec() {
    let spec = CodecSpec {
        max_depth: Some(3),
        ..CodecSpec::new("line".parse().unwrap())
    };
    let error = spec.build().unwrap_err().to_string();
    assert_eq!(
        error,
        "max_depth does not apply to the codec line; it takes max_frame, max_discard, keep_last"
    );
}

#[cfg(feature = "serde")]
mod data {
    use std::collections::BTreeMap;

    use socketry_codec::{CodecSpec, Fault};

    use crate::common::stream;

    type File = BTreeMap<String, CodecSpec>;

    fn read(text: &str) -> Result<CodecSpec, String> {
        let file: Result<File, _> = toml::from_str(text);
        file.map(|file| file["codec"]).map_err(|e| e.to_string())
    }

    #[test]
    fn a_string_or_a_table() {
        let short = read("codec = 'struct:>H'").unwrap();
        assert_eq!(short, "struct:>H".parse().unwrap());
        let long = read("codec = { name = 'line', max_frame = 2, keep_last = true }").unwrap();
        assert_eq!((long.max_frame, long.keep_last), (Some(2), Some(true)));
        let events = stream(long.build().unwrap(), [&b"abcd\nef"[..]]);
        assert!(matches!(events[0], Err(Fault::TooLong { max: 2, .. })));
        assert_eq!(events[1], Ok(b"ef".to_vec()));
    }

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "codec = \"struct:>H\"\n",
            "[codec]\nname = \"json:bare\"\nmax_frame = 9\nmax_discard = 10\nmax_depth = 4\n",
        ] {
            let spec = read(text).unwrap();
            let written = toml::to_string(&File::from([("codec".into(), spec)])).unwrap();
            assert_eq!(written, text);
        }
        let json = serde_json::to_string(&read(r"codec = 'line:\0'").unwrap()).unwrap();
        assert_eq!(json, r#""line:\\0""#);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, hint) in [
            ("codec = 'lines'", "raw, line, struct and json"),
            ("codec = { name = 'line', max_size = 2 }", "max_size"),
            ("codec = { max_frame = 2 }", "name"),
            ("codec = { name = 'line', max_frame = -1 }", "-1"),
            ("codec = 3", "the name of a codec"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(hint), "{error}");
        }
    }
}
