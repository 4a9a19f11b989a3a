//! Frames that end at several bytes, and frames of one length, case by case.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{codec, datagram, encode, ok, stream};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketry_codec::{
    BoxCodec, Codec, CodecSpec, Decoded, Delimited, Delimiter, End, Fault, Reader,
};

fn delimited(bytes: &[u8]) -> Delimited {
    Delimited::new(Delimiter::new(bytes).unwrap())
}

/// The delimiters that a search gets wrong: each begins anew within itself.
const REPETITIVE: [&str; 5] = ["aab", "aa", "abab", "abaab", "baaa"];

/// What is found one byte at a time, each time from the front.
fn naive(delimiter: &str, mut wire: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let size = delimiter.len();
    while let Some(at) = wire
        .windows(size)
        .position(|window| window == delimiter.as_bytes())
    {
        frames.push(wire[..at].to_vec());
        wire = &wire[at + size..];
    }
    frames
}

/// Letters of the delimiters.
fn letters() -> impl Strategy<Value = Vec<u8>> {
    vec(select(&b"aab"[..]), 0..40)
}

proptest! {
    #[test]
    fn frames_are_those_of_a_plain_search(
        delimiter in select(&REPETITIVE[..]),
        wire in letters(),
        size in 1..9usize,
    ) {
        let due = naive(delimiter, &wire);
        let mut reader = Reader::new(delimited(delimiter.as_bytes()));
        let mut found = Vec::new();
        for piece in wire.chunks(size) {
            reader.push(piece);
            while let Some(frame) = reader.next_frame().unwrap() {
                found.push(frame.to_vec());
            }
        }
        prop_assert_eq!(found, due);
    }

    #[test]
    fn what_would_arrive_otherwise_is_refused_and_nothing_else(
        delimiter in select(&REPETITIVE[..]),
        frame in letters(),
    ) {
        let wire = [&frame, delimiter.as_bytes()].concat();
        let arrives = naive(delimiter, &wire).first() == Some(&frame);
        let mut out = BytesMut::new();
        match delimited(delimiter.as_bytes()).encode(&frame, &mut out) {
            Ok(()) => prop_assert!(arrives && out == wire),
            Err(error) => {
                let at = naive(delimiter, &wire)[0].len();
                prop_assert!(!arrives && out.is_empty());
                prop_assert_eq!(error.fault, Fault::Delimiter { at });
            }
        }
    }

    /// However long a frame is, what is passed over ends at its delimiter.
    #[test]
    fn the_frame_behind_one_that_is_too_long_is_found(
        delimiter in select(&REPETITIVE[..]),
        before in select(&["", "c", "ccc"][..]),
        rest in letters(),
        size in 1..9usize,
    ) {
        let whole = [before.as_bytes(), &rest, delimiter.as_bytes()].concat();
        let first = &naive(delimiter, &whole)[0];
        let wire = [first, delimiter.as_bytes(), b"c", delimiter.as_bytes()].concat();
        let codec = delimited(delimiter.as_bytes()).max_frame(2);
        let found = stream(codec, wire.chunks(size));
        if first.len() > 2 {
            let too_long = matches!(found[0], Err(Fault::TooLong { max: 2, .. }));
            prop_assert!(too_long);
        } else {
            prop_assert_eq!(&found[..1], &ok(&[first])[..]);
        }
        prop_assert_eq!(&found[1..], &ok(&[b"c"])[..]);
    }
}

