//! What holds for every codec, whatever arrives, with this crate alone and inputs that differ from
//! run to run. The laws of codecs are in `socketry-testkit`, for third parties' codecs too, and run
//! there against each of ours.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{codec, datagram, encode, stream};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketry_codec::{Ahead, BoxCodec, Codec, CodecSpec, Decoded, End};

/// Those with boundaries, and some of the catalogue.
fn names() -> Vec<&'static str> {
    let wires = ["content-length", "syslog", "json-seq", "ndjson"];
    [&common::NAMES[1..], &wires].concat()
}

/// Each codec with a limit that little input reaches.
fn small(name: &str) -> BoxCodec {
    let mut spec = CodecSpec::new(name);
    if name != "raw" {
        (spec.max_frame, spec.max_discard) = (Some(9), Some(17));
    }
    spec.build().unwrap()
}

/// Bytes that mean something to some codec more often than chance would have it.
fn telling() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => select(&b"{}[]\"\\\n\r\0\x01\x02\x03;a \x1e<17"[..]),
        1 => any::<u8>(),
    ];
    vec(byte, 0..64)
}

/// A frame that every codec carries, but one.
fn object() -> impl Strategy<Value = String> {
    "[a-z\\[\\]{}]{0,40}".prop_map(|text| format!("{{\"k\":\"{text}\"}}"))
}

/// A frame that this codec carries.
fn carried(name: &str, object: &str) -> String {
    let priority = if name == "syslog" { "<34>" } else { "" };
    format!("{priority}{object}")
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

proptest! {
    #[test]
    fn cuts_do_not_matter(
        name in select(names()),
        bytes in telling(),
        cuts in vec(any::<usize>(), 0..8),
    ) {
        let whole = stream(small(name), [&bytes[..]]);
        prop_assert_eq!(&stream(small(name), pieces(&bytes, &cuts)), &whole);
        prop_assert_eq!(&stream(small(name), bytes.chunks(1)), &whole);
    }

    #[test]
    fn whatever_is_taken_arrives_as_it_is(name in select(names()), frame in telling()) {
        let mut out = BytesMut::new();
        let mut sender = small(name);
        let envelope = sender.envelope(&frame);
        match sender.encode(&frame, &mut out) {
            Ok(()) => {
                prop_assert_eq!(stream(small(name), [&out[..]]), common::ok(&[&frame]));
                prop_assert_eq!(datagram(small(name), &out), common::ok(&[&frame]));
                let (before, after) = envelope.unwrap().unwrap();
                prop_assert_eq!([&before, &frame[..], &after].concat(), &out[..]);
            }
            Err(error) => {
                prop_assert!(out.is_empty());
                prop_assert_eq!(envelope, Err(error));
            }
        }
    }

    #[test]
    fn a_frame_cut_short_is_an_error(name in select(names()), object in object()) {
        let wire = encode(&mut codec(name), &[carried(name, &object)]);
        // A JSON text needs no line feed behind it.
        let cuts = wire.len() - usize::from(name == "json-seq");
        for here in 1..cuts {
            let events = stream(codec(name), [&wire[..here]]);
            let truncated = matches!(events[..], [Err(socketry_codec::Fault::Truncated { .. })]);
            prop_assert!(truncated, "{} {:?}", here, events);
        }
    }

    #[test]
    fn frames_that_arrive_together_are_found_together(
        name in select(names()),
        objects in vec(object(), 1..6),
    ) {
        let frames: Vec<_> = objects.iter().map(|object| carried(name, object)).collect();
        let wire = encode(&mut codec(name), &frames);
        let (mut many, mut one, mut ahead) = (codec(name), codec(name), Ahead::new());
        let first = many.decode_many(&wire, End::Open, &mut ahead).unwrap();
        let mut rest = &wire[..];
        for answer in std::iter::once(first).chain(ahead) {
            prop_assert_eq!(one.decode(rest, End::Open), Ok(answer));
            if let Decoded::Frame { consumed, .. } = answer {
                rest = &rest[consumed..];
            }
        }
        prop_assert!(rest.is_empty());
    }

    #[test]
    fn what_is_found_ahead_is_found_alone(name in select(names()), bytes in telling()) {
        let (mut many, mut one, mut ahead) = (small(name), small(name), Ahead::new());
        let first = many.decode_many(&bytes, End::Open, &mut ahead);
        prop_assert_eq!(&one.decode(&bytes, End::Open), &first);
        let Ok(Decoded::Frame { consumed, .. }) = first else {
            return Ok(());
        };
        let mut rest = &bytes[consumed..];
        for answer in ahead {
            prop_assert_eq!(one.decode(rest, End::Open), Ok(answer));
            if let Decoded::Frame { consumed, .. } = answer {
                rest = &rest[consumed..];
            }
        }
    }
}
