//! `syslog`: counts and lines in one connection, case by case.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{datagram, encode, ok, stream};
use socketry_codec::{Codec, CodecError, CodecSpec, Decoded, End, Fault, Syslog};

fn reads(wire: &[u8], frames: &[&[u8]]) {
    for size in [1, 2, 3, usize::MAX] {
        let found = stream(Syslog::new(), wire.chunks(size));
        assert_eq!(found, ok(frames), "{wire:?} in pieces of {size}");
    }
    assert_eq!(datagram(Syslog::new(), wire), ok(frames), "{wire:?}");
}

#[test]
fn each_message_says_how_it_is_framed() {
    reads(
        b"7 <34>one<34>two\n9 <34>three",
        &[b"<34>one", b"<34>two", b"<34>three"],
    );
    reads(
        b"<34>a\r\n<34>b\0<34>c\n\0",
        &[b"<34>a", b"<34>b", b"<34>c"],
    );
    // What is counted may hold any byte.
    reads(b"9 <34>\n\0\r5 7 <34>one", &[b"<34>\n\0\r5 ", b"<34>one"]);
}

/// rsyslog takes these for counts, and swallows what follows.
#[test]
fn digits_alone_are_no_count() {
    for line in [
        &b"2003-10-11 22:14:15 host su: failed"[..],
        b"11 Oct 22:14:15 host su: failed",
        b"12",
        b"12 ",
        b"12  <34>two spaces",
        b"12<34>no space",
        b"0 <34>nothing",
        b"000 <34>nothing",
        b"1234567890 <34>ten digits",
    ] {
        reads(&[line, b"\n7 <34>one"].concat(), &[line, b"<34>one"]);
    }
}

#[test]
fn zeros_before_a_count_are_read_and_not_written() {
    reads(b"007 <34>one000000007 <34>one", &[b"<34>one", b"<34>one"]);
    assert_eq!(encode(&mut Syslog::new(), &["<34>one"]), b"7 <34>one");
}

/// syslog-ng counts the newline that it writes behind each message.
#[test]
fn one_newline_at_the_end_is_framing() {
    reads(b"8 <34>one\n9 <34>two\n\n", &[b"<34>one", b"<34>two\n"]);
    reads(b"7 <34>one\n8 <34>two\n", &[b"<34>one", b"<34>two"]);
    let kept = stream(Syslog::new().keep_newline(true), [&b"8 <34>one\n"[..]]);
    assert_eq!(kept, ok(&[b"<34>one\n"]));
    let sent = encode(&mut Syslog::new().keep_newline(true), &["<34>one\n"]);
    assert_eq!(sent, b"8 <34>one\n");
}

#[test]
fn empty_lines_are_no_messages() {
    reads(
        b"\n\r\n\0\n7 <34>one\n\n<34>two\n\n",
        &[b"<34>one", b"<34>two"],
    );
    assert_eq!(
        Syslog::new().decode(b"", End::Datagram),
        Ok(Decoded::Need(1))
    );
    assert_eq!(
        Syslog::new().decode(b"\n\n", End::Open),
        Ok(Decoded::Skip(2))
    );
}

#[test]
fn a_datagram_is_a_message() {
    assert_eq!(datagram(Syslog::new(), b"<34>one"), ok(&[b"<34>one"]));
    assert_eq!(datagram(Syslog::new(), b"12"), ok(&[b"12"]));
}

#[test]
fn what_is_cut_is_an_error() {
    let truncated = |have, missing| [Err(Fault::Truncated { have, missing })];
    assert_eq!(stream(Syslog::new(), [&b"7 <34>on"[..]]), truncated(8, 1));
    assert_eq!(stream(Syslog::new(), [&b"<34>on"[..]]), truncated(6, 1));
    assert_eq!(stream(Syslog::new(), [&b"7 "[..]]), truncated(2, 1));
    let spec = CodecSpec {
        keep_last: Some(true),
        ..CodecSpec::new("syslog")
    };
    let kept = |wire: &[u8]| stream(spec.build().unwrap(), [wire]);
    assert_eq!(kept(b"<34>on"), ok(&[b"<34>on"]));
    assert_eq!(kept(b"7 <34>on"), truncated(8, 1));
}

#[test]
fn what_would_arrive_otherwise_is_refused() {
    let fault = |message: &[u8]| {
        let mut out = BytesMut::new();
        let error = Syslog::new().encode(message, &mut out).unwrap_err();
        assert!(out.is_empty() && error.skip == Some(0));
        error.fault
    };
    assert_eq!(fault(b""), Fault::TooShort { len: 0, min: 1 });
    assert!(fault(b"one").to_string().contains("<34>"));
    assert_eq!(fault(b"<34>one\n"), Fault::Delimiter { at: 7 });
    assert_eq!(encode(&mut Syslog::new(), &["<34>\n."]), b"6 <34>\n.");
}

#[test]
fn limits_count_the_message_alone() {
    let codec = || Syslog::new().max_frame(7).max_discard(20);
    let long = |len| {
        let fault = Fault::TooLong { len, max: 7 };
        [Err(fault), Ok(b"<34>two".to_vec())]
    };
    let next = b"7 <34>two";
    let read = |wire: &[u8]| stream(codec(), [&[wire, next].concat()[..]]);
    let good = ok(&[b"<34>one", b"<34>two"]);
    for wire in [
        &b"7 <34>one"[..],
        b"8 <34>one\n",
        b"<34>one\n",
        b"<34>one\r\n",
    ] {
        assert_eq!(read(wire), good, "{wire:?}");
    }
    assert_eq!(read(b"8 <34>four"), long(Some(8)));
    assert_eq!(read(b"9 <34>four\n"), long(Some(9)));
    assert_eq!(read(b"<34>four\n"), long(Some(8)));
    assert_eq!(read(b"<34>and more\0"), long(None));
    // The count alone tells how far to pass over.
    let error = codec().decode(b"10 <", End::Open).unwrap_err();
    let fault = Fault::TooLong {
        len: Some(10),
        max: 7,
    };
    assert_eq!(error, CodecError::skip(fault.clone(), 13));
    let error = codec().decode(b"18 <", End::Open).unwrap_err();
    assert!(error.is_fatal());
    // No more than nine digits are written.
    let longest = Syslog::new().max_frame(usize::MAX).properties().max_frame;
    assert_eq!(longest, 999_999_999);
}
