//! Each codec, case by case.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{Events, codec, datagram, ok, stream};
use socketry_codec::{
    Affix, BareJson, Codec, CodecError, Decoded, End, Fault, Json, Line, Raw, Reader, Struct,
};

fn too_long(len: impl Into<Option<u64>>, max: u64) -> Fault {
    let len = len.into();
    Fault::TooLong { len, max }
}

fn truncated(have: usize, missing: usize) -> Fault {
    Fault::Truncated { have, missing }
}

fn refused(codec: &mut impl Codec, frame: &[u8]) -> Fault {
    let mut out = BytesMut::from("as it was");
    let error = codec.encode(frame, &mut out).unwrap_err();
    assert_eq!(&out[..], b"as it was");
    assert_eq!(codec.envelope(frame).unwrap_err(), error);
    assert_eq!(error.skip, Some(0));
    error.fault
}

fn not_json(events: &Events, at: usize) -> bool {
    matches!(&events[at], Err(Fault::NotJson(_)))
}

#[test]
fn raw_is_what_arrived() {
    assert_eq!(stream(Raw, [&b"ab"[..], b"", b"c"]), ok(&[b"ab", b"c"]));
    assert_eq!(stream(Raw, []), ok(&[]));
    assert_eq!(datagram(Raw, b""), ok(&[b""]));
    assert_eq!(datagram(Raw, b"ab"), ok(&[b"ab"]));
    assert_eq!(Raw.decode(b"", End::Open), Ok(Decoded::Need(1)));
    assert_eq!(Raw.envelope(b"x"), Ok(Some((Affix::EMPTY, Affix::EMPTY))));
    assert_eq!(common::encode(&mut Raw, &[b"ab", &b"c\n"[..]]), b"abc\n");
    assert!(Raw.at_boundary());
}

#[test]
fn lines_end_at_either_ending() {
    let table: [(&[u8], &[&[u8]]); 6] = [
        (b"a\nb\r\n", &[b"a", b"b"]),
        (b"\n\r\n", &[b"", b""]),
        (b"a\rb\n", &[b"a\rb"]),
        (b"a\r\r\n", &[b"a\r"]),
        (b"\0\n", &[b"\0"]),
        (b"", &[]),
    ];
    for (bytes, frames) in table {
        assert_eq!(stream(Line::new(), [bytes]), ok(frames), "{bytes:?}");
        assert_eq!(stream(Line::crlf(), [bytes]), ok(frames), "{bytes:?}");
    }
    let zero = stream(Line::delimited(0), [&b"a\r\0\n\0"[..]]);
    assert_eq!(zero, ok(&[b"a\r", b"\n"]));
}

/// A `\r` at the end is refused only where it would be taken for a part of the ending.
#[test]
fn a_carriage_return_is_carried_where_nothing_takes_it_off() {
    for (mut line, wire) in [
        (Line::crlf(), &b"a\r\r\n"[..]),
        (Line::delimited(0), b"a\r\0"),
        (Line::delimited(b';'), b"a\r;"),
    ] {
        assert_eq!(common::encode(&mut line, &[b"a\r"]), wire);
        assert!(line.envelope(b"a\r").is_ok());
        assert_eq!(stream(line, [wire]), ok(&[b"a\r"]));
    }
}

#[test]
fn half_a_line_is_no_line() {
    assert_eq!(
        stream(Line::new(), [&b"rm x\nrm "[..]]),
        [Ok(b"rm x".to_vec()), Err(truncated(3, 1))]
    );
    let kept = stream(Line::new().keep_last(true), [&b"a\nb"[..]]);
    assert_eq!(kept, ok(&[b"a", b"b"]));
    let none = stream(Line::new().keep_last(true), [&b"a\n"[..]]);
    assert_eq!(none, ok(&[b"a"]));
}

#[test]
fn a_datagram_ends_a_line() {
    assert_eq!(datagram(Line::new(), b""), ok(&[b""]));
    assert_eq!(datagram(Line::new(), b"a\nb"), ok(&[b"a", b"b"]));
    assert_eq!(datagram(Line::new(), b"a\n"), ok(&[b"a"]));
    assert_eq!(datagram(Line::new(), b"a\n\n"), ok(&[b"a", b""]));
    assert_eq!(
        datagram(Line::new().max_frame(2), b"abc"),
        [Err(too_long(3, 2))]
    );
}

