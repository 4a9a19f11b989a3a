//! `slip` and `cobs`, alone and with a CRC: bytes of others, faults, and what comes behind them.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{codec, datagram, encode, ok, stream};
use socketry_codec::{
    Codec, CodecRegistry, CodecSpec, Content, Decoded, End, Fault, Parameters, Plus, Slip, Struct,
    Transform, limits,
};

fn limited(name: &str, max_frame: usize) -> socketry_codec::BoxCodec {
    let max_frame = Some(max_frame);
    CodecSpec {
        max_frame,
        ..CodecSpec::new(name)
    }
    .build()
    .unwrap()
}

#[test]
fn slip_escapes_two_bytes() {
    let table: [(&[u8], &[u8]); 4] = [
        (b"hello", b"\xc0hello\xc0"),
        (b"\xc0", b"\xc0\xdb\xdc\xc0"),
        (b"\xdb\xdc\xdd", b"\xc0\xdb\xdd\xdc\xdd\xc0"),
        (b"a\xc0\xc0", b"\xc0a\xdb\xdc\xdb\xdc\xc0"),
    ];
    for (frame, wire) in table {
        assert_eq!(encode(&mut codec("slip"), &[frame]), wire);
        assert_eq!(stream(codec("slip"), [wire]), ok(&[frame]));
        assert_eq!(datagram(codec("slip"), wire), ok(&[frame]));
        // One that sends no delimiter first is understood.
        assert_eq!(stream(codec("slip"), [&wire[1..]]), ok(&[frame]));
    }
}

/// The table of the article on COBS in Wikipedia, whose rows other implementations test too.
#[test]
fn cobs_is_that_of_others() {
    let count = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    let coded = |parts: &[&[u8]]| parts.concat();
    let table = [
        (vec![], coded(&[b"\x01"])),
        (vec![0], coded(&[b"\x01\x01"])),
        (vec![0, 0], coded(&[b"\x01\x01\x01"])),
        (vec![0, 0x11, 0], coded(&[b"\x01\x02\x11\x01"])),
        (
            b"\x11\x22\0\x33".to_vec(),
            coded(&[b"\x03\x11\x22\x02\x33"]),
        ),
        (b"\x11\0\0\0".to_vec(), coded(&[b"\x02\x11\x01\x01\x01"])),
        (count(1, 254), coded(&[b"\xff", &count(1, 254)])),
        (count(0, 254), coded(&[b"\x01\xff", &count(1, 254)])),
        (
            count(1, 255),
            coded(&[b"\xff", &count(1, 254), b"\x02\xff"]),
        ),
        (
            [count(2, 255), vec![0]].concat(),
            coded(&[b"\xff", &count(2, 255), b"\x01\x01"]),
        ),
        (
            [count(3, 255), vec![0, 1]].concat(),
            coded(&[b"\xfe", &count(3, 255), b"\x02\x01"]),
        ),
    ];
    for (frame, coded) in table {
        let wire = [&coded[..], b"\0"].concat();
        assert_eq!(encode(&mut codec("cobs"), &[&frame]), wire);
        assert_eq!(stream(codec("cobs"), [&wire[..]]), ok(&[&frame]));
    }
}

#[test]
fn both_forms_of_a_full_run_are_read() {
    let frame = [7; 254];
    let short = [&[0xff][..], &frame, b"\0"].concat();
    let long = [&[0xff][..], &frame, b"\x01\0"].concat();
    for limit in [254, limits::DEFAULT_MAX_FRAME] {
        let both = [&short[..], &long[..]];
        assert_eq!(stream(limited("cobs", limit), both), ok(&[&frame, &frame]));
    }
}

