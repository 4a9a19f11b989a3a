//! Guesses about captures of live peers, which the tests of `socketry-testkit` have talked to, and
//! about bytes that say little.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use proptest::prelude::*;
use socketry_codec::CodecRegistry;
use socketry_wire::{Guess, frames, guess};

/// Captures in the directory `live`: what a test sent to a peer or received of it, the codec, and
/// the number of frames.
const LIVE: &[(&str, &str, usize)] = &[
    ("bird-received", "bgp", 4),
    ("clangd-received", "lsp", 4),
    ("clangd-sent", "lsp", 6),
    ("debugpy-received", "dap", 6),
    ("debugpy-sent", "dap", 2),
    ("dnsmasq-100-sent", "dns-tcp", 100),
    ("dnsmasq-received", "dns-tcp", 1),
    ("exabgp-received", "bgp", 4),
    ("freediameter-received", "diameter", 2),
    ("kafka-python-1-received", "kafka", 3),
    ("kafka-python-2-sent", "kafka", 2),
    ("mosquitto-received", "mqtt", 6),
    ("mosquitto-sent", "mqtt", 7),
    ("native-messaging-received", "native-messaging", 2),
    ("pika-sent", "amqp", 6),
    ("postgres-received", "postgres", 24),
    ("postgres-sent", "postgres", 3),
    ("pylsp-received", "lsp", 3),
    ("pylsp-sent", "lsp", 6),
    ("pymodbus-received", "modbus-tcp", 3),
    ("pymodbus-two-sent", "modbus-tcp", 2),
    ("pymongo-1-received", "mongodb", 1),
    ("rsyslog-date-sent", "line", 2),
    ("rsyslog-empty-sent", "octet-counting", 4),
    ("rsyslog-feeds-sent", "syslog", 4),
    ("rsyslog-sent", "syslog", 3),
    ("smpplib-received", "smpp", 3),
    ("snap7-received", "tpkt", 2),
    ("unbound-order-received", "dns-tcp", 3),
];

fn live(name: &str) -> Vec<u8> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live");
    std::fs::read(directory.join(name).with_extension("bin")).unwrap()
}

fn likely(guess: &Guess) -> Vec<&str> {
    let names = guess.names[..guess.likely].iter();
    names.map(String::as_str).collect()
}

#[test]
fn captures_of_live_peers_are_known() {
    for (name, codec, count) in LIVE {
        let guesses = guess(&live(name));
        assert!(likely(&guesses[0]).contains(codec), "{name}: {guesses:?}");
        assert_eq!(guesses[0].frames, *count, "{name}");
        let next = guesses.get(1).map_or(0.0, |next| next.bits);
        assert!(guesses[0].bits > next + 8.0, "{name}: {guesses:?}");
    }
}

#[test]
fn frames_are_where_the_guess_has_found_them() {
    for (name, codec, count) in LIVE {
        let bytes = live(name);
        let opened = guess(&bytes)[0].opening.map_or(0, |(bytes, _)| bytes);
        let codec = CodecRegistry::catalogue().build(*codec).unwrap();
        let found: Vec<_> = frames(codec, &bytes[opened..]).collect();
        assert_eq!(found.len(), *count, "{name}");
        let mut at = 0;
        for one in found {
            assert_eq!(one.at, at, "{name}");
            assert!(one.frame.is_ok(), "{name}");
            at += one.len;
        }
        assert_eq!(at, bytes.len() - opened, "{name}");
    }
}

/// A capture that was stopped is still known, by the frames before.
#[test]
fn a_capture_may_end_within_a_frame() {
    for name in [
        "mosquitto-received",
        "pylsp-received",
        "unbound-order-received",
    ] {
        let bytes = live(name);
        let (whole, cut) = (guess(&bytes), guess(&bytes[..bytes.len() - 1]));
        assert_eq!(cut[0].names[0], whole[0].names[0], "{name}");
        assert_eq!(cut[0].frames, whole[0].frames - 1, "{name}");
        assert!(cut[0].unfinished > 0, "{name}");
    }
}

#[test]
fn what_cannot_be_told_apart_is_one_guess() {
    let guesses = guess(b"\0\0\0\x05hello\0\0\0\x05world");
    assert_eq!(
        likely(&guesses[0]),
        ["kafka", "erlang:4", "multiprocessing", "struct:>I"]
    );
}

#[test]
fn little_is_said_for_little() {
    let guesses = guess(b"\x05hello");
    assert!(guesses[0].bits <= 8.0, "{guesses:?}");
    assert!(guess(b"").is_empty());
    // Zeros are frames without a payload to many codecs, and say nothing.
    let guesses = guess(&[0; 4096]);
    assert!(guesses.iter().all(|guess| guess.bits == 0.0), "{guesses:?}");
}

#[test]
fn the_end_of_a_line_is_told_from_others() {
    let first = |bytes: &[u8]| guess(bytes)[0].names[0].clone();
    assert_eq!(first(b"one\ntwo\n"), "line");
    assert_eq!(first(b"one\r\ntwo\r\n"), "line:crlf");
    assert_eq!(first(b"{\"a\":1}\n{\"b\":2}\n"), "ndjson");
    assert_eq!(first(b"{\"a\":1}{\"b\":2}"), "json:bare");
}

