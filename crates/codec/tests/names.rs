//! Codecs by name, and from configuration.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use socketry_codec::{BoxCodec, CodecRegistry, CodecSpec, Ending, Fault, Format, Json, Struct};

/// The name as it is printed.
fn canonical(name: &str) -> String {
    let named = CodecRegistry::standard().named(name).unwrap();
    named.name().to_owned()
}

#[test]
fn names_print_in_their_shortest_form() {
    for name in common::NAMES {
        assert_eq!(canonical(name), name);
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
        assert_eq!(canonical(name), printed);
        assert_eq!(canonical(printed), printed);
    }
}

#[test]
fn every_delimiter_has_a_name() {
    for byte in 0..=u8::MAX {
        let ending = Ending::byte(byte);
        assert_eq!(Ending::parse(&ending.to_string()), Some(ending));
        let name = format!("line:{ending}");
        let (short, line) = (canonical(&name), ending == Ending::LF);
        assert_eq!(short, if line { "line" } else { &*name });
    }
}

#[test]
fn the_endings_of_text_have_names_of_their_own() {
    for (ending, name) in [(Ending::LF, "lf"), (Ending::CRLF, "crlf")] {
        assert_eq!(ending.to_string(), name);
        assert_eq!(Ending::parse(name), Some(ending));
    }
}

#[test]
fn a_format_shows_as_it_is_written() {
    for text in ["i", "=i", "<h", ">I", "!Q"] {
        let format: Format = text.parse().unwrap();
        assert_eq!(Struct::new(format).format(), format);
        assert_eq!(Json::new(format).format(), format);
        assert_eq!(format!("{format:?}"), format!("Format({text})"));
    }
}

#[test]
fn an_unknown_name_says_what_there_is() {
    let table = [
        ("", "raw, line, struct, json"),
        ("Line", "raw, line, struct, json"),
        ("raw:", "raw takes nothing"),
        ("line:", "one ASCII character"),
        ("line:ab", "one ASCII character"),
        ("line:é", "one ASCII character"),
        (r"line:\x+1", "one ASCII character"),
        ("struct:>x", "b B h H i I l L q Q"),
        ("struct:", "b B h H i I l L q Q"),
        ("struct:2i", "write 4x for four open bytes"),
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
        ..CodecSpec::new("line")
    };
    let error = spec.build().unwrap_err().to_string();
    assert_eq!(
        error,
        "max_depth does not apply to the codec line; it takes max_frame, max_discard and keep_last"
    );
}

/// The first frame is too long and is passed over, and the second too long for that.
#[test]
fn limits_reach_the_codec() {
    for (name, wire) in [
        ("line", &b"12345\nok\n123456\nlost\n"[..]),
        ("struct:B", b"\x0512345\x02ok\x06123456\x04lost"),
        ("json:B", b"\x05{123}\x02{}\x06{1234}\x02{}"),
        ("json:bare", b"{123}{}{12345}{}"),
    ] {
        let spec = CodecSpec {
            max_frame: Some(4),
            max_discard: Some(6),
            ..CodecSpec::new(name)
        };
        let events = common::stream(spec.build().unwrap(), [wire]);
        let long = |at: usize| matches!(&events[at], Err(Fault::TooLong { max: 4, .. }));
        assert!(
            long(0) && events[1].is_ok() && long(2),
            "{name}: {events:?}"
        );
        let last = events.last().unwrap();
        assert!(last.is_err(), "{name}: {events:?}");
    }
    let shallow = CodecSpec {
        max_depth: Some(2),
        ..CodecSpec::new("json:bare")
    };
    let events = common::stream(shallow.build().unwrap(), [&br#"{"a":[]}{"a":[[]]}"#[..]]);
    assert_eq!(events[0], Ok(br#"{"a":[]}"#.to_vec()));
    assert_eq!(events[1], Err(Fault::TooDeep { max: 2 }));
}

#[cfg(feature = "serde")]
mod data {
    use std::collections::BTreeMap;

    use socketry_codec::{CodecSpec, Fault};

    use crate::common::stream;

    type File = BTreeMap<String, CodecSpec>;

    fn read(text: &str) -> Result<CodecSpec, String> {
        let file: Result<File, _> = toml::from_str(text);
        file.map(|file| file["codec"].clone())
            .map_err(|e| e.to_string())
    }

    #[test]
    fn a_string_or_a_table() {
        let short = read("codec = 'struct:>H'").unwrap();
        assert_eq!(short, "struct:>H".into());
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
            ("codec = { name = 'line', max_size = 2 }", "max_size"),
            ("codec = { max_frame = 2 }", "name"),
            ("codec = { name = 'line', max_frame = -1 }", "-1"),
            ("codec = 3", "the name of a codec"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(hint), "{error}");
        }
        // Which codecs there are is known to the registry that builds one.
        let error = read("codec = 'lines'").unwrap().build().unwrap_err();
        assert!(
            error.to_string().contains("raw, line, struct, json"),
            "{error}"
        );
    }
}