#[test]
fn a_line_at_its_limit() {
    let line = || Line::new().max_frame(3);
    for bytes in [&b"abc\nd\n"[..], b"abc\r\nd\n"] {
        assert_eq!(stream(line(), [bytes]), ok(&[b"abc", b"d"]));
    }
    let long = |len: Option<u64>| [Err(too_long(len, 3)), Ok(b"d".to_vec())];
    assert_eq!(stream(line(), [&b"abcd\nd\n"[..]]), long(Some(4)));
    assert_eq!(stream(line(), [&b"abc\r\r\nd\n"[..]]), long(None));
    assert_eq!(stream(line(), [&b"abcdefghi\nd\n"[..]]), long(None));
    assert_eq!(refused(&mut line(), b"abcd"), too_long(4, 3));
    let zero = stream(Line::delimited(0).max_frame(3), [&b"abc\0abcd\0"[..]]);
    assert_eq!(zero, [Ok(b"abc".to_vec()), Err(too_long(None, 3))]);
}

#[test]
fn a_line_beyond_what_is_discarded_is_fatal() {
    let line = Line::new().max_frame(3).max_discard(10);
    let last = |events: Events| (events.len(), events.last().cloned());
    let spared = stream(line.clone(), [&b"123456789\nd\n"[..]]);
    assert_eq!(last(spared), (2, Some(Ok(b"d".to_vec()))));
    let given_up = stream(line.clone(), [&b"1234567890\nd\n"[..]]);
    assert_eq!(last(given_up), (2, Some(Err(too_long(None, 3)))));
    let at_once = stream(line.max_discard(0), [&b"1234\nd\n"[..]]);
    assert_eq!(last(at_once), (1, Some(Err(too_long(4, 3)))));
}

#[test]
fn a_line_is_out_of_step_only_while_it_discards() {
    let mut line = Line::new().max_frame(1);
    assert_eq!(line.decode(b"a", End::Open), Ok(Decoded::Need(1)));
    assert!(line.at_boundary());
    let error = line.decode(b"abc", End::Open).unwrap_err();
    assert_eq!(error.skip, Some(3));
    assert!(!line.at_boundary());
    assert_eq!(line.decode(b"d\ne", End::Open), Ok(Decoded::Skip(2)));
    assert!(line.at_boundary());
}

#[test]
fn lines_refuse_what_would_arrive_changed() {
    let at = |at| Fault::Delimiter { at };
    assert_eq!(refused(&mut Line::new(), b"a\nb"), at(1));
    assert_eq!(refused(&mut Line::new(), b"ab\r"), at(2));
    assert_eq!(refused(&mut Line::crlf(), b"a\nb\r"), at(1));
    assert_eq!(refused(&mut Line::delimited(0), b"\0"), at(0));
    for (mut line, wire) in [
        (Line::new(), &b"a\n"[..]),
        (Line::crlf(), b"a\r\n"),
        (Line::delimited(b';'), b"a;"),
    ] {
        assert_eq!(common::encode(&mut line, &[b"a"]), wire);
        let after = Affix::new(&wire[1..]);
        assert_eq!(line.envelope(b"a"), Ok(Some((Affix::EMPTY, after))));
    }
}

#[test]
fn struct_asks_for_exactly_what_is_missing() {
    let mut codec = Struct::new(">I".parse().unwrap());
    let wire = b"\0\0\0\x02ab";
    for (here, need) in [(0, 4), (1, 3), (3, 1), (4, 2), (5, 1)] {
        let answer = codec.decode(&wire[..here], End::Open);
        assert_eq!(answer, Ok(Decoded::Need(need)));
    }
    assert_eq!(stream(codec.clone(), [&wire[..]]), ok(&[b"ab"]));
    assert_eq!(stream(codec.clone(), [&wire[..5]]), [Err(truncated(5, 1))]);
    assert_eq!(
        datagram(codec.clone(), b"\0\0\0\0\0\0\0\x01a\0"),
        [Ok(vec![]), Ok(b"a".to_vec()), Err(truncated(1, 3))]
    );
    assert_eq!(datagram(codec, b""), ok(&[]));
}

