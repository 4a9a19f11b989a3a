//! Options mean the same from every source, are refused with words that help, and reach the kernel.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;

use proptest::prelude::*;
use socket2::{Domain, SockRef, Socket, Type};

use super::*;
use crate::units::{
    format_bytes, format_duration, format_mode, parse_bytes, parse_duration, parse_mode,
};

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
        broadcast: Some(true),
        join: vec![group("239.1.2.3@192.168.1.5"), group("ff02::1@eth0")],
        bind_device: Some("lo".to_owned()),
        connect_timeout: Some(Duration::from_millis(1_500)),
        mode: Some(0o600),
        reclaim: Some(false),
        max_peers: Some(10),
        peer_idle: seconds(90),
        peer_queue: Some(8),
        peer_queue_bytes: Some(4096),
    }
}

#[test]
fn toml_json_and_url_give_the_same() {
    let toml = r#"
        reuse_address = true
        reuse_port = false
        nodelay = true
        keepalive = 60
        keepalive_interval = "10s"
        keepalive_retries = 3
        linger = 0.0
        send_buffer = "64KiB"
        recv_buffer = 1_000_000
        backlog = 16
        only_v6 = true
        ttl = 64
        tos = 0x10
        broadcast = true
        join = ["239.1.2.3@192.168.1.5", "ff02::1@eth0"]
        bind_device = "lo"
        connect_timeout = 1.5
        mode = 0o600
        reclaim = false
        max_peers = 10
        peer_idle = "1m30s"
        peer_queue = 8
        peer_queue_bytes = "4KiB"
    "#;
    let json = r#"{
        "reuse_address": true, "reuse_port": false, "nodelay": true, "keepalive": 60, "keepalive_interval": 10,
        "keepalive_retries": 3, "linger": "0s", "send_buffer": 65536, "recv_buffer": "1MB", "backlog": 16,
        "only_v6": true, "ttl": 64, "tos": 16, "broadcast": true,
        "join": ["239.1.2.3@192.168.1.5", "ff02::1@eth0"], "bind_device": "lo", "connect_timeout": "1500ms",
        "mode": "0600", "reclaim": false, "max_peers": 10, "peer_idle": 90, "peer_queue": 8, "peer_queue_bytes": 4096
    }"#;
    let url = at(
        "any://where?reuse_address=1&reuse_port=0&nodelay=true&keepalive=60&keepalive_interval=10s\
         &keepalive_retries=3&linger=0&send_buffer=64KiB&recv_buffer=1000000&backlog=16&only_v6=true&ttl=64&tos=16\
         &broadcast=true&join=239.1.2.3@192.168.1.5,ff02::1@eth0&bind_device=lo&connect_timeout=1.5&mode=600\
         &reclaim=false&max_peers=10&peer_idle=90s&peer_queue=8&peer_queue_bytes=4096",
    );
    let all = every_option();
    assert_eq!(all.set_keys(), SocketOptions::KEYS);
    assert_eq!(toml::from_str::<SocketOptions>(toml).unwrap(), all);
    assert_eq!(serde_json::from_str::<SocketOptions>(json).unwrap(), all);
    assert_eq!(
        SocketOptions::from_query(&url, SocketOptions::KEYS).unwrap(),
        all
    );
}

