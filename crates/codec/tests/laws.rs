//! What holds for every codec, whatever arrives.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use bytes::BytesMut;
use common::{NAMES, codec, datagram, encode, stream};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use socketry_codec::{BoxCodec, Codec, CodecSpec, Decoded, End};

/// Each codec with a limit that little input reaches.
fn small(name: &str) -> BoxCodec {
    let mut spec: CodecSpec = name.parse().unwrap();
    if name != "raw" {
        (spec.max_frame, spec.max_discard) = (Some(9), Some(17));
    }
    spec.build().unwrap()
}

/// Bytes that mean something to some codec more often than chance would have it.
fn telling() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        4 => select(&b"{}[]\"\\\n\r\0\x01\x02\x03;a "[..]),
        1 => any::<u8>(),
    ];
    vec(byte, 0..64)
}

/// A frame that every codec carries.
fn object() -> impl Strategy<Value = String> {
    "[a-z\\[\\]{}]{0,40}".prop_map(|text| format!("{{\"k\":\"{text}\"}}"))
}

fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect()
}

/// An answer is within its bounds.
fn check(codec: &mut BoxCodec, input: &[u8], end: End) {
    match codec.decode(input, end) {
        Ok(Decoded::Need(bytes)) => assert!(bytes >= 1 && (end == End::Open || input.is_empty())),
        Ok(Decoded::Skip(bytes)) => assert!((1..=input.len()).contains(&bytes)),
        Ok(Decoded::Frame {
            start,
            end: stop,
            consumed,
        }) => {
            assert!(start <= stop && stop <= consumed && consumed <= input.len());
            assert!(consumed >= 1 || (input.is_empty() && end == End::Datagram));
        }
        Err(error) => assert!(error.skip != Some(0) && !input.is_empty()),
    }
}

proptest! {
    #[test]
    fn cuts_do_not_matter(name in select(&NAMES[1..]), bytes in telling(), cuts in vec(any::<usize>(), 0..8)) {
        let whole = stream(small(name), [&bytes[..]]);
        prop_assert_eq!(&stream(small(name), pieces(&bytes, &cuts)), &whole);
        prop_assert_eq!(&stream(small(name), bytes.chunks(1)), &whole);
    }

    #[test]
    fn every_answer_is_within_bounds(name in select(&NAMES[..]), bytes in telling()) {
        for end in [End::Open, End::Closed, End::Datagram] {
            for here in 0..=bytes.len() {
                check(&mut small(name), &bytes[..here], end);
            }
        }
    }

    #[test]
    fn frames_are_within_the_limit(name in select(&NAMES[1..]), bytes in telling()) {
        let frames = [stream(small(name), [&bytes[..]]), datagram(small(name), &bytes)].concat();
        prop_assert!(frames.iter().flatten().all(|frame| frame.len() <= 9));
    }

    #[test]
    fn a_datagram_ends_at_its_first_error(name in select(&NAMES[..]), bytes in telling()) {
        let events = datagram(small(name), &bytes);
        let good = events.iter().take_while(|event| event.is_ok()).count();
        prop_assert!(events.len() <= good + 1);
    }

    #[test]
    fn what_is_sent_arrives(
        name in select(&NAMES[1..]),
        objects in vec(object(), 0..6),
        cuts in vec(any::<usize>(), 0..8),
    ) {
        let wire = encode(&mut codec(name), &objects);
        let frames: Vec<&[u8]> = objects.iter().map(String::as_bytes).collect();
        prop_assert_eq!(stream(codec(name), pieces(&wire, &cuts)), common::ok(&frames));
        // Of nothing there is one: an empty datagram is an empty line.
        let least = usize::from(name.starts_with("line"));
        prop_assert_eq!(datagram(codec(name), &wire).len(), frames.len().max(least));
    }

    #[test]
    fn whatever_is_taken_arrives_as_it_is(name in select(&NAMES[1..]), frame in telling()) {
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
    fn a_frame_cut_short_is_an_error(name in select(&NAMES[1..]), object in object()) {
        let wire = encode(&mut codec(name), &[&object]);
        for here in 1..wire.len() {
            let events = stream(codec(name), [&wire[..here]]);
            prop_assert!(matches!(events[..], [Err(socketry_codec::Fault::Truncated { .. })]), "{} {:?}", here, events);
        }
    }

    #[test]
    fn need_never_asks_for_too_much(name in select(&NAMES[1..]), objects in vec(object(), 1..4)) {
        let wire = encode(&mut codec(name), &objects);
        let first = encode(&mut codec(name), &objects[..1]).len();
        for here in 0..first {
            let answer = codec(name).decode(&wire[..here], End::Open).unwrap();
            let Decoded::Need(bytes) = answer else { panic!("{answer:?}") };
            prop_assert!(here + bytes <= first);
        }
    }
}
