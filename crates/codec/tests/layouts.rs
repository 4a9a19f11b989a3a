//! Frames of layouts: their bytes, and what is refused.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{datagram, encode, ok, stream};
use socketry_codec::{Codec, Decoded, End, Fault, Layout};

type Frames = &'static [&'static [u8]];

fn layout(text: &str) -> Layout {
    text.parse().unwrap()
}

fn codec(text: &str) -> impl Codec + Clone {
    layout(text).codec()
}

/// The only fault of a stream.
fn fault(text: &str, wire: &[u8]) -> Fault {
    let events = stream(codec(text), [wire]);
    assert_eq!(events.len(), 1, "{events:?}");
    events[0].clone().unwrap_err()
}

fn refused(text: &str, frame: &[u8]) -> Fault {
    let mut out = BytesMut::from("as it was");
    let error = codec(text).encode(frame, &mut out).unwrap_err();
    assert_eq!((&out[..], error.skip), (&b"as it was"[..], Some(0)));
    assert_eq!(codec(text).envelope(frame).unwrap_err(), error);
    error.fault
}

/// Frames that are given out, and the bytes of protocols that carry them.
#[test]
fn payloads_are_wrapped_and_found() {
    let table: [(&str, Frames, &[u8]); 8] = [
        (">u24", &[b"ab", b""], b"\0\0\x02ab\0\0\0"),
        ("<u24", &[b"ab"], b"\x02\0\0ab"),
        ("0x0300,>H=frame", &[b"ab"], b"\x03\0\0\x06ab"),
        (
            "digits,0x3a,data,0x2c",
            &[b"hello world!", b""],
            b"12:hello world!,0:,",
        ),
        (
            "varint",
            &[b"ab", &[b'.'; 300]],
            &[b"\x02ab\xac\x02", &[b'.'; 300][..]].concat(),
        ),
        (
            "vlq",
            &[&[b'.'; 300]],
            &[b"\x82\x2c", &[b'.'; 300][..]].concat(),
        ),
        (">H=itself,data,0x00", &[b"ab"], b"\0\x05ab\0"),
        (">H=frame-tail,0x01,data,0x00", &[b"ab"], b"\0\x05\x01ab\0"),
    ];
    for (text, frames, wire) in table {
        assert_eq!(encode(&mut codec(text), frames), wire, "{text}");
        assert_eq!(stream(codec(text), [wire]), ok(frames), "{text}");
        assert_eq!(stream(codec(text), wire.chunks(1)), ok(frames), "{text}");
        assert_eq!(datagram(codec(text), wire), ok(frames), "{text}");
        for frame in frames {
            let [before, after] = envelope(text, frame);
            let whole = [&before, *frame, &after].concat();
            assert_eq!(whole, encode(&mut codec(text), &[frame]), "{text}");
        }
    }
}

fn envelope(text: &str, frame: &[u8]) -> [Vec<u8>; 2] {
    let (before, after) = codec(text).envelope(frame).unwrap().unwrap();
    [before.to_vec(), after.to_vec()]
}

#[test]
fn whole_frames_arrive_as_they_were_and_their_payload_is_found() {
    let table: [(&str, &[u8], &[u8]); 6] = [
        ("1x,varint4", b"\x30\x05\0\x01a12", b"\0\x01a12"),
        ("1x,>I=itself", b"Q\0\0\0\x07ab\0", b"ab\0"),
        (
            "2x,0x0000,>H=rest,1x",
            b"\x12\x34\0\0\0\x06\x11\x03\0\x6b\0\x03",
            b"\x03\0\x6b\0\x03",
        ),
        (">u24,6x", b"\0\0\x02\0\0\0\0\0\x01ab", b"ab"),
        ("3x,>I,data,0xce", b"\x01\0\x01\0\0\0\x02ab\xce", b"ab"),
        ("<I=frame,12x", b"\x12\0\0\0............ab", b"ab"),
    ];
    for (text, frame, payload) in table {
        let wire = encode(&mut codec(text), &[frame, frame]);
        assert_eq!(wire, [frame, frame].concat(), "{text}");
        assert_eq!(
            stream(codec(text), [&wire[..]]),
            ok(&[frame, frame]),
            "{text}"
        );
        assert_eq!(layout(text).payload(frame).unwrap(), payload, "{text}");
    }
}