#[test]
fn what_is_unset_is_not_written() {
    let nothing = SocketOptions::default();
    assert_eq!(serde_json::to_string(&nothing).unwrap(), "{}");
    assert_eq!(toml::to_string(&nothing).unwrap(), "");
    let null: SocketOptions = serde_json::from_str(r#"{"linger": null, "ttl": null}"#).unwrap();
    assert_eq!(null, nothing);
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
        "cannot use mem://n?nodlay=true: there is no option 'nodlay'; mem takes recv_buffer, backlog"
    );
    assert_eq!(
        refusal("mem://n?nodelay=true", MEM),
        "cannot use mem://n?nodelay=true: option 'nodelay' does not apply to mem; mem takes recv_buffer, backlog"
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
        ("send_buffer=1XB", "option 'send_buffer': '1XB' is not a size; write 4096, 64KiB or 1MB, say"),
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
fn files_refuse_unknown_keys_and_doubtful_modes() {
    let unknown = toml::from_str::<SocketOptions>("nodlay = true").unwrap_err();
    assert!(unknown.to_string().contains("nodlay"), "{unknown}");
    for toml in [
        "mode = 644",
        "mode = 755",
        "mode = -1",
        "mode = 0.5",
        "mode = \"9\"",
    ] {
        assert!(toml::from_str::<SocketOptions>(toml).is_err(), "{toml}");
    }
    for json in [
        r#"{"mode": 384}"#,
        r#"{"linger": -1}"#,
        r#"{"linger": 1e300}"#,
        r#"{"send_buffer": -1}"#,
    ] {
        assert!(
            serde_json::from_str::<SocketOptions>(json).is_err(),
            "{json}"
        );
    }
}

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
fn options() -> impl Strategy<Value = SocketOptions> {
    let flags = prop::collection::vec(any::<Option<bool>>(), 6);
    let times = prop::collection::vec(some(any::<Duration>()), 5);
    let sizes = prop::collection::vec(some(any::<usize>()), 2);
    let counts = prop::collection::vec(some(0..=usize::MAX >> 1), 2);
    let numbers = (
        any::<Option<u32>>(),
        any::<Option<u32>>(),
        any::<Option<u8>>(),
        any::<Option<u8>>(),
    );
    let rest = (groups(), some(any::<String>()), some(0u32..=0o7777));
    (flags, times, sizes, counts, numbers, rest).prop_map(
        |(
            flags,
            times,
            sizes,
            counts,
            (backlog, keepalive_retries, ttl, tos),
            (join, bind_device, mode),
        )| {
            SocketOptions {
                reuse_address: flags[0],
                reuse_port: flags[1],
                nodelay: flags[2],
                only_v6: flags[3],
                broadcast: flags[4],
                reclaim: flags[5],
                keepalive: times[0],
                keepalive_interval: times[1],
                linger: times[2],
                connect_timeout: times[3],
                peer_idle: times[4],
                send_buffer: sizes[0],
                recv_buffer: sizes[1],
                max_peers: counts[0],
                peer_queue: counts[1],
                peer_queue_bytes: sizes[0],
                backlog,
                keepalive_retries,
                ttl,
                tos,
                join,
                bind_device,
                mode,
            }
        },
    )
}

proptest! {
    #[test]
    fn json_and_toml_bring_back_the_same(options in options()) {
        let json = serde_json::to_string(&options).unwrap();
        prop_assert_eq!(&serde_json::from_str::<SocketOptions>(&json).unwrap(), &options);
        let toml = toml::to_string(&options).unwrap();
        prop_assert_eq!(&toml::from_str::<SocketOptions>(&toml).unwrap(), &options);
    }

    #[test]
    fn what_json_writes_a_url_reads(options in options()) {
        let json = serde_json::to_value(&options).unwrap();
        let mut endpoint = at("any://where");
        for (key, value) in json.as_object().unwrap() {
            endpoint = match value {
                serde_json::Value::Array(list) => {
                    list.iter().fold(endpoint, |e, v| e.with(key, v.as_str().unwrap()))
                }
                serde_json::Value::String(text) => endpoint.with(key, text),
                other => endpoint.with(key, other),
            };
        }
        let endpoint = at(&endpoint.to_string());
        prop_assert_eq!(SocketOptions::from_query(&endpoint, SocketOptions::KEYS).unwrap(), options);
    }

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
    fn no_text_panics(text in r"[0-9.]{0,40}[a-zA-Zµ]{0,3}|.*", key in prop::sample::select(SocketOptions::KEYS)) {
        let _ = (parse_bytes(&text), parse_duration(&text), parse_mode(&text), text.parse::<MulticastGroup>());
        let _ = SocketOptions::from_query(&at("any://where").with(key, text), SocketOptions::KEYS);
    }
}

/// What was asked for, with `read`'s answer where Linux doubles or the question was not asked.
fn assert_applied(asked: &SocketOptions, read: &SocketOptions) {
    for (asked, read) in [
        (asked.send_buffer, read.send_buffer),
        (asked.recv_buffer, read.recv_buffer),
    ] {
        let (Some(asked), Some(read)) = (asked, read) else {
            continue;
        };
        assert!(
            read == asked || read == 2 * asked,
            "asked for {asked}, got {read}"
        );
    }
    let sized = SocketOptions {
        send_buffer: read.send_buffer,
        recv_buffer: read.recv_buffer,
        ..asked.clone()
    };
    assert_eq!(&sized.over(read), read);
}

#[test]
fn tcp_options_applied_are_options_read_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let endpoint = at(
        "tcp://h:1?nodelay=true&keepalive=59.5s&keepalive_interval=7&keepalive_retries=4&linger=3&send_buffer=16KiB\
         &recv_buffer=16KiB&ttl=33&tos=16&reuse_address=true&reuse_port=true",
    );
    let options = SocketOptions::from_query(&endpoint, TCP).unwrap();
    options.apply(&stream, &endpoint).unwrap();
    let read = SocketOptions::read_back(&stream).unwrap();
    let asked = SocketOptions {
        keepalive: seconds(60),
        ..options
    };
    assert_applied(&asked, &read);
    assert_eq!((read.broadcast, read.bind_device), (None, None));

    let other = SocketOptions::read_back(&listener).unwrap();
    assert_eq!(
        (other.nodelay, other.linger, other.keepalive),
        (Some(false), None, seconds(0))
    );
}

#[test]
fn keepalive_is_switched_off_whatever_a_default_or_another_option_says() {
    let base = SocketOptions {
        keepalive: seconds(60),
        keepalive_interval: seconds(15),
        keepalive_retries: Some(4),
        ..SocketOptions::default()
    };
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    for (query, read) in [
        ("ttl=9", seconds(60)),
        ("keepalive=off", seconds(0)),
        ("keepalive=7", seconds(7)),
        ("keepalive=0", seconds(0)),
        ("keepalive_interval=1", seconds(60)),
        (
            "keepalive=off&keepalive_interval=1&keepalive_retries=1",
            seconds(0),
        ),
    ] {
        let endpoint = at(&format!("tcp://h:1?{query}"));
        let options = base.resolve(&endpoint, TCP).unwrap();
        options.apply(&socket, &endpoint).unwrap();
        let found = SocketOptions::read_back(&socket).unwrap().keepalive;
        assert_eq!(found, read, "{query}");
    }
}

#[test]
fn a_short_linger_does_not_become_the_one_that_resets() {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    for (asked, read) in [("1ms", seconds(1)), ("0", seconds(0))] {
        let endpoint = at("tcp://h:1").with("linger", asked);
        let options = SocketOptions::from_query(&endpoint, TCP).unwrap();
        options.apply(&socket, &endpoint).unwrap();
        assert_eq!(SocketOptions::read_back(&socket).unwrap().linger, read);
    }
}

#[test]
fn options_before_bind_hold_on_a_listener_and_its_children() {
    let endpoint = at("tcp://127.0.0.1:0?reuse_port=true&recv_buffer=32KiB&ttl=9&nodelay=true");
    let options = SocketOptions::from_query(&endpoint, TCP).unwrap();
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    options.apply_before_bind(&listener, &endpoint).unwrap();
    let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    listener.bind(&any_port.into()).unwrap();
    options.apply_after_bind(&listener, &endpoint).unwrap();
    listener.listen(1).unwrap();
    let bound = listener.local_addr().unwrap().as_socket().unwrap();
    let _client = TcpStream::connect(bound).unwrap();
    let (child, _) = listener.accept().unwrap();
    let child_options = SocketOptions {
        reuse_port: None,
        ..options.clone()
    };
    child_options
        .apply_to_connection(&child, &endpoint)
        .unwrap();
    assert_applied(&options, &SocketOptions::read_back(&listener).unwrap());
    assert_applied(&child_options, &SocketOptions::read_back(&child).unwrap());
}

#[test]
fn udp_options_applied_are_options_read_back() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let endpoint = at("udp://h:1?broadcast=true&ttl=5&tos=184&send_buffer=64KiB&recv_buffer=8KiB");
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    options.apply(&socket, &endpoint).unwrap();
    let read = SocketOptions::read_back(&socket).unwrap();
    assert_applied(&options, &read);
    assert_eq!(read.nodelay, None);
    assert_eq!(socket.multicast_ttl_v4().unwrap(), 5);
}

