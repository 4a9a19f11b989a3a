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

fn likely(guess: &Guess) -> &[&'static str] {
    &guess.names[..guess.likely]
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
    let first = |bytes: &[u8]| guess(bytes)[0].names[0];
    assert_eq!(first(b"one\ntwo\n"), "line");
    assert_eq!(first(b"one\r\ntwo\r\n"), "line:crlf");
    assert_eq!(first(b"{\"a\":1}\n{\"b\":2}\n"), "ndjson");
    assert_eq!(first(b"{\"a\":1}{\"b\":2}"), "json:bare");
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