#[test]
fn it_says_how_much_is_missing() {
    let table: [(&str, &[u8], usize); 7] = [
        ("2x,>H=rest,1x,data,2x", b"", 4),
        ("2x,>H=rest,1x,data,2x", b"ab\0", 1),
        ("2x,>H=rest,3x,data,2x", b"ab\0\x09.", 2),
        ("2x,>H=rest,3x,data,2x", b"ab\0\x09...12", 4),
        ("digits,0x3a", b"", 2),
        ("digits,0x3a", b"1", 1),
        ("1x,varint", b"a\x80", 1),
    ];
    for (text, wire, missing) in table {
        let answer = codec(text).decode(wire, End::Open);
        assert_eq!(answer, Ok(Decoded::Need(missing)), "{text} {wire:?}");
    }
}

#[test]
fn a_whole_frame_that_lies_about_its_length_is_not_sent() {
    let says = |says, here| Fault::OtherLength { says, here };
    assert_eq!(refused("1x,>H", b"a\0\x02b"), says(2, 1));
    assert_eq!(refused("1x,>H", b"a\0\x02bcd"), says(2, 3));
    assert_eq!(refused("1x,>H,data,1x", b"a\0\x02b"), says(2, 0));
    assert_eq!(
        refused("1x,>H", b"a\0"),
        Fault::Truncated {
            have: 2,
            missing: 1
        }
    );
    let byte = Fault::OtherByte {
        at: 4,
        expected: 0xce,
        found: 0xcf,
    };
    assert_eq!(refused("1x,>H,data,0xce", b"a\0\x01b\xcf"), byte);
}

#[test]
fn longer_forms_of_a_number_are_read_and_never_written() {
    let longer: [(&str, &[u8]); 4] = [
        ("varint", b"\x82\0ab"),
        ("varint4", b"\x82\x80\x80\0ab"),
        ("vlq", b"\x80\x02ab"),
        ("digits,0x3a", b"002:ab"),
    ];
    for (text, wire) in longer {
        assert_eq!(stream(codec(text), [wire]), ok(&[b"ab"]), "{text}");
        let strict = text.replacen(',', "-strict,", 1);
        let strict = if strict == text {
            format!("{text}-strict")
        } else {
            strict
        };
        let shortest = Fault::MalformedLength("is not in its shortest form");
        assert_eq!(fault(&strict, wire), shortest);
        let whole = format!("{text},whole");
        assert_eq!(stream(codec(&whole), [wire]), ok(&[wire]), "{text}");
        assert_eq!(refused(&whole, wire), shortest);
    }
}