/// A fresh IPv6 socket, or nothing where the system has no IPv6.
fn v6_socket(kind: Type) -> Option<Socket> {
    Socket::new(Domain::IPV6, kind, None).ok()
}

#[test]
fn ipv6_has_options_of_its_own_names() {
    let Some(socket) = v6_socket(Type::DGRAM) else {
        return;
    };
    let endpoint = at("udp://[::]:0?only_v6=true&ttl=5&tos=184");
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    options.apply(&socket, &endpoint).unwrap();
    assert_applied(&options, &SocketOptions::read_back(&socket).unwrap());
    assert_eq!(socket.multicast_hops_v6().unwrap(), 5);
    assert_ne!(socket.ttl_v4().unwrap(), 5);
}

#[test]
#[cfg(target_os = "linux")]
fn a_socket_for_both_families_has_both_limits() {
    for kind in [Type::DGRAM, Type::STREAM] {
        let Some(socket) = v6_socket(kind) else {
            return;
        };
        let endpoint = at("udp://[::]:0?only_v6=false&ttl=5&tos=184");
        let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
        options.apply(&socket, &endpoint).unwrap();
        assert_applied(&options, &SocketOptions::read_back(&socket).unwrap());
        assert_eq!(
            (socket.ttl_v4().unwrap(), socket.tos_v4().unwrap()),
            (5, 184)
        );
    }
}