/// What is wrong costs one frame, and the next one begins behind the next delimiter.
#[test]
fn the_next_delimiter_begins_anew() {
    let stuffing = |at, problem| Fault::Stuffing { at, problem };
    let escape = "is db, behind which only dc or dd may stand";
    let beyond = "is a code that goes beyond the end of the frame";
    let table: [(&str, &[u8], Fault); 6] = [
        ("slip", b"\xc0a\xdbb\xc0", stuffing(1, escape)),
        ("slip", b"\xc0ab\xdb\xc0", stuffing(2, escape)),
        ("cobs", b"\x05abc\0", stuffing(0, beyond)),
        ("cobs", b"\x02a\x09\0", stuffing(2, beyond)),
        (
            "slip+crc16:ibm-sdlc",
            b"\xc0hi\0\0\xc0",
            Fault::Checksum {
                says: 0,
                is: 0x5a15,
            },
        ),
        (
            "cobs+crc32:iso-hdlc",
            b"\x04abc\0",
            Fault::Short { len: 3, least: 4 },
        ),
    ];
    for (name, wrong, fault) in table {
        let next = encode(&mut codec(name), &["next"]);
        let found = [Err(fault), Ok(b"next".to_vec())];
        for size in [1, 3, 100] {
            let bytes = [wrong, &next].concat();
            assert_eq!(stream(codec(name), bytes.chunks(size)), found, "{name}");
        }
        assert_eq!(datagram(codec(name), wrong), found[..1], "{name}");
    }
}

/// However long a frame is, no error ends the connection.
#[test]
fn noise_without_an_end_is_passed_over() {
    for (name, quiet) in [("slip", 0xc0), ("cobs", 0)] {
        let noise = vec![0x55; 40_000_000];
        let next = encode(&mut codec(name), &["next"]);
        let wire = [&noise[..], &[quiet], &next].concat();
        let found = stream(limited(name, 100), wire.chunks(1 << 16));
        assert_eq!(found.len(), 2, "{name}");
        assert!(matches!(found[0], Err(Fault::TooLong { len: None, .. })));
        assert_eq!(found[1], Ok(b"next".to_vec()));
    }
}

#[test]
fn delimiters_alone_are_no_frames() {
    for (name, byte) in [("slip", b"\xc0"), ("cobs", b"\0")] {
        assert_eq!(stream(codec(name), [&byte.repeat(9)[..]]), ok(&[]));
        assert_eq!(datagram(codec(name), byte), ok(&[]));
        assert_eq!(datagram(codec(name), b""), ok(&[]));
    }
    let mut out = BytesMut::new();
    let error = codec("slip").encode(b"", &mut out).unwrap_err();
    assert_eq!(error.fault, Fault::TooShort { len: 0, min: 1 });
    assert!(out.is_empty());
    // With a CRC it has bytes.
    let name = "slip+crc16:ibm-sdlc";
    let wire = encode(&mut codec(name), &[""]);
    assert_eq!(stream(codec(name), [&wire[..]]), ok(&[b""]));
}

#[test]
fn the_limit_is_about_the_frame_itself() {
    for name in ["slip", "cobs", "slip+crc16:usb", "cobs+crc32:>iscsi"] {
        let mut small = limited(name, 300);
        assert_eq!(small.properties().max_frame, 300);
        for frame in [[0xc0; 300], [0xdb; 300], [1; 300], [0; 300]] {
            let wire = encode(&mut small, &[frame]);
            assert_eq!(stream(limited(name, 300), [&wire[..]]), ok(&[&frame]));
            let less = stream(limited(name, 299), [&wire[..]]);
            assert!(matches!(less[..], [Err(Fault::TooLong { .. })]), "{less:?}");
        }
    }
}

#[test]
fn what_lies_as_it_is_is_not_copied() {
    let answer = codec("slip").decode(b"plain\xc0", End::Open);
    assert_eq!(answer, Ok(Decoded::frame(0..5, 6)));
    let mut escaped = codec("slip");
    let coded = Decoded::Coded {
        start: 0,
        end: 4,
        consumed: 5,
    };
    assert_eq!(escaped.decode(b"a\xdb\xdcb\xc0", End::Open), Ok(coded));
    let mut summed = codec("struct:B+crc16:ibm-sdlc");
    let wire = encode(&mut summed, &["123456789"]);
    assert_eq!(
        summed.decode(&wire, End::Open),
        Ok(Decoded::frame(1..10, 12))
    );
}

