//! `json-seq`, case by case: RFC 7464.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{Events, datagram, encode, ok, stream};
use proptest::prelude::*;
use socketry_codec::{Codec, Content, Decoded, End, Fault, JsonSeq};

/// What a stream of these bytes says, however it is cut.
fn read(wire: &[u8]) -> Events {
    let due = stream(JsonSeq::new(), [wire]);
    for size in [1, 2, 3] {
        assert_eq!(stream(JsonSeq::new(), wire.chunks(size)), due, "{wire:?}");
    }
    due
}

/// `Some` is a text, and `None` one that is lost.
fn reads(wire: &str, texts: &[Option<&str>]) {
    let found = read(wire.as_bytes());
    let lost = |event: &Result<_, Fault>| matches!(event, Err(Fault::NotJson(_)));
    let same = found.len() == texts.len()
        && found.iter().zip(texts).all(|(found, due)| match due {
            Some(text) => found.as_deref() == Ok(text.as_bytes()),
            None => lost(found),
        });
    assert!(same, "{wire:?} is {found:?}");
}

#[test]
fn a_text_ends_at_its_line_feed() {
    reads(
        "\x1e{}\n\x1e\"a\"\n\x1e12\n\x1etrue\n",
        &["{}", "\"a\"", "12", "true"].map(Some),
    );
    reads("\x1e[1,\n{\n}\n]\n", &[Some("[1,\n{\n}\n]")]);
    reads("\x1e\n \n 1 \r\n", &[Some("\n \n 1 \r")]);
    reads(
        r#"_"{\"[\\""#.replace('_', "\x1e").as_str(),
        &[Some(r#""{\"[\\""#)],
    );
    // It is given out at once, before anything follows.
    let mut codec = JsonSeq::new();
    let frame = Decoded::frame(1..3, 4);
    assert_eq!(codec.decode(b"\x1e{}\n", End::Open), Ok(frame));
    assert_eq!(codec.decode(b"\x1e{}", End::Open), Ok(Decoded::Need(1)));
}

/// Section 2.4: what ends by itself needs no line feed, and the rest needs white space.
#[test]
fn a_text_may_end_at_the_next() {
    let texts = ["{}", "[]", "\"\"", "1"].map(Some);
    reads("\x1e{}\x1e[]\x1e\"\"\x1e1\n", &texts);
}

#[test]
fn a_number_without_white_space_was_perhaps_cut() {
    reads(
        "\x1e12\x1e34 \x1etrue\x1enull\t\x1e{}\n",
        &[None, Some("34 "), None, Some("null\t"), Some("{}")],
    );
    let truncated = |have| Err(Fault::Truncated { have, missing: 1 });
    assert_eq!(read(b"\x1e12"), [truncated(3)]);
    assert_eq!(read(b"\x1e{}\n\x1e[1"), [Ok(b"{}".to_vec()), truncated(3)]);
    assert_eq!(read(b"\x1e12 "), ok(&[b"12 "]));
    assert_eq!(read(b"\x1e{}"), ok(&[b"{}"]));
}

/// Section 2.3: the next text is found behind one that is cut.
#[test]
fn a_text_that_is_cut_is_one_error() {
    reads("\x1e{\"a\":\x1e1\n", &[None, Some("1")]);
    reads("\x1e\"abc\\\x1e{}\n", &[None, Some("{}")]);
    reads("\x1e\"{\n\n\n\x1e{}\n", &[None, Some("{}")]);
}

/// Section 2.1.
#[test]
fn separators_and_white_space_are_no_texts() {
    reads(
        "\x1e\x1e\x1e \n\t\r\x1e1\n\n\n\r \x1e2\n\n",
        &[Some("1"), Some("2")],
    );
}

#[test]
fn bytes_outside_of_texts_are_one_error() {
    reads("1\n2\n\x1e3\n", &[None, Some("3")]);
    reads("\x1e{}\nx\ny\n\x1e3\n", &[Some("{}"), None, Some("3")]);
    reads("x", &[None]);
}

/// Whether a text is JSON, a parser says.
#[test]
fn what_is_no_json_is_a_frame() {
    reads(
        "\x1e}{]\n\x1enul\n\x1e{} x\n",
        &["}{]", "nul", "{} x"].map(Some),
    );
}

#[test]
fn a_datagram_ends_a_text() {
    assert_eq!(
        datagram(JsonSeq::new(), b"\x1e{}\n\x1e[]"),
        ok(&[b"{}", b"[]"])
    );
    let truncated = Fault::Truncated {
        have: 2,
        missing: 1,
    };
    assert_eq!(datagram(JsonSeq::new(), b"\x1e1"), [Err(truncated)]);
    assert_eq!(datagram(JsonSeq::new(), b""), ok(&[]));
    // One that is wrong touches no other.
    let mut codec = JsonSeq::new();
    let error = codec.decode(b"xyz", End::Datagram).unwrap_err();
    assert_eq!(error.skip, Some(3));
    assert!(codec.at_boundary());
}

#[test]
fn limits_count_the_text_alone() {
    let read = |wire: &[u8]| stream(JsonSeq::new().max_frame(3).max_discard(8), [wire]);
    let too_long = |len| Err(Fault::TooLong { len, max: 3 });
    assert_eq!(
        read(b"\x1e123\n\x1e[1]\x1e4\n"),
        ok(&[b"123", b"[1]", b"4"])
    );
    assert_eq!(
        read(b"\x1e1234\n\x1e4\n"),
        [too_long(None), Ok(b"4".to_vec())]
    );
    assert_eq!(
        read(b"\x1e123456\n\x1e4\n"),
        [too_long(None), Ok(b"4".to_vec())]
    );
    assert_eq!(
        read(b"\x1e1234567\n\x1e4\n"),
        [too_long(None), too_long(None)]
    );
    // Bytes outside of texts are passed over up to the same limit.
    assert_eq!(read(b"12345678\x1e4\n")[1..], ok(&[b"4"]));
    assert_eq!(read(b"123456789\x1e4\n")[1..], [too_long(None)]);
}

#[test]
fn what_would_arrive_otherwise_is_refused() {
    let fault = |text: &str| {
        let error = JsonSeq::new().encode(text.as_bytes(), &mut BytesMut::new());
        error.unwrap_err().fault
    };
    for (text, at) in [("{}\n", 2), ("1\n2", 1), ("\"\x1e\"", 1), ("\x1e", 0)] {
        assert_eq!(fault(text), Fault::Delimiter { at }, "{text:?}");
    }
    for text in ["", " \n", "{", "[1", "\"a", "\"\\\""] {
        assert!(matches!(fault(text), Fault::NotJson(_)), "{text:?}");
    }
    let sent = encode(&mut JsonSeq::new(), &["{\n}", " 1"]);
    assert_eq!(sent, b"\x1e{\n}\n\x1e 1\n");
}

/// JSON as serde_json writes it, in one line or in several.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[a-z\\\\\"{}\\[\\]\n\x1e]{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4);
        let object = proptest::collection::hash_map("[a-z\"}]{0,3}", inner, 0..4);
        let object = object.prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>());
        prop_oneof![list.prop_map(Into::into), object.prop_map(Into::into)]
    })
}

proptest! {
    #[test]
    fn any_json_arrives(values in proptest::collection::vec(value(), 0..5), size in 1..9usize) {
        let texts: Vec<_> = values
            .iter()
            .flat_map(|value| [value.to_string(), format!("{value:#}")])
            .collect();
        let wire = encode(&mut JsonSeq::new(), &texts);
        let found = stream(JsonSeq::new(), wire.chunks(size));
        let due: Events = texts.into_iter().map(|text| Ok(text.into_bytes())).collect();
        prop_assert_eq!(found, due);
    }
}

/// It carries texts and no other bytes, up to its limit.
#[test]
fn it_says_what_it_carries() {
    let properties = JsonSeq::new().max_frame(70).properties();
    assert_eq!(properties.content, Content::Other);
    assert_eq!(properties.max_frame, 70);
}
