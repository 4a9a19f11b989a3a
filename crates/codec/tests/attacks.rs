//! Attacks that worked on other libraries, without I/O. `crates/testkit/tests/attacks` runs them
//! against sockets and apps, and lists them all.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::time::{Duration, Instant};

use common::{codec, stream};
use socketry_codec::{BareJson, Codec, End, Fault, Line, Reader};

/// zmq.rs aborts its process on 73 bytes that claim more than can be allocated; message-io says
/// nothing at all.
#[test]
fn lengths_that_nobody_sends() {
    for name in ["b", "h", "<i", ">i", "q", ">q", "<I", ">I", "Q", ">Q"] {
        for family in ["struct", "json"] {
            let mut reader = Reader::new(codec(&format!("{family}:{name}")));
            reader.push(&[0xff; 73]);
            let error = reader.next_frame().unwrap_err();
            assert!(error.is_fatal(), "{name}: {error}");
            assert!(reader.next_frame().is_ok(), "{name}: told once");
        }
    }
}

/// tokio-util's `LengthDelimitedCodec` reserves what four bytes claim, 8 MiB as it comes.
#[test]
fn a_claim_is_not_asked_for_beyond_the_limit() {
    let mut one_terabyte = codec("struct:>Q");
    let error = one_terabyte.decode(&(1u64 << 40).to_be_bytes(), End::Open);
    let fault = error.unwrap_err().fault;
    assert!(matches!(fault, Fault::TooLong { len: Some(len), .. } if len == 1 << 40));
}

/// distant adds a claimed length to that of its header, and the sum overflows.
#[test]
fn sums_do_not_overflow() {
    for length in [u64::MAX, u64::MAX - 7, u64::MAX - 8, i64::MAX as u64] {
        let greedy = socketry_codec::Struct::new("<Q".parse().unwrap());
        let mut greedy = greedy.max_frame(usize::MAX).max_discard(u64::MAX);
        for end in [End::Open, End::Closed, End::Datagram] {
            let mut bytes = length.to_le_bytes().to_vec();
            bytes.push(0);
            let _ = greedy.decode(&bytes, end);
        }
        let mut small = greedy.max_frame(1);
        let error = small.decode(&length.to_le_bytes(), End::Open).unwrap_err();
        assert_eq!(error.skip, length.checked_add(8));
    }
}

/// Byte by byte; a scan that began anew each time would take minutes.
fn byte_by_byte(codec: impl Codec, bytes: &[u8]) -> common::Events {
    let begin = Instant::now();
    let events = stream(codec, bytes.chunks(1));
    assert!(begin.elapsed() < Duration::from_secs(20), "not linear");
    events
}

#[test]
fn a_line_without_an_end_is_scanned_once() {
    let events = byte_by_byte(Line::new(), &[b'a'; 2 << 20]);
    assert!(matches!(events[..], [Err(Fault::Truncated { .. })]));
}

/// asynchronous-codec looks at all of it again for every piece that comes: 2 MB of JSON take
/// quadratic time.
#[test]
fn json_without_an_end_is_scanned_once() {
    for (begin, go_on) in [
        (r#"{"a":["x\"""#, b','),
        (r#"{"a":""#, b'\\'),
        (r#"{"a":""#, b'a'),
    ] {
        let mut endless = begin.as_bytes().to_vec();
        endless.resize(2 << 20, go_on);
        let events = byte_by_byte(BareJson::new(), &endless);
        assert!(matches!(events[..], [Err(Fault::Truncated { .. })]));
    }
}

#[test]
fn an_endless_line_or_object_is_given_up() {
    for codec in [codec("line"), codec("json:bare")] {
        let mut reader = Reader::new(codec);
        let mut errors = 0;
        reader.push(b"{\"");
        for _ in 0..17 << 4 {
            reader.push(&[b'a'; 64 << 10]);
            errors += usize::from(reader.next_frame().is_err());
            assert!(reader.buffered() <= (8 << 20) + 2);
        }
        assert_eq!((errors, reader.is_over()), (2, true));
    }
}

#[test]
fn nesting_without_end() {
    for open in ["[", "{", "{\"a\":["] {
        let deep = ["{", &open.repeat(100_000)].concat();
        let events = stream(BareJson::new(), [deep.as_bytes()]);
        assert_eq!(events, [Err(Fault::TooDeep { max: 128 })]);
    }
}