#[test]
fn unix_buffers_applied_are_buffers_read_back() {
    let (socket, _peer) = UnixDatagram::pair().unwrap();
    let endpoint = at("unix-dgram://x?send_buffer=64KiB&recv_buffer=32KiB");
    let options = SocketOptions::from_query(&endpoint, UNIX_DGRAM).unwrap();
    options.apply(&socket, &endpoint).unwrap();
    let read = SocketOptions::read_back(&socket).unwrap();
    assert_applied(&options, &read);
    assert_eq!(read.set_keys(), ["send_buffer", "recv_buffer"]);
}

#[test]
fn what_the_kernel_refuses_is_named() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let refusals = [
        ("ttl=0", "set option ttl on"),
        ("only_v6=true", "set option only_v6 on"),
        ("join=ff02::1", "set option join on"),
        ("join=239.1.2.3@nosuchdevice", "set option join on"),
        ("bind_device=nosuchdevice", "set option bind_device on"),
    ];
    for (query, action) in refusals {
        let endpoint = at(&format!("udp://127.0.0.1:9?{query}"));
        let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
        let error = options.apply(&socket, &endpoint).unwrap_err();
        let words = error.to_string();
        assert!(
            words.starts_with(&format!("cannot {action} udp://127.0.0.1:9?")),
            "{words}"
        );
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_interface_is_found_by_its_name() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let endpoint = at("udp://h:1?join=239.255.1.2@lo");
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    options.apply(&socket, &endpoint).unwrap();
    let again = options.apply(&socket, &endpoint).unwrap_err();
    assert_eq!(
        again.kind(),
        ErrorKind::InUse,
        "a group is joined once: {again}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_device_that_was_bound_to_is_read_back() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let endpoint = at("udp://h:1?bind_device=lo");
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    match options.apply(&socket, &endpoint) {
        // Linux before 5.7 asks for privileges.
        Err(error) if error.kind() == ErrorKind::Denied => (),
        applied => {
            applied.unwrap();
            let read = SocketOptions::read_back(&socket).unwrap();
            assert_eq!(read.bind_device.as_deref(), Some("lo"));
        }
    }
}

/// A program that says nothing relies on them.
#[test]
fn the_defaults_of_sessions_stay_what_they_are() {
    let idle = SocketOptions::DEFAULT_PEER_IDLE;
    let bytes = SocketOptions::DEFAULT_PEER_QUEUE_BYTES;
    assert_eq!(format_duration(idle), "5m");
    assert_eq!(format_bytes(bytes), "256KiB");
}

#[test]
fn what_is_sent_to_a_joined_group_arrives() {
    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 77, 1);
    let receiver = UdpSocket::bind("0.0.0.0:0").unwrap();
    let endpoint = at("udp://0.0.0.0:0").with("join", format!("{GROUP}@127.0.0.1"));
    let options = SocketOptions::from_query(&endpoint, UDP).unwrap();
    options.apply(&receiver, &endpoint).unwrap();
    receiver.set_read_timeout(seconds(5)).unwrap();

    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    SockRef::from(&sender)
        .set_multicast_if_v4(&Ipv4Addr::LOCALHOST)
        .unwrap();
    let port = receiver.local_addr().unwrap().port();
    match sender.send_to(b"to all", (GROUP, port)) {
        Err(error) if error.kind() == std::io::ErrorKind::NetworkUnreachable => return,
        sent => assert_eq!(sent.unwrap(), 6),
    }
    let mut buf = [0; 16];
    let (len, _) = receiver.recv_from(&mut buf).unwrap();
    assert_eq!(&buf[..len], b"to all");
}