/// Forty records with a mark, a number and noise.
fn records(len: usize) -> Vec<u8> {
    let mut noise = 1_u32;
    let mut byte = || {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.to_be_bytes()[0]
    };
    let record = |number: u8| {
        let rest = std::iter::repeat_with(&mut byte).take(len - 3);
        [0xa5, 0x5a, number]
            .into_iter()
            .chain(rest)
            .collect::<Vec<_>>()
    };
    (0..40).flat_map(record).collect()
}

#[test]
fn records_of_one_length_are_known_by_what_is_the_same_in_each() {
    for len in [7, 16, 100, 401] {
        let mut bytes = records(len);
        let guesses = guess(&bytes);
        assert_eq!(likely(&guesses[0]), [format!("fixed:{len}")], "{guesses:?}");
        assert_eq!((guesses[0].frames, guesses[0].unfinished), (40, 0));
        bytes.truncate(len * 40 - 5);
        let cut = &guess(&bytes)[0];
        assert_eq!((cut.frames, cut.unfinished), (39, len - 5), "{cut:?}");
    }
    let noise = &records(16)[3..16];
    assert!(
        guess(noise)
            .iter()
            .all(|guess| !guess.names[0].starts_with("fixed"))
    );
}

/// A fault in the middle of a capture: the frames before it tell the codec, and its place is told.
#[test]
fn a_fault_in_the_middle_is_told_with_the_frames_before_it() {
    let mut faults = 0;
    for (name, codec, count) in LIVE {
        let bytes = live(name);
        let built = CodecRegistry::catalogue().build(*codec).unwrap();
        let opened = guess(&bytes)[0].opening.map_or(0, |(bytes, _)| bytes);
        let ends: Vec<_> = frames(built, &bytes[opened..])
            .map(|found| opened + found.at + found.len)
            .collect();
        // Of a text, lines are read with the fault.
        if *count < 4 || ["line", "syslog", "octet-counting", "lsp", "dap"].contains(codec) {
            continue;
        }
        let at = ends[count / 2];
        let broken = [&bytes[..at], &[0xff; 40], &bytes[at..]].concat();
        let guesses = guess(&broken);
        // Too little may speak for the few frames before it.
        let Some(first) = guesses.first() else {
            continue;
        };
        assert!(likely(first).contains(codec), "{name}: {guesses:?}");
        assert_eq!(first.frames, count / 2 + 1, "{name}");
        match &first.fault {
            Some((place, words)) => assert_eq!(*place, at, "{name}: {words}"),
            // A length that could be one, of a frame that the capture ends in.
            None => assert_eq!(first.unfinished, broken.len() - at, "{name}"),
        }
        faults += usize::from(first.fault.is_some());
    }
    assert!(faults >= 4, "{faults}");
}

/// The bytes are given to a codec piece by piece.
#[test]
fn the_frames_of_long_captures_are_found_where_they_are() {
    let lengths = [0, 1, 65_531, 65_532, 65_533, 65_536, 200_000, 3];
    let mut bytes = Vec::new();
    let mut places = Vec::new();
    for len in lengths {
        places.push((bytes.len(), 4 + len, Some(len)));
        bytes.extend(u32::try_from(len).unwrap().to_be_bytes());
        bytes.extend(vec![b'a'; len]);
    }
    // One that is passed over, since it is too long, and more after it.
    let long = 200_000;
    let codec = || {
        let max_frame = Some(200_000);
        let spec = socketry_codec::CodecSpec {
            max_frame,
            ..socketry_codec::CodecSpec::new("struct:>I")
        };
        spec.build().unwrap()
    };
    places.push((bytes.len(), 4 + long + 1, None));
    bytes.extend(u32::try_from(long + 1).unwrap().to_be_bytes());
    bytes.extend(vec![b'b'; long + 1]);
    places.push((bytes.len(), 6, Some(2)));
    bytes.extend(b"\0\0\0\x02hi");
    places.push((bytes.len(), 70_004, None));
    bytes.extend(100_000_u32.to_be_bytes());
    bytes.extend(vec![b'c'; 70_000]);
    let found: Vec<_> = frames(codec(), &bytes)
        .map(|found| {
            (
                found.at,
                found.len,
                found.frame.ok().map(|frame| frame.len()),
            )
        })
        .collect();
    assert_eq!(found, places);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for guess in guess(&bytes) {
            prop_assert!(guess.bits.is_finite());
        }
    }

    /// Random bytes are not taken for a protocol, but with the chance that it says.
    #[test]
    fn noise_is_no_protocol(bytes in prop::collection::vec(any::<u8>(), 200..400)) {
        let best = guess(&bytes).first().map_or(0.0, |guess| guess.bits);
        prop_assert!(best < 40.0, "{:?}", guess(&bytes));
    }
}
