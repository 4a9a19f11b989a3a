//! `content-length`: what is written, what is read, and what is refused.

mod common;

use common::{datagram, encode, ok, stream};
use socketry_codec::{Codec, ContentLength, Decoded, End, Fault};

fn fault(wire: &[u8]) -> Fault {
    let whole = ContentLength::new().decode(wire, End::Open);
    let Err(error) = whole else {
        panic!("{whole:?}");
    };
    let pieces = stream(ContentLength::new(), wire.chunks(1));
    assert_eq!(pieces.first(), Some(&Err(error.fault.clone())));
    assert!(error.is_fatal());
    let contained = ContentLength::new().decode(wire, End::Datagram);
    assert_eq!(contained.map_err(|e| e.skip), Err(Some(wire.len() as u64)));
    error.fault
}

#[test]
fn one_header_is_written_and_nothing_else() {
    let mut codec = ContentLength::new();
    let wire = encode(&mut codec, &["{}", ""]);
    assert_eq!(
        wire,
        b"Content-Length: 2\r\n\r\n{}Content-Length: 0\r\n\r\n"
    );
    assert_eq!(stream(codec.clone(), [&wire[..]]), ok(&[b"{}", b""]));
    assert_eq!(datagram(codec, &wire), ok(&[b"{}", b""]));
}

#[test]
fn headers_of_many_forms_are_read() {
    let table: [&[u8]; 9] = [
        b"Content-Length: 2\r\n\r\n{}",
        b"content-length:2\r\n\r\n{}",
        b"CONTENT-LENGTH: \t 2 \r\n\r\n{}",
        b"Content-Length: 2\n\n{}",
        b"Content-Length: 002\n\r\n{}",
        b"Content-Type: a; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Type: a:b\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"X:\r\nContent-Length: 2\r\n:\r\n\r\n{}",
    ];
    for wire in table {
        let shown = String::from_utf8_lossy(wire);
        assert_eq!(
            stream(ContentLength::new(), [wire]),
            ok(&[b"{}"]),
            "{shown}"
        );
        let pieces = wire.chunks(1);
        assert_eq!(
            stream(ContentLength::new(), pieces),
            ok(&[b"{}"]),
            "{shown}"
        );
    }
}

#[test]
fn it_says_how_much_is_missing() {
    let answer = |wire| ContentLength::new().decode(wire, End::Open);
    assert_eq!(answer(b"Content-Length: 7\r\n\r\nab"), Ok(Decoded::Need(5)));
    let most = b"Content-Length: 999999999999999999\r\n\r\n";
    let error = answer(most).expect_err("it is long");
    let (len, max) = (Some(999_999_999_999_999_999), 8 << 20);
    assert_eq!(error.fault, Fault::TooLong { len, max });
}

#[test]
fn a_header_without_one_length_is_fatal() {
    let number = "Content-Length is not one to 18 decimal digits";
    let table: [(&[u8], Fault); 9] = [
        (b"\r\n{}", "a blank line before a header".into()),
        (
            b"Content-Type: a\n\n",
            "a header without a Content-Length".into(),
        ),
        (b"{\"id\":1}\r\n", Fault::MalformedLength("no")),
        (
            b"GET / HTTP/1.1\r\n",
            "a header line without a colon".into(),
        ),
        (
            b"Content-Length: 2\r\nContent-Length: 3\r\n",
            "a header with two lengths".into(),
        ),
        (b"Content-Length: -2\r\n", Fault::MalformedLength(number)),
        (b"Content-Length: 2, 2\r\n", Fault::MalformedLength(number)),
        (b"Content-Length:\r\n", Fault::MalformedLength(number)),
        (
            b"Content-Length: 1000000000000000000\r\n",
            Fault::MalformedLength(number),
        ),
    ];
    for (wire, expected) in table {
        if expected == Fault::MalformedLength("no") {
            // It has a colon, and so could be a header line.
            let answer = ContentLength::new().decode(wire, End::Open);
            assert!(answer.is_ok(), "{answer:?}");
        } else {
            assert_eq!(fault(wire), expected);
        }
    }
}

#[test]
fn a_header_has_an_end_within_its_bound() {
    let line = b"X: 1\r\n".repeat(700);
    assert_eq!(fault(&line), "a header of more than 4096 bytes".into());
    let full = [&b"X: 1\r\n".repeat(682)[..], b"X:\r\n"].concat();
    assert_eq!(full.len(), 4096);
    assert_eq!(fault(&full), "a header of more than 4096 bytes".into());
    let waits = ContentLength::new().decode(&full[..4095], End::Open);
    assert_eq!(waits, Ok(Decoded::Need(1)));
    let fits = b"X: 1\r\n".repeat(600);
    let wire = [&fits[..], b"Content-Length: 1\r\n\r\n1"].concat();
    assert_eq!(stream(ContentLength::new(), [&wire[..]]), ok(&[b"1"]));
    assert_eq!(stream(ContentLength::new(), wire.chunks(7)), ok(&[b"1"]));
}

#[test]
fn a_long_payload_is_passed_over_with_its_header() {
    let codec = ContentLength::new().max_frame(3);
    let wire = encode(&mut ContentLength::new(), &["abcd", "abc"]);
    let too_long = Fault::TooLong {
        len: Some(4),
        max: 3,
    };
    let expected = vec![Err(too_long), Ok(b"abc".to_vec())];
    assert_eq!(stream(codec.clone(), [&wire[..]]), expected);
    assert_eq!(stream(codec, wire.chunks(1)), expected);
}

/// A caller that reads a stream and then a datagram, with one codec.
#[test]
fn a_shorter_input_than_the_last_one_is_read_from_its_begin() {
    let mut codec = ContentLength::new();
    let cut = codec.decode(b"Content-Length: 12345\r\nContent-Ty", End::Open);
    assert!(matches!(cut, Ok(Decoded::Need(_))), "{cut:?}");
    let whole = codec.decode(b"Content-Length: 2\r\n\r\n{}", End::Datagram);
    assert_eq!(whole, Ok(Decoded::frame(21..23, 23)));
}