#[test]
fn the_order_of_a_crc_can_be_chosen() {
    let tail = |name: &str| encode(&mut codec(name), &["123456789"])[10..].to_vec();
    assert_eq!(tail("struct:B+crc16:ibm-sdlc"), b"\x6e\x90");
    assert_eq!(tail("struct:B+crc16:>ibm-sdlc"), b"\x90\x6e");
    assert_eq!(tail("struct:B+crc16:xmodem"), b"\x31\xc3");
    assert_eq!(tail("struct:B+crc32:iso-hdlc"), b"\x26\x39\xf4\xcb");
    assert_eq!(tail("struct:B+crc32:mpeg-2"), b"\x03\x76\xe6\xe7");
}

#[test]
fn the_names_of_sums_are_read_and_refused() {
    // It has no limit that could grow with the form of a frame.
    let tiny = |_: &mut Parameters<'_>| Ok(Struct::new("B".parse().unwrap()).max_frame(3).into());
    let all = CodecRegistry::catalogue().with("tiny", tiny);
    let short = |name: &str| all.named(name).map(|named| named.name().to_owned());
    let kept = [
        "slip+crc16:arc",
        "cobs+crc32:>iscsi",
        "raw+crc16:usb+crc32:xfer",
        "tiny+crc16:usb",
    ];
    for name in kept {
        assert_eq!(short(name).as_deref(), Ok(name));
    }
    assert_eq!(short("cobs+crc16:<usb").as_deref(), Ok("cobs+crc16:usb"));
    assert_eq!(
        short("struct:@i+crc16:arc").as_deref(),
        Ok("struct+crc16:arc")
    );
    let refused = [
        ("slip+crc16", "crc16 needs a name"),
        (
            "slip+crc32:ibm-sdlc",
            "\"ibm-sdlc\" is no CRC of 32 bits; there are aixm",
        ),
        (
            "tiny+crc32:iso-hdlc",
            "crc32:iso-hdlc may need 4 bytes for an empty frame, and tiny carries 3 at most",
        ),
        ("slip+crc8:usb", "\"crc8\" is no transform; there are crc16"),
        (
            "line+crc16:usb",
            "crc16:usb makes any bytes, and line does not carry any bytes",
        ),
        ("json+crc16:usb", "json does not carry any bytes"),
        ("slop+crc16:usb", "there are raw, line"),
        ("+crc16:usb", "names no codec"),
        ("slip+", "is no transform"),
    ];
    for (name, words) in refused {
        let error = all.build(name).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
}

#[test]
fn the_limits_of_a_sum_are_those_of_both() {
    let all = CodecRegistry::catalogue();
    let limits = |name: &str| all.named(name).unwrap().limits().to_vec();
    assert_eq!(limits("slip+crc16:usb"), ["max_frame"]);
    assert_eq!(limits("raw+crc16:usb"), ["max_frame"]);
    assert_eq!(limits("struct+crc16:usb"), ["max_frame", "max_discard"]);
    let longest = |name: &str| codec(name).properties().max_frame;
    assert_eq!(longest("struct:B+crc16:usb"), 253);
    assert_eq!(longest("struct:>H+crc32:xfer+crc16:usb"), 65_529);
    assert_eq!(codec("slip+crc16:usb").properties().min_frame, 0);
    assert_eq!(codec("dns-tcp+crc16:usb").properties().min_frame, 0);
    assert_eq!(codec("slip").properties().min_frame, 1);
    assert_eq!(codec("slip+crc16:usb").properties().content, Content::Bytes);
    let spec = CodecSpec {
        keep_last: Some(true),
        ..CodecSpec::new("slip+crc16:usb")
    };
    assert!(spec.build().unwrap_err().to_string().contains("keep_last"));
}

/// A transform of a third party, whose frame stands behind a mark in its form.
#[derive(Clone)]
struct Marked;

impl Transform for Marked {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        out.extend_from_slice(&[b"<<", frame, b">"].concat());
        Ok(())
    }
    fn restore(&mut self, _: &[u8], _: usize, _: &mut BytesMut) -> Result<(), Fault> {
        Err("it is found".into())
    }
    fn find(&self, coded: &[u8]) -> Result<Option<std::ops::Range<usize>>, Fault> {
        match coded {
            [b'<', b'<', .., b'>'] => Ok(Some(2..coded.len() - 1)),
            _ => Err("no mark".into()),
        }
    }
    fn longest(&self, frame: usize) -> usize {
        frame + 3
    }
}

