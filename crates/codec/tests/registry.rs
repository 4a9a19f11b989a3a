//! A registry with a third party's codec: chosen by name and parameters, printed, and refused in
//! words.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use bytes::BytesMut;
use socketry_codec::{
    BoxCodec, Codec, CodecRegistry, CodecSpec, Ending, Format, Line, Parameters, SpecError,
};

/// Lines that begin with a prefix of so many bytes, which stand for a codec with two parameters.
#[derive(Clone)]
struct Prefixed {
    size: usize,
    line: Line,
}

impl Codec for Prefixed {
    fn decode(
        &mut self,
        input: &[u8],
        end: socketry_codec::End,
    ) -> Result<socketry_codec::Decoded, socketry_codec::CodecError> {
        self.line.decode(input, end)
    }
    fn encode(
        &mut self,
        frame: &[u8],
        out: &mut BytesMut,
    ) -> Result<(), socketry_codec::CodecError> {
        out.extend_from_slice(&vec![b'-'; self.size]);
        self.line.encode(frame, out)
    }
    fn at_boundary(&self) -> bool {
        true
    }
}

fn prefixed(parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
    let size = parameters.get_or("size", 1)?;
    if size > 9 {
        return Err(parameters.refused("size is at most 9"));
    }
    let end: Option<Ending> = parameters.get("end")?;
    let line = Line::ending(end.unwrap_or_default());
    let line = line.max_frame(parameters.max_frame().unwrap_or(80));
    Ok(Box::new(Prefixed { size, line }))
}

fn codecs() -> CodecRegistry {
    CodecRegistry::standard().with("prefixed", prefixed)
}

fn written(codecs: &CodecRegistry, spec: impl Into<CodecSpec>, frame: &[u8]) -> Vec<u8> {
    let mut out = BytesMut::new();
    codecs.build(spec).unwrap().encode(frame, &mut out).unwrap();
    out.to_vec()
}

fn why(spec: impl Into<CodecSpec>) -> String {
    codecs().build(spec).unwrap_err().to_string()
}

#[test]
fn every_registered_name_builds_and_parses_again() {
    let codecs = codecs();
    let names: Vec<_> = codecs.names().collect();
    assert_eq!(names, ["raw", "line", "struct", "json", "prefixed"]);
    for name in names {
        let named = codecs.named(name).unwrap();
        assert_eq!(named.name(), name);
        for again in [named.name(), named.full_name()] {
            assert_eq!(codecs.named(again).unwrap().name(), name);
        }
    }
}

#[test]
fn parameters_reach_the_codec_and_the_shortest_name() {
    let codecs = codecs();
    for (name, short, wire) in [
        ("prefixed", "prefixed", &b"-a\n"[..]),
        ("prefixed:size=1", "prefixed", b"-a\n"),
        ("prefixed:size=3", "prefixed:size=3", b"---a\n"),
        ("prefixed:end=;,size=2", "prefixed:size=2,end=;", b"--a;"),
        ("prefixed:end=crlf", "prefixed:end=crlf", b"-a\r\n"),
    ] {
        assert_eq!(codecs.named(name).unwrap().name(), short);
        assert_eq!(written(&codecs, name, b"a"), wire, "{name}");
        assert_eq!(written(&codecs, short, b"a"), wire, "{name}");
    }
    let full = codecs.named("prefixed").unwrap();
    assert_eq!(full.full_name(), "prefixed:size=1");
}

#[test]
fn limits_reach_the_codec_and_others_are_refused() {
    let codecs = codecs();
    let spec = CodecSpec {
        max_frame: Some(2),
        ..CodecSpec::new("prefixed:size=1")
    };
    let named = codecs.named(&spec).unwrap();
    assert_eq!(named.limits(), ["max_frame"]);
    assert_eq!(
        (named.name(), named.spec().max_frame),
        ("prefixed", Some(2))
    );
    let sent = named.into_codec().encode(b"abc", &mut BytesMut::new());
    assert!(sent.is_err());

    let spec = CodecSpec {
        max_depth: Some(2),
        ..CodecSpec::new("prefixed:size=3")
    };
    let words = "max_depth does not apply to the codec prefixed:size=3; it takes max_frame";
    assert_eq!(why(&spec), words);
    let spec = CodecSpec {
        max_frame: Some(2),
        ..CodecSpec::new("raw")
    };
    let words = "max_frame does not apply to the codec raw; it takes none";
    assert_eq!(why(&spec), words);
}

