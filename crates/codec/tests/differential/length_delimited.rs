//! `struct` and tokio-util's `LengthDelimitedCodec`.
//!
//! Frames are the same, byte for byte, both ways. What differs, and is meant to, each shown by a
//! test below:
//!
//! | what | `LengthDelimitedCodec` | `struct` |
//! |---|---|---|
//! | a frame above the limit | ends the conversation | is passed over, up to a limit of its own |
//! | the same error, asked again | the same again, for the same bytes | told once |
//! | a stream that ends behind a header | ends well, and the frame is lost without a word | `Truncated` |
//! | a length that is only claimed | reserves memory for it | reserves nothing |
//! | a length below zero | a huge one | `NegativeLength` |

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketry_codec::{Codec, Decoded, End, Fault, Format, Struct};
use tokio_util::codec::{Decoder, Encoder, LengthDelimitedCodec};

use crate::common::{Events, encode, stream};
use crate::wires::{cuts, pieces, theirs};

/// The longest frame here, in bytes.
const MOST: usize = 40;

/// Formats that both know: unsigned, of 1, 2, 4 and 8 bytes.
const FORMATS: [&str; 8] = [">I", "<I", ">H", "<H", ">Q", "<Q", "B", "!L"];

fn ours(format: &str) -> Struct {
    Struct::new(format.parse().unwrap()).max_frame(MOST)
}

fn other(format: &str) -> LengthDelimitedCodec {
    let size = format.parse::<Format>().unwrap().size();
    let mut builder = LengthDelimitedCodec::builder();
    builder.length_field_length(size).max_frame_length(MOST);
    if format.starts_with('<') {
        builder.little_endian();
    }
    builder.new_codec()
}

/// Frames, most of them within the limit, and perhaps some other bytes among them.
fn wire() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let frame = vec(any::<u8>(), 0..MOST + 3);
    let noise = prop_oneof![6 => Just(vec![]), 1 => vec(any::<u8>(), 0..6)];
    (select(&FORMATS[..]), vec((frame, noise), 0..8)).prop_map(|(format, parts)| {
        let mut wire = BytesMut::new();
        for (frame, noise) in parts {
            let mut any_length = ours(format).max_frame(2 * MOST);
            any_length.encode(&frame, &mut wire).unwrap();
            wire.extend_from_slice(&noise);
        }
        (format, wire.to_vec())
    })
}

/// What is the same of both: frames up to the first that is none, and that there was one.
fn agree(format: &str, wire: &[u8], pieces: &[&[u8]]) {
    let ours: Events = stream(ours(format), pieces.iter().copied());
    let theirs = theirs(other(format), pieces, false);
    let good = theirs.iter().take_while(|event| event.is_ok()).count();
    for (ours, theirs) in ours.iter().zip(&theirs[..good]) {
        assert_eq!(
            ours.as_deref().unwrap(),
            &theirs.as_ref().unwrap()[..],
            "{format} {wire:?}"
        );
    }
    match (ours.get(good), theirs.get(good)) {
        (None, None) => {}
        (Some(Err(Fault::TooLong { .. } | Fault::Truncated { .. })), Some(Err(_))) => {}
        // Their decoder has taken the header already, and finds nothing amiss with an end right
        // behind it.
        (Some(Err(Fault::Truncated { have, .. })), None) => {
            assert_eq!(*have, format.parse::<Format>().unwrap().size());
        }
        (ours, theirs) => panic!("{format} {wire:?}: {ours:?} and {theirs:?}"),
    }
}

proptest! {
    #[test]
    fn frames_are_found_alike((format, wire) in wire(), cuts in cuts()) {
        agree(format, &wire, &pieces(&wire, &cuts));
    }

    #[test]
    fn any_bytes_are_taken_alike(
        format in select(&FORMATS[..]),
        bytes in vec(select(&[0u8, 1, 2, 3, 39, 40, 41, 255][..]), 0..40),
        cuts in cuts(),
    ) {
        agree(format, &bytes, &pieces(&bytes, &cuts));
    }

    #[test]
    fn frames_are_written_alike_and_refused_alike(
        format in select(&FORMATS[..]),
        frame in vec(any::<u8>(), 0..2 * MOST),
    ) {
        let (mut out, mut theirs) = (BytesMut::new(), BytesMut::new());
        let written = ours(format).encode(&frame, &mut out);
        let encoded = other(format).encode(bytes::Bytes::from(frame), &mut theirs);
        prop_assert_eq!(written.is_ok(), encoded.is_ok());
        prop_assert_eq!(out, theirs);
    }
}

fn too_long_and_then_good() -> Vec<u8> {
    let mut wire = encode(&mut ours(">I").max_frame(50), &[[7; 50]]);
    wire.extend(encode(&mut ours(">I"), &[b"good"]));
    wire
}

#[test]
fn a_frame_above_the_limit_is_passed_over_here_and_the_end_there() {
    let wire = too_long_and_then_good();
    let there = theirs(other(">I"), &[&wire], false);
    assert!(matches!(there[..], [Err(_)]));
    let here = stream(ours(">I"), [&wire[..]]);
    let [Err(refused), Ok(good)] = &here[..] else {
        panic!("{here:?}");
    };
    let (len, max) = (Some(50), 40);
    assert_eq!(*refused, Fault::TooLong { len, max });
    assert_eq!(good, b"good");
}

#[test]
fn an_error_is_told_once_here_and_for_ever_there() {
    let mut buf = BytesMut::from(&too_long_and_then_good()[..]);
    let mut there = other(">I");
    for _ in 0..3 {
        assert!(there.decode(&mut buf).is_err());
    }
    assert_eq!(
        buf.len(),
        too_long_and_then_good().len(),
        "and it stays where it is"
    );
}

#[test]
fn an_end_behind_a_header_is_an_error_here_and_none_there() {
    let header = b"\0\0\0\x05";
    assert!(theirs(other(">I"), &[header], false).is_empty());
    let here = stream(ours(">I"), [&header[..]]);
    assert_eq!(
        here,
        [Err(Fault::Truncated {
            have: 4,
            missing: 5
        })]
    );
}

#[test]
fn a_claim_costs_nothing_here_and_its_length_there() {
    let claim = (8u32 << 20).to_be_bytes();
    let mut buf = BytesMut::from(&claim[..]);
    assert!(
        LengthDelimitedCodec::new()
            .decode(&mut buf)
            .unwrap()
            .is_none()
    );
    assert!(buf.capacity() >= 8 << 20);
    // Here it is a number, for a reader to believe as far as it likes.
    let mut here = Struct::new(">I".parse().unwrap());
    assert_eq!(here.decode(&claim, End::Open), Ok(Decoded::Need(8 << 20)));
}

#[test]
fn a_negative_length_is_one_here_and_huge_there() {
    let minus_one = [0xff; 4];
    let here = stream(ours(">i"), [&minus_one[..]]);
    assert_eq!(here, [Err(Fault::NegativeLength(-1))]);
    let error = other(">I")
        .decode(&mut BytesMut::from(&minus_one[..]))
        .unwrap_err();
    assert!(error.to_string().contains("frame size too big"), "{error}");
}