#[test]
fn lengths_that_are_none_are_fatal_and_named() {
    let malformed = Fault::MalformedLength;
    let short = |says, least| Fault::ShortLength { says, least };
    let table: [(&str, &[u8], Fault); 13] = [
        (
            "varint4",
            b"\x80\x80\x80\x80\x01",
            malformed("has more bytes than it may have"),
        ),
        (
            "vlq4",
            b"\x80\x80\x80\x80\x01",
            malformed("has more bytes than it may have"),
        ),
        (
            "varint",
            &[[0xff; 9].as_slice(), &[2]].concat(),
            malformed("is above 2^64 - 1"),
        ),
        (
            "vlq",
            &[&[0x82], [0xff; 9].as_slice()].concat(),
            malformed("is above 2^64 - 1"),
        ),
        (
            "digits2,0x3a",
            b"100:",
            malformed("has more digits than it may have"),
        ),
        (
            "digits,0x3a",
            b":",
            malformed("is not decimal digits and the byte that ends them"),
        ),
        (
            "digits,0x3a",
            b"1 :",
            malformed("is not decimal digits and the byte that ends them"),
        ),
        (">h", b"\xff\xff", Fault::NegativeLength(-1)),
        (">I=frame", b"\0\0\0\x03", short(3, 4)),
        ("1x,>I=itself,2x", b"Q\0\0\0\x05..", short(5, 6)),
        (">H=rest,data,0x0000", b"\0\x01", short(1, 2)),
        (
            "0x0300,>H=frame",
            b"\x16\x03\x01\0",
            Fault::OtherByte {
                at: 0,
                expected: 3,
                found: 0x16,
            },
        ),
        (
            "digits,0x3a,data,0x2c",
            b"1:a;",
            Fault::OtherByte {
                at: 3,
                expected: b',',
                found: b';',
            },
        ),
    ];
    for (text, wire, fault) in table {
        let mut plain = codec(text);
        let error = plain.decode(wire, End::Open).unwrap_err();
        assert!(error.is_fatal(), "{text}: {error}");
        assert_eq!(error.fault, fault, "{text}");
        let contained = plain.decode(wire, End::Datagram).unwrap_err();
        assert_eq!(contained.skip, Some(wire.len() as u64), "{text}");
    }
}

#[test]
fn no_length_overflows() {
    for text in [
        ">Q",
        ">Q=frame",
        "4x,>Q,4x,data,4x",
        "varint,whole",
        "vlq,data,0x00",
    ] {
        let open = match text {
            "varint,whole" => [&[0xff; 9][..], &[1]].concat(),
            "vlq,data,0x00" => [&[0x81], &[0xff; 8][..], &[0x7f]].concat(),
            _ => vec![0xff; 16],
        };
        let error = layout(text).codec().decode(&open, End::Open).unwrap_err();
        assert!(
            matches!(error.fault, Fault::TooLong { .. }),
            "{text}: {error}"
        );
        assert!(error.is_fatal(), "{text}");
    }
}

/// Erlang's `{packet, 2}`, PHP's and Perl's `pack("n")` write the lowest 16 bits of any length.
#[test]
fn what_a_length_cannot_hold_is_not_sent() {
    let too_long = |len, max| Fault::TooLong {
        len: Some(len),
        max,
    };
    let table = [
        (">H,data", 65_536, too_long(65_536, 65_535)),
        (">H=frame", 65_534, too_long(65_534, 65_533)),
        ("varint2", 1 << 14, too_long(1 << 14, (1 << 14) - 1)),
        ("vlq1", 128, too_long(128, 127)),
        ("digits2,0x3a", 100, too_long(100, 99)),
        ("digits2=frame,0x3a", 97, too_long(97, 96)),
        ("<u24", 1 << 24, too_long(1 << 24, (1 << 24) - 1)),
    ];
    for (text, len, fault) in table {
        let codec = layout(text).codec().max_frame(usize::MAX);
        let mut plain = codec.clone();
        let frame = vec![b'.'; len];
        assert_eq!(
            plain
                .encode(&frame, &mut BytesMut::new())
                .unwrap_err()
                .fault,
            fault,
            "{text}"
        );
        let most = encode(&mut plain, &[&frame[1..]]);
        assert_eq!(stream(codec, [&most[..]]), ok(&[&frame[1..]]), "{text}");
    }
}

/// A length of variable width that counts itself grows by a byte where the number does.
#[test]
fn a_length_may_count_its_own_variable_width() {
    for text in [
        "digits=itself,0x20",
        "digits=frame,0x20,0x0000,data,0x0a",
        "varint=itself",
    ] {
        for len in (0..260).chain(16_370..16_390) {
            let frame = vec![b'.'; len];
            let wire = encode(&mut codec(text), &[&frame]);
            assert_eq!(
                stream(codec(text), [&wire[..]]),
                ok(&[&frame[..]]),
                "{text} {len}"
            );
        }
    }
    assert_eq!(
        encode(&mut codec("digits=itself,0x20"), &["12345678"]),
        b"11 12345678"
    );
    assert_eq!(
        encode(&mut codec("digits=itself,0x20"), &["1234567"]),
        b"9 1234567"
    );
}

