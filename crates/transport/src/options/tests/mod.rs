//! Options mean the same from every source, are refused with words that help, and reach the kernel.

#[cfg(unix)]
mod applied;
#[cfg(feature = "serde")]
mod files;
mod values;

use std::time::Duration;

use super::*;
use crate::units::{format_bytes, format_duration};

fn at(text: &str) -> Endpoint {
    text.parse().unwrap()
}

fn group(text: &str) -> MulticastGroup {
    text.parse().unwrap()
}

fn seconds(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(n))
}

fn every_option() -> SocketOptions {
    SocketOptions {
        reuse_address: Some(true),
        reuse_port: Some(false),
        nodelay: Some(true),
        keepalive: seconds(60),
        keepalive_interval: seconds(10),
        keepalive_retries: Some(3),
        linger: seconds(0),
        send_buffer: Some(65_536),
        recv_buffer: Some(1_000_000),
        backlog: Some(16),
        only_v6: Some(true),
        ttl: Some(64),
        tos: Some(0x10),
        priority: Some(6),
        mark: Some(0x2a),
        broadcast: Some(true),
        join: vec![group("239.1.2.3@192.168.1.5"), group("ff02::1@eth0")],
        interface: Some("eth1".to_owned()),
        bind_device: Some("lo".to_owned()),
        connect_timeout: Some(Duration::from_millis(1_500)),
        user_timeout: seconds(20),
        congestion: Some("bbr".to_owned()),
        notsent_lowat: Some(16_384),
        fastopen: Some(true),
        mptcp: Some(false),
        mode: Some(0o600),
        reclaim: Some(false),
        descriptors: Some(4),
        max_peers: Some(10),
        peer_idle: seconds(90),
        peer_queue: Some(8),
        peer_queue_bytes: Some(4096),
    }
}

#[test]
fn a_url_has_every_option() {
    let url = at(
        "any://where?reuse_address=1&reuse_port=0&nodelay=true&keepalive=60&keepalive_interval=10s\
         &keepalive_retries=3&linger=0&send_buffer=64KiB&recv_buffer=1000000&backlog=16\
         &only_v6=true&ttl=64&tos=16&priority=6&mark=0x2A&broadcast=true\
         &join=239.1.2.3@192.168.1.5,ff02::1@eth0&interface=eth1&bind_device=lo\
         &connect_timeout=1.5&user_timeout=20&congestion=bbr&notsent_lowat=16KiB\
         &fastopen=true&mptcp=false&mode=600\
         &reclaim=false&descriptors=4&max_peers=10&peer_idle=90s&peer_queue=8\
         &peer_queue_bytes=4096",
    );
    let all = every_option();
    assert_eq!(all.set_keys(), SocketOptions::KEYS);
    assert_eq!(
        SocketOptions::from_query(&url, SocketOptions::KEYS).unwrap(),
        all
    );
}

#[test]
fn the_query_wins_over_the_rest() {
    let options = SocketOptions {
        nodelay: Some(false),
        ttl: Some(1),
        ..SocketOptions::default()
    };
    let resolved = options
        .resolve(&at("tcp://h:1?ttl=9&linger=0"), TCP)
        .unwrap();
    assert_eq!(resolved.nodelay, Some(false));
    assert_eq!(resolved.ttl, Some(9));
    assert_eq!(resolved.set_keys(), ["nodelay", "linger", "ttl"]);
}

#[test]
fn join_may_be_repeated_or_listed() {
    let groups = ["239.1.2.3", "ff02::1@3", "224.0.0.251"].map(group);
    for query in [
        "join=239.1.2.3,ff02::1@3,224.0.0.251",
        "join=239.1.2.3&join=ff02::1@3&join=224.0.0.251",
        "join=239.1.2.3&join=ff02::1@3,224.0.0.251",
    ] {
        let options = SocketOptions::from_query(&at(&format!("udp://h:1?{query}")), UDP).unwrap();
        assert_eq!(options.join, groups, "{query}");
    }
}

#[test]
fn a_transports_own_keys_are_left_to_it() {
    let endpoint = at("tls://h:1?ca=/x&nodelay=true");
    let options = SocketOptions::from_query(&endpoint, &["ca", "nodelay"]).unwrap();
    assert_eq!(options.set_keys(), ["nodelay"]);
}

#[test]
fn each_transport_takes_keys_that_exist() {
    for keys in [TCP, UDP, UNIX, UNIX_DGRAM, MEM] {
        for key in keys.options() {
            assert!(SocketOptions::KEYS.contains(key), "{key}");
        }
    }
    for key in SocketOptions::KEYS {
        assert!(
            [TCP, UDP, UNIX, UNIX_DGRAM]
                .iter()
                .any(|keys| keys.contains(key)),
            "{key}"
        );
    }
}