#[test]
fn struct_at_its_limit() {
    let codec = Struct::new("B".parse().unwrap())
        .max_frame(3)
        .max_discard(5);
    assert_eq!(stream(codec.clone(), [&b"\x03abc"[..]]), ok(&[b"abc"]));
    let mut reader = Reader::new(codec.clone());
    reader.push(b"\x04ab");
    assert_eq!(
        reader.next_frame().unwrap_err(),
        CodecError::skip(too_long(4, 3), 5)
    );
    assert_eq!(reader.needs(), 3);
    reader.push(b"cd\x01x");
    assert_eq!(reader.next_frame().unwrap(), Some(&b"x"[..]));
    reader.push(b"\x05");
    let fatal = CodecError::fatal(too_long(5, 3));
    assert_eq!(reader.next_frame().unwrap_err(), fatal);
    assert!(reader.is_over());
    reader.push(b"\x01x");
    assert_eq!(reader.next_frame().unwrap(), None);
    assert_eq!(refused(&mut codec.clone(), b"abcd"), too_long(4, 3));
    assert_eq!(
        refused(&mut codec.max_frame(300), &[0; 256]),
        too_long(256, 255)
    );
}

#[test]
fn a_negative_length_is_fatal_on_a_stream() {
    let fault = Fault::NegativeLength(-2);
    let wire = b"\xfe\xff\0\x01\0a";
    for end in [End::Open, End::Closed] {
        let error = codec("struct:<h").decode(wire, end).unwrap_err();
        assert_eq!(error, CodecError::fatal(fault.clone()));
    }
    let error = codec("struct:<h").decode(wire, End::Datagram).unwrap_err();
    assert_eq!(error, CodecError::skip(fault, 6));
}

#[test]
fn json_looks_at_both_ends() {
    let table: [(&[u8], bool); 8] = [
        (b"{}", true),
        (b" {\"a\":1}\r\n", true),
        (b"", false),
        (b"[]", false),
        (b"{", true),
        (b"x{}", false),
        (b"{}x", false),
        (b"  ", false),
    ];
    for (header, good) in table {
        let good = good && header != b"{";
        let mut codec = Json::new("B".parse().unwrap());
        assert_eq!(codec.encode(header, &mut BytesMut::new()).is_ok(), good);
        let wire = [
            &common::encode(&mut common::codec("struct:B"), &[header]),
            &b"\x02{}"[..],
        ];
        let events = stream(codec, [&wire.concat()[..]]);
        assert_eq!(events.len(), 2);
        assert_eq!(not_json(&events, 0), !good, "{header:?}");
        assert_eq!(events[1], Ok(b"{}".to_vec()));
    }
    // What arrived may be another codec's; what is to be sent is our own fault.
    let arrived = Json::default()
        .decode(b"\x02\0\0\0hi", End::Open)
        .unwrap_err();
    assert!(
        arrived.to_string().contains("`struct` or `raw`"),
        "{arrived}"
    );
    let ours = refused(&mut Json::default(), b"hello").to_string();
    assert!(!ours.contains("peer"), "{ours}");
}

