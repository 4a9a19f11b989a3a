//! JSON frames, beside `serde_json`: where an object ends, and what is one.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{Events, codec, encode, ok, stream};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};
use socketry_codec::{BareJson, Codec, Fault, Json, Reader};

/// Values of every kind, with texts that look like JSON.
fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[{}\\[\\]\":,\\\\ a]{0,8}", any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(".{0,4}|[{}\"\\\\]{1,3}", inner, 0..4)
                .prop_map(|map| Value::Object(Map::from_iter(map))),
        ]
    })
}

fn object() -> impl Strategy<Value = Value> {
    btree_map(".{0,4}|[{}\"\\\\]{1,3}", value(), 0..4)
        .prop_map(|map| Value::Object(Map::from_iter(map)))
}

/// As text: in one line, over many, or with every character beyond ASCII escaped.
fn written(value: &Value, how: usize) -> String {
    match how {
        0 => value.to_string(),
        1 => serde_json::to_string_pretty(value).unwrap(),
        _ => {
            let escape = |c: char| match c {
                ' '..='~' => c.to_string(),
                _ => c
                    .encode_utf16(&mut [0; 2])
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}"))
                    .collect(),
            };
            value.to_string().chars().map(escape).collect()
        }
    }
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,3}"
}

/// Where each value ends that `serde_json` finds, up to the first that is none, and whether there
/// was such a one.
fn ends(bytes: &[u8]) -> (Vec<usize>, bool) {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let mut ends = Vec::new();
    loop {
        match values.next() {
            None => return (ends, false),
            Some(Ok(Value::Object(_))) => ends.push(values.byte_offset()),
            Some(_) => return (ends, true),
        }
    }
}

/// Where each frame ends, up to the first error, and whether there was one.
fn frames(bytes: &[u8]) -> (Vec<usize>, bool) {
    let mut reader = Reader::new(BareJson::new());
    reader.push(bytes);
    let mut ends = Vec::new();
    loop {
        match reader.next_frame() {
            Ok(None) => {
                reader.close();
                return (ends, reader.next_frame().is_err());
            }
            Ok(Some(_)) => ends.push(bytes.len() - reader.buffered()),
            Err(_) => return (ends, true),
        }
    }
}

/// Text of which some is an object, some nearly.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let wounded = (
        object(),
        0..3usize,
        any::<Index>(),
        "[{}\\[\\]\":,\\\\a0 ]{0,2}",
    );
    let wounded = wounded.prop_map(|(value, how, at, wound)| {
        let mut bytes = written(&value, how).into_bytes();
        let at = at.index(bytes.len());
        bytes.splice(at..=at, wound.into_bytes());
        bytes
    });
    let letters = vec(select(&b"{}[]\":,\\a0 \n"[..]), 0..24);
    prop_oneof![wounded, letters]
}

proptest! {
    #[test]
    fn objects_arrive_whole_whatever_stands_between_them(
        parts in vec((object(), 0..3usize, space()), 0..5),
        before in space(),
        cuts in vec(any::<Index>(), 0..6),
    ) {
        let (mut wire, mut texts) = (before, Vec::new());
        for (value, how, after) in &parts {
            texts.push(written(value, *how));
            wire = wire + texts.last().unwrap() + after;
        }
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
        at.extend([0, wire.len()]);
        at.sort_unstable();
        let pieces = at.windows(2).map(|ends| &wire.as_bytes()[ends[0]..ends[1]]);
        let bytes: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        prop_assert_eq!(stream(BareJson::new(), pieces), ok(&bytes));
        prop_assert_eq!(ends(wire.as_bytes()), frames(wire.as_bytes()));
    }

    #[test]
    fn what_serde_json_takes_for_an_object_ends_here_where_it_ends_there(
        bytes in nearly(),
        more in nearly(),
    ) {
        let bytes = [bytes, more].concat();
        let (theirs, _) = ends(&bytes);
        let (ours, _) = frames(&bytes);
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(ours.len() >= theirs.len(), "{:?}", text);
        prop_assert_eq!(&ours[..theirs.len()], &theirs[..], "{:?}", text);
    }

    #[test]
    fn what_ends_here_and_is_an_object_ends_there_too(bytes in nearly()) {
        let mut begin = 0;
        for end in frames(&bytes).0 {
            let frame = &bytes[begin..end];
            // Only a parser can tell whether its contents are JSON.
            if serde_json::from_slice::<Value>(frame).is_ok() {
                prop_assert_eq!(ends(frame), (vec![frame.len()], false));
            }
            begin = end;
        }
    }

    #[test]
    fn what_has_no_end_here_has_none_there(bytes in nearly()) {
        let (ours, wrong) = frames(&bytes);
        if ours.is_empty() && wrong {
            prop_assert_eq!(ends(&bytes), (vec![], true));
        }
    }

    /// After a length any object arrives as it was sent. Other bytes are refused, both when they
    /// are sent and when they arrive.
    #[test]
    fn behind_a_length_an_object_is_framed_whole_and_nothing_else_is(
        value in value(),
        how in 0..3usize,
        around in space(),
    ) {
        let text = format!("{around}{}{around}", written(&value, how));
        for name in ["json", "json:>H", "json:<q"] {
            let mut out = BytesMut::new();
            let sent = codec(name).encode(text.as_bytes(), &mut out);
            prop_assert_eq!(sent.is_ok(), value.is_object(), "{}", text);
            let wire = encode(&mut codec(&name.replace("json", "struct")), &[&text]);
            let arrived: Events = stream(codec(name), [&wire[..]]);
            if value.is_object() {
                prop_assert_eq!(&out[..], &wire[..]);
                prop_assert_eq!(arrived, ok(&[text.as_bytes()]));
            } else {
                prop_assert!(matches!(arrived[..], [Err(Fault::NotJson(_))]), "{:?}", arrived);
            }
        }
    }

    #[test]
    fn a_bare_value_is_sent_if_it_is_an_object(value in value(), how in 0..3usize) {
        let text = written(&value, how);
        let sent = BareJson::new().encode(text.as_bytes(), &mut BytesMut::new());
        prop_assert_eq!(sent.is_ok(), value.is_object(), "{}", text);
    }
}

/// The one place where `serde_json` is stricter by number: it gives up one level earlier. That is
/// an error about one frame.
#[test]
fn depth_is_bounded_alike_but_for_one_level() {
    for (depth, here, there) in [(127, true, true), (128, true, false), (129, false, false)] {
        let nested = format!(
            "{}{{}}{}",
            "{\"a\":".repeat(depth - 1),
            "}".repeat(depth - 1)
        );
        let framed = stream(BareJson::new(), [nested.as_bytes()]);
        assert_eq!(framed[0].is_ok(), here, "{depth}");
        assert_eq!(
            serde_json::from_str::<Value>(&nested).is_ok(),
            there,
            "{depth}"
        );
        let wire = encode(&mut Json::default(), &[&nested]);
        assert_eq!(
            stream(Json::default(), [&wire[..]]),
            ok(&[nested.as_bytes()])
        );
    }
}
