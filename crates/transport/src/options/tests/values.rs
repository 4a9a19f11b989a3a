//! Values: units, and options that are merged.

use std::time::Duration;

use proptest::prelude::*;

use super::{at, group};
use crate::options::{MulticastGroup, SocketOptions};
use crate::units::{
    format_bytes, format_duration, format_mode, parse_bytes, parse_duration, parse_mode,
};

#[test]
fn units_read_what_people_write() {
    let bytes = [
        ("0", 0),
        ("1B", 1),
        ("64KiB", 65_536),
        ("1.5 MiB", 1_572_864),
        ("2GiB", 2 << 30),
        ("3kB", 3_000),
        ("3KB", 3_000),
        ("1MB", 1_000_000),
        (" 1GB ", 1_000_000_000),
    ];
    for (text, value) in bytes {
        assert_eq!(parse_bytes(text), Ok(value), "{text}");
    }
    for text in [
        "",
        "KiB",
        "-1",
        "1.5",
        "1.B",
        "1kib",
        "1e3",
        "99999999999GiB",
        "1KiB1",
    ] {
        assert!(parse_bytes(text).is_err(), "{text}");
    }
    let times = [
        ("0", Duration::ZERO),
        ("5", Duration::from_secs(5)),
        ("1.5", Duration::from_millis(1_500)),
        ("250ms", Duration::from_millis(250)),
        ("1.5s", Duration::from_millis(1_500)),
        ("7us", Duration::from_micros(7)),
        ("7µs", Duration::from_micros(7)),
        ("1h30m", Duration::from_secs(5_400)),
        ("1h 1ns", Duration::new(3_600, 1)),
    ];
    for (text, value) in times {
        assert_eq!(parse_duration(text), Ok(value), "{text}");
    }
    for text in [
        "",
        "s",
        "-1s",
        "1.s",
        "1d",
        "0.1ns",
        "5s3",
        "1h?",
        "inf",
        "5124095576030432h",
    ] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
    assert_eq!(
        ["0600", "600", "0o600"].map(parse_mode),
        [(); 3].map(|()| Ok(0o600))
    );
    for text in ["", "0o", "8", "+600", "10000", "-1", "rw-------"] {
        assert!(parse_mode(text).is_err(), "{text}");
    }
}

#[test]
fn units_print_the_shortest_exact_form() {
    assert_eq!(
        [0, 1_000, 4_096, 1 << 20, 3 << 29].map(format_bytes),
        ["0", "1000", "4KiB", "1MiB", "1536MiB"]
    );
    assert_eq!(format_duration(Duration::new(3_661, 5)), "1h1m1s5ns");
    assert_eq!(format_duration(Duration::ZERO), "0s");
    assert_eq!(format_mode(0o40), "0040");
}

fn some<T: std::fmt::Debug>(
    inner: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Option<T>> {
    prop::option::of(inner)
}

fn groups() -> impl Strategy<Value = Vec<MulticastGroup>> {
    let v4 = (
        224u8..240,
        any::<[u8; 3]>(),
        "|@[1-9][0-9]{0,8}|@1\\.2\\.3\\.4|@[a-z][a-z0-9.]{0,14}",
    )
        .prop_map(|(a, [b, c, d], on)| group(&format!("{a}.{b}.{c}.{d}{on}")));
    let v6 = (any::<u16>(), "|@[1-9][0-9]{0,8}|@[a-z][a-z0-9.]{0,14}")
        .prop_map(|(n, on)| group(&format!("ff02::{n:x}{on}")));
    prop::collection::vec(prop_oneof![v4, v6], 0..3)
}

/// As a table of the fields, so that one added to the struct and not here does not compile.
pub(super) fn options() -> impl Strategy<Value = SocketOptions> {
    let flags = prop::collection::vec(any::<Option<bool>>(), 8);
    let times = prop::collection::vec(some(any::<Duration>()), 6);
    let sizes = prop::collection::vec(some(any::<usize>()), 3);
    let counts = prop::collection::vec(some(0..=usize::MAX >> 1), 2);
    let numbers = (
        any::<[Option<u32>; 4]>(),
        any::<Option<u8>>(),
        any::<Option<u8>>(),
    );
    let words = prop::collection::vec(some(any::<String>()), 3);
    let rest = (groups(), words, some(0u32..=0o7777));
    (flags, times, sizes, counts, numbers, rest).prop_map(
        |(
            flags,
            times,
            sizes,
            counts,
            ([backlog, keepalive_retries, priority, mark], ttl, tos),
            (join, words, mode),
        )| {
            SocketOptions {
                reuse_address: flags[0],
                reuse_port: flags[1],
                nodelay: flags[2],
                only_v6: flags[3],
                broadcast: flags[4],
                reclaim: flags[5],
                fastopen: flags[6],
                mptcp: flags[7],
                keepalive: times[0],
                keepalive_interval: times[1],
                linger: times[2],
                connect_timeout: times[3],
                peer_idle: times[4],
                user_timeout: times[5],
                send_buffer: sizes[0],
                recv_buffer: sizes[1],
                notsent_lowat: sizes[2],
                max_peers: counts[0],
                descriptors: counts[1],
                peer_queue: counts[1],
                peer_queue_bytes: sizes[0],
                backlog,
                keepalive_retries,
                ttl,
                tos,
                priority,
                mark,
                join,
                interface: words[0].clone(),
                bind_device: words[1].clone(),
                congestion: words[2].clone(),
                mode,
            }
        },
    )
}

proptest! {
    #[test]
    fn merging_keeps_what_is_set(a in options(), b in options()) {
        let nothing = SocketOptions::default();
        prop_assert_eq!(&a.clone().over(&nothing), &a);
        prop_assert_eq!(&nothing.over(&a), &a);
        prop_assert_eq!(&a.clone().over(&a), &a);
        let both = a.clone().over(&b);
        let (a, b) = (a.set_keys(), b.set_keys());
        prop_assert!(both.set_keys().iter().all(|key| a.contains(key) || b.contains(key)));
    }

    #[test]
    fn units_bring_back_the_same(bytes: usize, time: Duration, mode in 0u32..=0o7777) {
        prop_assert_eq!(parse_bytes(&format_bytes(bytes)), Ok(bytes));
        prop_assert_eq!(parse_duration(&format_duration(time)), Ok(time));
        prop_assert_eq!(parse_mode(&format_mode(mode)), Ok(mode));
    }

    #[test]
    fn no_text_panics(
        text in r"[0-9.]{0,40}[a-zA-Zµ]{0,3}|.*",
        key in prop::sample::select(SocketOptions::KEYS),
    ) {
        let _ = (parse_bytes(&text), parse_duration(&text), parse_mode(&text));
        let _ = text.parse::<MulticastGroup>();
        let _ = SocketOptions::from_query(&at("any://where").with(key, text), SocketOptions::KEYS);
    }
}