#[test]
fn a_frame_within_its_form_is_found_where_it_stands() {
    let mut marked = Plus::new(Struct::new(">H".parse().unwrap()), Marked).max_frame(3);
    let wire = encode(&mut marked, &[&b"abc"[..], b"", b"z"]);
    assert_eq!(wire, b"\0\x06<<abc>\0\x03<<>\0\x04<<z>");
    let frames = ok(&[b"abc", b"", b"z"]);
    assert_eq!(stream(marked.clone(), [&wire[..]]), frames);
    assert_eq!(stream(marked.clone(), wire.chunks(1)), frames);
    assert_eq!(datagram(marked.clone(), &wire), frames);
    // Below it a codec that restores, so that the form is not in the input.
    let slip = Plus::new(Slip::new(), Marked).max_frame(3);
    let wire = encode(&mut slip.clone(), &[b"a\xc0c"]);
    assert_eq!(stream(slip.clone(), [&wire[..]]), ok(&[b"a\xc0c"]));
    // One byte above the limit, and behind it the next frame.
    let long = b"\0\x07<<abcd>\0\x04<<z>";
    let too_long = |len| Fault::TooLong {
        len: Some(len),
        max: 3,
    };
    assert_eq!(
        stream(marked.clone(), [&long[..]]),
        [Err(too_long(4)), Ok(b"z".to_vec())]
    );
    let long = encode(&mut Slip::new(), &[&b"<<ab\xc0d>"[..], b"<<z>"]);
    assert_eq!(
        stream(slip, [&long[..]]),
        [Err(too_long(4)), Ok(b"z".to_vec())]
    );
    let bad = b"\0\x02<>\0\x04<<z>";
    assert_eq!(
        stream(marked, [&bad[..]]),
        [Err("no mark".into()), Ok(b"z".to_vec())]
    );
}

/// A transform that changes nothing.
#[derive(Clone)]
struct Same;

impl Transform for Same {
    fn apply(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), Fault> {
        out.extend_from_slice(frame);
        Ok(())
    }
    fn restore(&mut self, coded: &[u8], _: usize, out: &mut BytesMut) -> Result<(), Fault> {
        self.apply(coded, out)
    }
    fn longest(&self, frame: usize) -> usize {
        frame
    }
}

/// The form of an empty frame may be too short for the codec below, and may be long enough.
#[test]
fn the_shortest_frame_of_a_sum_is_one_whose_form_is_carried() {
    let mut same = Plus::new(Slip::new(), Same);
    assert_eq!(same.properties().min_frame, 1);
    assert!(same.encode(b"", &mut BytesMut::new()).is_err());
    let mut marked = Plus::new(Slip::new(), Marked);
    assert_eq!(marked.properties().min_frame, 0);
    assert!(marked.encode(b"", &mut BytesMut::new()).is_ok());
}

#[test]
fn a_whole_frame_is_found_at_once() {
    let mut slip = Slip::new();
    let frame = Decoded::Frame {
        start: 0,
        end: 3,
        consumed: 4,
    };
    assert_eq!(slip.whole(b"abc\xc0d", End::Open), Some(frame));
    assert_eq!(slip.whole(b"\xc0abc\xc0", End::Open), None);
    let coded = Decoded::Coded {
        start: 0,
        end: 3,
        consumed: 4,
    };
    assert_eq!(slip.whole(b"a\xdb\xdc\xc0", End::Open), Some(coded));
}