#[test]
fn what_cannot_be_read_is_named_with_the_way_out() {
    for (name, words) in [
        ("mycodec", "there are raw, line, struct, json and prefixed"),
        ("", "there are raw, line, struct, json and prefixed"),
        (
            "prefixed:",
            "no parameter follows the colon; prefixed takes size and end",
        ),
        (
            "prefixed:3",
            r#"prefixed has no parameter "3"; it takes size and end"#,
        ),
        (
            "prefixed:size=1,width=2",
            r#"prefixed has no parameter "width"; it takes size and end"#,
        ),
        (
            "prefixed:size=x",
            r#"size cannot be "x" (invalid digit found in string); without it, it is 1"#,
        ),
        ("prefixed:size=1,size=1", "size is given twice"),
        ("prefixed:size=10", "size is at most 9"),
        ("raw:x", "raw takes nothing after it"),
    ] {
        assert_eq!(why(name), format!("{name:?} names no codec: {words}"));
    }
    let nothing = CodecRegistry::empty().build("raw").unwrap_err();
    assert_eq!(
        nothing.to_string(),
        r#""raw" names no codec: there are none"#
    );
}

#[test]
fn a_later_codec_takes_the_place_of_an_earlier_and_no_clone_feels_it() {
    let before = codecs();
    let after = before.clone().with("line", |parameters| {
        let format: Format = parameters.text()?;
        Ok(socketry_codec::Struct::new(format).into())
    });
    assert_eq!(written(&before, "line", b"a"), b"a\n");
    assert_eq!(written(&after, "line:B", b"a"), b"\x01a");
    assert!(before.names().eq(after.names()));
}

#[test]
fn a_closure_may_hold_what_it_likes() {
    let endings = std::sync::Mutex::new(vec![Ending::CRLF]);
    let codecs = CodecRegistry::empty().with("once", move |parameters| {
        let ending = endings.lock().unwrap().pop();
        let ending = ending.ok_or_else(|| parameters.refused("it was built once"))?;
        Ok(Line::ending(ending).into())
    });
    assert_eq!(written(&codecs.clone(), "once", b"a"), b"a\r\n");
    assert!(codecs.build("once").is_err());
    assert_eq!(format!("{codecs:?}"), r#"{"once"}"#);
}

#[test]
fn what_has_no_name_is_never_found() {
    let codecs = CodecRegistry::empty().with("", |_| Ok(Line::default().into()));
    for name in ["", ":", ":crlf"] {
        assert!(codecs.build(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_factory_that_asks_twice_gets_and_tells_the_same() {
    let codecs = CodecRegistry::empty()
        .with("list", |parameters| {
            let first = parameters.get::<u8>("a")?;
            assert_eq!(parameters.get::<u8>("a")?, first);
            assert_eq!(parameters.get_or("b", 1)?, parameters.get_or("b", 1)?);
            assert_eq!(parameters.max_frame(), parameters.max_frame());
            Ok(Line::default().into())
        })
        .with("whole", |parameters| {
            let first: Format = parameters.text()?;
            assert_eq!(parameters.text::<Format>()?, first);
            Ok(Line::default().into())
        });
    let list = codecs.named("list:a=1,b=2").unwrap();
    assert_eq!(
        (list.name(), list.full_name()),
        ("list:a=1,b=2", "list:a=1,b=2")
    );
    assert_eq!(list.limits(), ["max_frame"]);
    assert_eq!(codecs.named("list").unwrap().full_name(), "list:b=1");
    assert_eq!(codecs.named("whole:B").unwrap().full_name(), "whole:B");
    let why = |name| codecs.build(name).unwrap_err().to_string();
    let words = r#""list:c=1" names no codec: list has no parameter "c"; it takes a and b"#;
    assert_eq!(why("list:c=1"), words);
    let words = r#""list:" names no codec: no parameter follows the colon; list takes a and b"#;
    assert_eq!(why("list:"), words);
    let words = r#""list:a=1," names no codec: a parameter has no name; list takes a and b"#;
    assert_eq!(why("list:a=1,"), words);
}