#[test]
fn a_long_frame_is_passed_over_with_all_its_parts() {
    let codec = layout("2x,>H=rest,1x,data,2x").codec().max_frame(9);
    let good = b"ab\0\x05-ok..";
    let long = b"ab\0\x07-long..";
    let wire = [&long[..], good].concat();
    let len = Some(long.len() as u64);
    let expected = vec![Err(Fault::TooLong { len, max: 9 }), Ok(good.to_vec())];
    assert_eq!(stream(codec.clone(), [&wire[..]]), expected);
    assert_eq!(stream(codec.clone(), wire.chunks(1)), expected);
    let codec = codec.max_discard(9);
    let error = codec.clone().decode(&wire, End::Open).unwrap_err();
    assert!(error.is_fatal());
}

/// As CPython's `multiprocessing.connection` has it.
#[test]
fn a_length_of_minus_one_stands_for_one_behind_it() {
    let escape = b"\xff\xff\xff\xff";
    let long = [escape, &(1u64 << 31).to_be_bytes()[..]].concat();
    let large = || layout(">i>Q").codec().max_frame(1 << 32);
    let most = i32::MAX.to_be_bytes();
    assert_eq!(
        large().decode(&most, End::Open),
        Ok(Decoded::Need((1 << 31) - 1))
    );
    assert_eq!(large().decode(&long, End::Open), Ok(Decoded::Need(1 << 31)));
    assert_eq!(large().decode(&long[..5], End::Open), Ok(Decoded::Need(7)));
    assert_eq!(large().decode(escape, End::Open), Ok(Decoded::Need(8)));
    let all = [escape, &[0xff; 8][..]].concat();
    let too_long = Fault::TooLong {
        len: Some(u64::MAX),
        max: 8 << 20,
    };
    assert_eq!(fault(">i>Q", &all), too_long);
    for negative in [-2, i32::MIN] {
        let due = Fault::NegativeLength(negative.into());
        assert_eq!(fault(">i>Q", &negative.to_be_bytes()), due);
    }
    // Python reads a short length behind -1, and does not write it.
    let short = [escape, &2u64.to_be_bytes()[..], b"ab"].concat();
    assert_eq!(stream(codec(">i>Q"), short.chunks(1)), ok(&[b"ab"]));
    assert_eq!(encode(&mut codec(">i>Q"), &[b"ab"]), b"\0\0\0\x02ab");
    assert_eq!(
        fault(">i>Q-strict", &short),
        Fault::MalformedLength("is not in its shortest form")
    );
    assert_eq!(layout(">i>Q").header_len(), 4..=12);
}

/// The frame is never touched, so it takes no memory.
#[test]
fn a_length_above_two_gib_is_written_behind_minus_one() {
    let frame = vec![0; 1 << 31];
    let mut large = layout(">i>Q").codec().max_frame(1 << 32);
    let mut header = |len| large.envelope(&frame[..len]).unwrap().unwrap().0.to_vec();
    assert_eq!(header((1 << 31) - 1), i32::MAX.to_be_bytes());
    assert_eq!(header(1 << 31), b"\xff\xff\xff\xff\0\0\0\0\x80\0\0\0");
}

/// What is given out is the whole, so it may be longer than its length says.
#[test]
fn the_longest_whole_frame_has_all_its_parts() {
    let longest = |text: &str| codec(text).properties().max_frame;
    assert_eq!(longest("1x,B,data,0xce"), 1 + 1 + 255 + 1);
    assert_eq!(longest("B,data,0xce0d"), 255);
}