#[test]
fn a_json_header_at_its_limits() {
    let codec = Json::new(">H".parse().unwrap())
        .max_frame(7)
        .max_discard(10);
    assert_eq!(codec.format().to_string(), ">H");
    let wire = |header: &[u8]| common::encode(&mut common::codec("struct:>H"), &[header, b"{}"]);
    let (seven, eight, nine) = (br#"{"a":1}"#, br#"{"a":12}"#, br#"{"a":123}"#);
    assert_eq!(
        stream(codec.clone(), [&wire(seven)[..]]),
        ok(&[seven, b"{}"])
    );
    let spared = stream(codec.clone(), [&wire(eight)[..]]);
    assert_eq!(spared, [Err(too_long(8, 7)), Ok(b"{}".to_vec())]);
    let given_up = stream(codec.clone(), [&wire(nine)[..]]);
    assert_eq!(given_up, [Err(too_long(9, 7))]);
    assert_eq!(refused(&mut codec.clone(), eight), too_long(8, 7));
}

#[test]
fn bare_objects_end_at_their_own_brace() {
    let table: [(&[u8], &[&[u8]]); 6] = [
        (b"{}{}", &[b"{}", b"{}"]),
        (b" \r\n\t{} \n", &[b"{}"]),
        (br#"{"a":"}\"}\\"}{}"#, &[br#"{"a":"}\"}\\"}"#, b"{}"]),
        (br#"{"a":[{"b":[]}]}"#, &[br#"{"a":[{"b":[]}]}"#]),
        (br#"{"a":"[{"}"#, &[br#"{"a":"[{"}"#]),
        (b"", &[]),
    ];
    for (bytes, frames) in table {
        assert_eq!(stream(BareJson::new(), [bytes]), ok(frames));
        assert_eq!(stream(BareJson::new(), bytes.chunks(1)), ok(frames));
        assert_eq!(datagram(BareJson::new(), bytes), ok(frames));
    }
}

#[test]
fn bare_says_how_much_is_missing() {
    let mut codec = BareJson::new();
    for (input, need) in [
        ("", 2),
        ("{", 1),
        (r#"{"a"#, 2),
        (r#"{"a\"#, 3),
        (r#"{"a\"[":["#, 2),
    ] {
        assert_eq!(
            codec.decode(input.as_bytes(), End::Open),
            Ok(Decoded::Need(need))
        );
        codec = BareJson::new();
    }
    assert_eq!(stream(codec, [&b"{}{["[..]])[1], Err(truncated(2, 2)));
}

#[test]
fn what_is_no_object_is_fatal_on_a_stream_and_one_datagram_otherwise() {
    for wrong in [&b"x{}"[..], b"[]{}", br#"{"a":[}{}"#, br#"{]{}"#, b"\"{}\""] {
        let error = BareJson::new().decode(wrong, End::Open).unwrap_err();
        assert!(matches!(error.fault, Fault::NotJson(_)) && error.is_fatal());
        let mut reader = Reader::new(BareJson::new());
        reader.load(wrong);
        let error = reader.next_frame().unwrap_err();
        assert_eq!(error.skip, Some(wrong.len() as u64));
        assert_eq!(reader.next_frame(), Ok(None));
        reader.load(b"{}");
        assert_eq!(reader.next_frame(), Ok(Some(&b"{}"[..])));
    }
}

#[test]
fn bare_at_its_limits() {
    let codec = BareJson::new().max_frame(7).max_discard(12);
    let seven = br#"{"a":1}"#;
    assert_eq!(stream(codec.clone(), [&seven[..]]), ok(&[seven]));
    let long = [Err(too_long(None, 7)), Ok(b"{}".to_vec())];
    assert_eq!(stream(codec.clone(), [&br#"{"a":12} {}"#[..]]), long);
    assert_eq!(stream(codec.clone(), [&br#"{"a":"}}}}"}{}"#[..]]), long);
    let given_up = stream(codec.clone(), [&br#"{"a":"}}}}}"}{}"#[..]]);
    assert_eq!(given_up, [Err(too_long(None, 7)), Err(too_long(None, 7))]);
    assert_eq!(refused(&mut codec.clone(), br#"{"a":12}"#), too_long(8, 7));
    let deep = |n: usize| ["{\"a\":", &"[".repeat(n), &"]".repeat(n), "}"].concat();
    let codec = || BareJson::new().max_depth(3);
    assert_eq!(
        stream(codec(), [deep(2).as_bytes()]),
        ok(&[deep(2).as_bytes()])
    );
    assert_eq!(
        stream(codec(), [deep(3).as_bytes()]),
        [Err(Fault::TooDeep { max: 3 })]
    );
}

/// What is passed over of an object adds up alike, whether it comes at once or byte by byte.
#[test]
fn a_bare_object_is_passed_over_piece_by_piece() {
    let codec = || BareJson::new().max_frame(7).max_discard(12);
    let spared = br#"{"a":"}}}}"}{}"#;
    let given_up = br#"{"a":"}}}}}"}{}"#;
    for size in [1, 3, 5, 100] {
        let events = stream(codec(), spared.chunks(size));
        assert_eq!(
            events,
            [Err(too_long(None, 7)), Ok(b"{}".to_vec())],
            "{size}"
        );
        let events = stream(codec(), given_up.chunks(size));
        assert_eq!(
            events,
            [Err(too_long(None, 7)), Err(too_long(None, 7))],
            "{size}"
        );
    }
}

#[test]
fn a_bare_object_that_is_too_long_for_a_datagram_is_not_looked_for_in_the_next() {
    let mut reader = Reader::new(BareJson::new().max_frame(7));
    reader.load(br#"{"a":"too long"#);
    let error = reader.next_frame().unwrap_err();
    assert_eq!(error, CodecError::skip(too_long(None, 7), 14));
    reader.load(b"{}");
    assert_eq!(reader.next_frame(), Ok(Some(&b"{}"[..])));
}

#[test]
fn a_bare_object_is_out_of_step_only_while_it_discards() {
    let mut codec = BareJson::new().max_frame(7);
    assert_eq!(codec.decode(b"{", End::Open), Ok(Decoded::Need(1)));
    assert!(codec.at_boundary());
    let error = codec.decode(br#"{"a":12"#, End::Open).unwrap_err();
    assert_eq!(error.skip, Some(7));
    assert!(!codec.at_boundary());
    assert_eq!(codec.decode(b"3}{}", End::Open), Ok(Decoded::Skip(2)));
    assert!(codec.at_boundary());
    // Where nothing is passed over, there is nothing to be in the middle of.
    let mut strict = BareJson::new().max_frame(7).max_discard(6);
    assert!(
        strict
            .decode(br#"{"a":12"#, End::Open)
            .unwrap_err()
            .is_fatal()
    );
    assert!(strict.at_boundary());
}

#[test]
fn bare_sends_one_object_and_nothing_around_it() {
    for wrong in [&b""[..], b"{", b" {}", b"{} ", b"{}{}", b"[]", b"{]"] {
        assert!(matches!(
            refused(&mut BareJson::new(), wrong),
            Fault::NotJson(_)
        ));
    }
    assert_eq!(common::encode(&mut BareJson::new(), &["{}", "{}"]), b"{}{}");
}

#[test]
fn a_datagram_in_error_leaves_nothing_behind() {
    let bad: [(&str, &[u8], &[u8]); 4] = [
        ("line", &[b'a'; 9 << 20], b"a"),
        ("struct:<I", &[0xff; 25], b"\x01\0\0\0a"),
        ("json:<I", b"\x02\0\0\0hi\x02\0\0\0{}", b"\x02\0\0\0{}"),
        ("json:bare", &[b'{'; 9 << 20], b"{}"),
    ];
    for (name, bad, good) in bad {
        let mut reader = Reader::new(codec(name));
        reader.load(bad);
        assert!(reader.next_frame().is_err(), "{name}");
        assert_eq!(reader.next_frame(), Ok(None), "{name}");
        reader.load(good);
        assert!(matches!(reader.next_frame(), Ok(Some(_))), "{name}");
        assert!(reader.into_parts().0.at_boundary(), "{name}");
    }
}

#[test]
fn a_codec_by_default_is_the_one_of_its_plain_name() {
    fn alike(mut codec: impl Codec, name: &str) {
        let wire = common::encode(&mut codec, &["{}", "{}"]);
        assert_eq!(
            wire,
            common::encode(&mut common::codec(name), &["{}", "{}"])
        );
        assert_eq!(stream(codec, [&wire[..]]), ok(&[b"{}", b"{}"]), "{name}");
    }
    alike(Line::default(), "line");
    alike(Struct::default(), "struct");
    alike(Json::default(), "json");
    alike(BareJson::default(), "json:bare");
}

#[test]
fn an_affix_holds_any_number_of_bytes() {
    for len in [0, 1, 15, 16, 1000] {
        let bytes: Vec<u8> = (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let affix = Affix::new(&bytes);
        assert_eq!(&affix[..], &bytes[..]);
        assert_eq!(affix == Affix::EMPTY, len == 0);
    }
    assert_eq!(Affix::default(), Affix::EMPTY);
}

#[test]
fn a_length_that_nobody_knows_is_not_made_up() {
    let told = |len| CodecError::fatal(too_long(len, 3)).to_string();
    assert_eq!(told(Some(4)), "a frame of 4 bytes is above the limit of 3");
    assert_eq!(
        told(None),
        "a frame has not ended within the limit of 3 bytes: a line ends with its delimiter, \
         a bare JSON object with its brace; raise max_frame for longer ones"
    );
}