#[test]
fn exactly_these_bytes_end_a_frame() {
    type Row<'a> = (&'a str, &'a [u8], &'a [&'a [u8]]);
    let table: [Row<'_>; 5] = [
        (
            "line:0x0d0a2e0d0a",
            b"a\r\n..\r\n\r\n.\r\n",
            &[b"a\r\n..\r\n"],
        ),
        ("line:0x0a", b"a\r\nb\n", &[b"a\r", b"b"]),
        ("line:0x0d0a", b"a\nb\r\nc\r\r\n", &[b"a\nb", b"c\r"]),
        ("line:0x00FF", b"\0\0\xff\0\xff", &[b"\0", b""]),
        ("line:0x616162", b"aaab", &[b"a"]),
    ];
    for (name, wire, frames) in table {
        assert_eq!(stream(codec(name), [wire]), ok(frames), "{name}");
        assert_eq!(stream(codec(name), wire.chunks(1)), ok(frames), "{name}");
        assert_eq!(datagram(codec(name), wire), ok(frames), "{name}");
        assert_eq!(encode(&mut codec(name), frames), wire, "{name}");
    }
}

#[test]
fn half_a_delimiter_ends_nothing() {
    let truncated = Err(Fault::Truncated {
        have: 3,
        missing: 1,
    });
    assert_eq!(stream(codec("line:0x0d0a"), [&b"ab\r"[..]]), [truncated]);
    let spec = CodecSpec {
        keep_last: Some(true),
        ..CodecSpec::new("line:0x0d0a")
    };
    let kept = stream(spec.build().unwrap(), [&b"ab\r"[..]]);
    assert_eq!(kept, ok(&[b"ab\r"]));
    assert_eq!(datagram(codec("line:0x0d0a"), b"ab\r"), ok(&[b"ab\r"]));
}

/// At most the delimiter's bytes are looked at once more, and none of them is dropped.
#[test]
fn the_beginning_of_a_delimiter_is_not_passed_over() {
    let mut codec = delimited(b"abc").max_frame(2).max_discard(100);
    let error = codec.decode(b"xxxab", End::Open).unwrap_err();
    assert_eq!(error.skip, Some(3));
    assert!(!codec.at_boundary());
    assert_eq!(codec.decode(b"ab", End::Open), Ok(Decoded::Need(1)));
    assert_eq!(codec.decode(b"abab", End::Open), Ok(Decoded::Skip(2)));
    assert_eq!(codec.decode(b"abcd", End::Open), Ok(Decoded::Skip(3)));
    assert!(codec.at_boundary());
    // At the end they are no delimiter any more.
    codec.decode(b"xxxab", End::Open).unwrap_err();
    assert_eq!(codec.decode(b"ab", End::Closed), Ok(Decoded::Skip(2)));
}

#[test]
fn delimiters_have_1_to_64_bytes() {
    let longest = format!("line:0x{}", "0d".repeat(64));
    assert!(longest.parse::<BoxCodec>().is_ok());
    for name in ["line:0x", "line:0x0", "line:0xgg", &format!("{longest}0d")] {
        let error = name.parse::<BoxCodec>().unwrap_err().to_string();
        assert!(
            error.contains("hexadecimal digits of 1 to 64 bytes"),
            "{error}"
        );
    }
    assert_eq!(Delimiter::new(b"\r\n").unwrap().to_string(), "0x0d0a");
    assert_ne!(Delimiter::new(b"\r\n"), Delimiter::new(b"\n\r"));
}

#[test]
fn all_frames_have_one_length() {
    let three = || codec("fixed:3");
    assert_eq!(
        stream(three(), [&b"abc\0\0\0"[..]]),
        ok(&[b"abc", b"\0\0\0"])
    );
    let truncated = |have, missing| Err(Fault::Truncated { have, missing });
    let cut = [Ok(b"abc".to_vec()), truncated(2, 1)];
    assert_eq!(stream(three(), b"abcde".chunks(2)), cut);
    assert_eq!(datagram(three(), b"abcde"), cut);
    assert_eq!(datagram(three(), b""), ok(&[]));
    assert_eq!(three().decode(b"a", End::Open), Ok(Decoded::Need(2)));
    assert_eq!(encode(&mut three(), &["abc", "def"]), b"abcdef");
    let fault = |frame: &[u8]| {
        three()
            .encode(frame, &mut BytesMut::new())
            .unwrap_err()
            .fault
    };
    assert_eq!(fault(b"ab"), Fault::TooShort { len: 2, min: 3 });
    let too_long = Fault::TooLong {
        len: Some(4),
        max: 3,
    };
    assert_eq!(fault(b"abcd"), too_long);
}

#[test]
fn a_length_for_all_has_to_be_one() {
    for name in [
        "fixed",
        "fixed:",
        "fixed:0",
        "fixed:-1",
        "fixed:>I",
        "fixed:99999999999999999999",
    ] {
        let error = name.parse::<BoxCodec>().unwrap_err().to_string();
        assert!(error.contains("1 at least: fixed:16"), "{error}");
    }
    let spec = CodecSpec {
        max_frame: Some(3),
        ..CodecSpec::new("fixed:3")
    };
    let error = spec.build().unwrap_err().to_string();
    assert_eq!(
        error,
        "max_frame does not apply to the codec fixed:3; it takes none"
    );
}
