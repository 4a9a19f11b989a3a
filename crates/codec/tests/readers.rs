//! What a `Reader` keeps: how much it asks for, passes over and holds.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use socketry_codec::{Codec, Line, Raw, Reader, Struct};

/// How many bytes the next frame needs, now that there is none.
fn waits<C: Codec>(reader: &mut Reader<C>) -> u64 {
    assert_eq!(reader.next_frame(), Ok(None));
    reader.needs()
}

fn big_endian() -> Struct {
    Struct::new(">I".parse().unwrap())
}

#[test]
fn it_says_how_many_bytes_the_next_frame_needs() {
    let mut reader = Reader::new(big_endian());
    assert_eq!(reader.needs(), 1);
    reader.push(b"\0\0");
    assert_eq!(reader.needs(), 0, "not asked yet");
    assert_eq!(waits(&mut reader), 2);
    reader.push(b"\0\x05ab");
    assert_eq!(waits(&mut reader), 3);
    reader.push(b"cde");
    assert_eq!(reader.next_frame(), Ok(Some(&b"abcde"[..])));
    // Between two frames as well it is the codec that says how much one takes at least.
    assert_eq!(waits(&mut reader), 4);
}

#[test]
fn it_counts_what_it_passes_over_piece_by_piece() {
    let mut reader = Reader::new(big_endian().max_frame(3));
    reader.push(b"\0\0\0\x0a12");
    let error = reader.next_frame().unwrap_err();
    assert_eq!(error.skip, Some(14));
    // Eight of them are to come, and a byte of the next frame.
    let passed = [&b"345"[..], b"", b"6789"];
    for (piece, needs) in passed.into_iter().zip([6, 6, 2]) {
        reader.push(piece);
        assert_eq!(reader.needs(), needs, "after {piece:?}");
        assert_eq!(waits(&mut reader), needs, "after {piece:?}");
        assert_eq!(reader.buffered(), 0);
    }
    reader.push(b"0\0\0\0\x02ok");
    assert_eq!(reader.next_frame(), Ok(Some(&b"ok"[..])));
}

#[test]
fn it_holds_no_more_than_what_waits_however_long_the_stream() {
    let mut reader = Reader::new(big_endian());
    for _ in 0..10_000 {
        reader.push(b"\0\0\0\x08 a frame");
        while reader.next_frame().unwrap().is_some() {}
    }
    assert_eq!(reader.buffered(), 0);
    let (_, rest) = reader.into_parts();
    assert!(rest.capacity() < 1000, "{} bytes", rest.capacity());
}

/// A frame that waits for its end is no reason to keep all that went before it.
#[test]
fn it_makes_room_in_front_of_half_a_frame_too() {
    let mut reader = Reader::new(Line::new());
    reader.push(b"half");
    for _ in 0..10_000 {
        reader.push(b" and half\nhalf");
        assert_eq!(reader.next_frame(), Ok(Some(&b"half and half"[..])));
        assert_eq!(reader.next_frame(), Ok(None));
    }
    assert_eq!(reader.buffered(), 4);
    let (_, rest) = reader.into_parts();
    assert_eq!(rest, &b"half"[..]);
    assert!(rest.capacity() < 1000, "{} bytes", rest.capacity());
}

#[test]
fn frames_that_are_cut_stay_as_they_are_whatever_comes_then() {
    let mut reader = Reader::new(Line::new());
    let mut kept = Vec::new();
    for _ in 0..1000 {
        reader.push(b"lent\nkept\nhalf");
        assert_eq!(reader.next_frame(), Ok(Some(&b"lent"[..])));
        kept.extend(reader.next_bytes().unwrap());
        assert_eq!(reader.next_bytes(), Ok(None));
        reader.push(b"\n");
        assert_eq!(reader.next_frame(), Ok(Some(&b"half"[..])));
    }
    assert!(kept.len() == 1000 && kept.iter().all(|frame| frame == "kept"));
}

#[test]
fn taken_apart_it_gives_back_what_belongs_to_no_frame() {
    let mut reader = Reader::new(Line::new());
    reader.push(b"one\ntwo\nthr");
    assert_eq!(reader.next_frame(), Ok(Some(&b"one"[..])));
    assert_eq!(reader.into_parts().1, &b"two\nthr"[..]);
}

#[test]
fn a_new_datagram_takes_the_place_of_the_rest_of_the_old_one() {
    let mut reader = Reader::new(Line::new());
    reader.load(b"one\ntwo\n");
    assert_eq!(reader.next_frame(), Ok(Some(&b"one"[..])));
    reader.load(b"three");
    assert_eq!(reader.next_frame(), Ok(Some(&b"three"[..])));
    assert_eq!(reader.next_frame(), Ok(None));
}

#[test]
fn a_datagram_is_asked_about_until_it_is_used_up_and_not_again() {
    let mut reader = Reader::new(Raw);
    for datagram in [&b"x"[..], b"", b"y"] {
        reader.load(datagram);
        assert_eq!(reader.next_frame(), Ok(Some(datagram)));
        assert_eq!(waits(&mut reader), 1);
    }
}