fn refusal(text: &str, allowed: impl Into<Keys>) -> String {
    let error = SocketOptions::default()
        .resolve(&at(text), allowed)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption, "{text}");
    error.to_string()
}

#[test]
fn refusals_name_the_option_and_what_is_taken() {
    assert_eq!(
        refusal("mem://n?nodlay=true", MEM),
        "cannot use mem://n?nodlay=true: there is no option 'nodlay'; \
         mem takes recv_buffer, backlog"
    );
    assert_eq!(
        refusal("mem://n?nodelay=true", MEM),
        "cannot use mem://n?nodelay=true: option 'nodelay' does not apply to mem; \
         mem takes recv_buffer, backlog"
    );
    assert_eq!(
        refusal("x://n?ttl=1", &[]),
        "cannot use x://n?ttl=1: option 'ttl' does not apply to x; x takes no options"
    );
    assert_eq!(
        refusal("tcp://h:1?ttl=1&ttl=1", TCP),
        "cannot use tcp://h:1?ttl=1&ttl=1: option 'ttl' is given twice; write it once"
    );
    assert!(!refusal("tcp://h:1?%1B=1", TCP).contains('\u{1b}'));
}

#[test]
fn values_that_do_not_fit_are_shown_with_what_would() {
    #[rustfmt::skip]
    let table = [
        ("nodelay=yes", "option 'nodelay': 'yes' is not true or false"),
        ("nodelay=", "option 'nodelay': '' is not true or false"),
        ("ttl=256", "option 'ttl': '256' is not a whole number from 0 to 255"),
        ("backlog=-1", "option 'backlog': '-1' is not a whole number from 0 to 4294967295"),
        ("backlog=+1", "option 'backlog': '+1' is not a whole number from 0 to 4294967295"),
        ("mark=0x", "option 'mark': '0x' is not a mark; write 5 or 0x5, at most 0xffffffff, say"),
        ("mark=0x+1", "option 'mark': '0x+1' is not a mark; write 5 or 0x5, at most 0xffffffff, \
            say"),
        ("mark=x5", "option 'mark': 'x5' is not a whole number from 0 to 4294967295"),
        ("send_buffer=1XB", "option 'send_buffer': '1XB' is not a size; \
            write 4096, 64KiB or 1MB, say"),
        ("linger=soon", "option 'linger': 'soon' is not a time; write 250ms, 5s or 1h30m, say"),
        ("mode=0800", "option 'mode': '0800' is not a file mode; write 0600 in octal digits, say"),
        ("join=1.2.3.4", "option 'join': '1.2.3.4' is not a multicast group; \
            write 239.1.2.3, 239.1.2.3@192.168.1.5 or ff02::1@eth0, say"),
    ];
    for (query, reason) in table {
        let text = format!("any://where?{query}");
        let words = refusal(&text, SocketOptions::KEYS);
        assert_eq!(words, format!("cannot use {text}: {reason}"));
    }
}

#[test]
fn options_from_code_that_do_not_apply_are_refused_too() {
    let options = SocketOptions {
        nodelay: Some(true),
        ..SocketOptions::default()
    };
    let words = options
        .resolve(&at("udp://h:1"), UDP)
        .unwrap_err()
        .to_string();
    assert!(
        words.starts_with(
            "cannot use udp://h:1: option 'nodelay' does not apply to udp; udp takes reuse_address,"
        ),
        "{words}"
    );
}

#[test]
fn groups_are_multicast_and_their_interface_fits() {
    for text in [
        "239.1.2.3",
        "239.1.2.3@192.168.1.5",
        "239.1.2.3@3",
        "ff02::1@eth0.1",
        "ff02::1@4294967295",
    ] {
        assert_eq!(group(text).to_string(), text);
    }
    for text in [
        "",
        "@",
        "1.2.3.4",
        "::1",
        "ff02::1@1.2.3.4",
        "ff02::1@",
        "ff02::1@0",
        "ff02::1@a/b",
        "ff02::1@a@b",
        "ff02::1@4294967296",
        "ff02::1@sixteencharacter",
    ] {
        assert!(text.parse::<MulticastGroup>().is_err(), "{text}");
    }
}

#[test]
fn the_defaults_of_sessions_stay_what_they_are() {
    let idle = SocketOptions::DEFAULT_PEER_IDLE;
    let bytes = SocketOptions::DEFAULT_PEER_QUEUE_BYTES;
    assert_eq!(format_duration(idle), "5m");
    assert_eq!(format_bytes(bytes), "256KiB");
}
