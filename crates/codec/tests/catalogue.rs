//! The wires of others: an example of each from its document, their limits, and their page.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::fmt::Write;
use std::path::Path;

use common::{encode, ok, stream};
use socketry_codec::catalogue::{Form, WIRES, Wire};
use socketry_codec::{BoxCodec, Codec, CodecRegistry, Fault, Layout};

fn codec(name: &str) -> BoxCodec {
    CodecRegistry::catalogue().build(name).unwrap()
}

/// An example of each wire: what is given out of a frame, and its bytes in hexadecimal.
const EXAMPLES: &[(&str, &str, &str)] = &[
    (
        "content-length",
        "6162",
        "436f6e74656e742d4c656e6774683a20320d0a0d0a6162",
    ),
    (
        "lsp",
        "7b7d",
        "436f6e74656e742d4c656e6774683a20320d0a0d0a7b7d",
    ),
    (
        "dap",
        "7b7d",
        "436f6e74656e742d4c656e6774683a20320d0a0d0a7b7d",
    ),
    (
        "netstring",
        "68656c6c6f20776f726c6421",
        "31323a68656c6c6f20776f726c64212c",
    ),
    ("octet-counting", "3c33343e31", "35203c33343e31"),
    ("syslog", "3c33343e31", "35203c33343e31"),
    ("json-seq", "7b7d", "1e7b7d0a"),
    ("ndjson", "7b7d", "7b7d0a"),
    ("varlink", "7b7d", "7b7d00"),
    // A question for the root's name servers.
    (
        "dns-tcp",
        "1234010000010000000000000000020001",
        "00111234010000010000000000000000020001",
    ),
    // A ping, and a message for the topic a.
    ("mqtt", "c000", "c000"),
    ("mqtt", "300500016178 79", "300500016178 79"),
    // ReadyForQuery.
    ("postgres", "5a0000000549", "5a0000000549"),
    // SSLRequest.
    ("postgres-startup", "0000000804d2162f", "0000000804d2162f"),
    (
        "mongodb",
        "1200000001000000000000 00dd0700 00ffff",
        "1200000001000000000000 00dd0700 00ffff",
    ),
    (
        "kafka",
        "001200000000 0001ffff",
        "0000000a001200000000 0001ffff",
    ),
    // enquire_link.
    (
        "smpp",
        "00000010000000150000000000000001",
        "00000010000000150000000000000001",
    ),
    // A heartbeat.
    ("amqp", "080000 00000000 ce", "080000 00000000 ce"),
    ("tpkt", "02f080", "03000007 02f080"),
    // Read three holding registers from 107 on of unit 17.
    (
        "modbus-tcp",
        "000100000006 11 03006b0003",
        "000100000006 11 03006b0003",
    ),
    // A Device-Watchdog-Request without its AVPs.
    (
        "diameter",
        "01000014 80000118 00000000 00000001 00000002",
        "01000014 80000118 00000000 00000001 00000002",
    ),
    // A KEEPALIVE.
    (
        "bgp",
        "ffffffffffffffffffffffffffffffff001304",
        "ffffffffffffffffffffffffffffffff001304",
    ),
    ("grpc", "00 00000002 0801", "00 00000002 0801"),
    // SETTINGS without any, and its acknowledgement.
    ("http2", "000000 04 00 00000000", "000000 04 00 00000000"),
    ("http2", "000000 04 01 00000000", "000000 04 01 00000000"),
    ("slip", "61c0db62", "c0 61 dbdc dbdd 62 c0"),
    ("cobs", "6100", "0261 01 00"),
    ("erlang:1", "6162", "026162"),
    ("erlang:2", "6162", "00026162"),
    ("erlang:4", "6162", "000000026162"),
    ("dotnet-string", "6162", "026162"),
    ("multiprocessing", "6162", "000000026162"),
    ("java-utf", "c080", "0002c080"),
    ("lua:s1", "6162", "026162"),
];

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<_> = hexadecimal.bytes().filter(|byte| *byte != b' ').collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

#[test]
fn each_wire_has_an_example_that_it_reads_and_writes() {
    for (name, frame, wire) in EXAMPLES {
        let (frame, wire) = (bytes(frame), bytes(wire));
        assert_eq!(encode(&mut codec(name), &[&frame]), wire, "{name}");
        assert_eq!(stream(codec(name), wire.chunks(1)), ok(&[&frame]), "{name}");
    }
    let native = |wire: &&Wire| wire.name.starts_with("lua") || wire.name == "native-messaging";
    for wire in WIRES.iter().filter(|wire| !native(wire)) {
        assert!(
            EXAMPLES.iter().any(|(name, ..)| *name == wire.name),
            "{}",
            wire.name
        );
    }
}

#[test]
fn some_wires_have_the_order_of_this_machine() {
    let native = [
        ("native-messaging", 2u32.to_ne_bytes().to_vec()),
        ("lua:s2", 2u16.to_ne_bytes().to_vec()),
        ("lua:s4", 2u32.to_ne_bytes().to_vec()),
        ("lua:s8", 2u64.to_ne_bytes().to_vec()),
    ];
    for (name, header) in native {
        let wire = [&header[..], b"ab"].concat();
        assert_eq!(encode(&mut codec(name), &["ab"]), wire, "{name}");
    }
}

fn too_long(len: u64, max: u64) -> Fault {
    let len = Some(len);
    Fault::TooLong { len, max }
}

#[test]
fn what_a_peer_would_not_take_is_not_sent() {
    let refused = |name: &str, len: usize| {
        let mut codec = codec(name);
        let error = codec
            .encode(&vec![0; len], &mut bytes::BytesMut::new())
            .unwrap_err();
        assert_eq!(error.skip, Some(0));
        error.fault
    };
    assert_eq!(
        refused("native-messaging", 1_048_577),
        too_long(1_048_577, 1_048_576)
    );
    assert_eq!(refused("erlang:2", 65_536), too_long(65_536, 65_535));
    assert_eq!(refused("java-utf", 65_536), too_long(65_536, 65_535));
    assert_eq!(
        refused("postgres-startup", 10_005),
        too_long(10_005, 10_004)
    );
    for name in ["dns-tcp", "ndjson", "varlink", "syslog"] {
        assert_eq!(refused(name, 0), Fault::TooShort { len: 0, min: 1 });
    }
}

/// Whatever the length is written in, no number wraps.
#[test]
fn what_a_length_cannot_hold_is_not_sent() {
    for wire in WIRES {
        let longest = codec(wire.name).properties().max_frame;
        if longest > 1 << 17 {
            continue;
        }
        let mut out = bytes::BytesMut::new();
        let error = codec(wire.name).encode(&vec![b'x'; longest + 1], &mut out);
        let (len, max) = (longest as u64 + 1, longest as u64);
        assert_eq!(
            error.unwrap_err().fault,
            too_long(len, max),
            "{}",
            wire.name
        );
        assert!(out.is_empty(), "{}", wire.name);
    }
}

#[test]
fn a_browser_may_send_more_than_it_takes() {
    let frame = vec![b' '; 67_108_864];
    let len = u32::try_from(frame.len()).unwrap();
    let wire = [&len.to_ne_bytes()[..], &frame].concat();
    assert_eq!(
        stream(codec("native-messaging"), [&wire[..]]),
        ok(&[&frame])
    );
}

#[test]
fn a_family_says_what_there_is() {
    let error = |name| {
        CodecRegistry::catalogue()
            .build(name)
            .unwrap_err()
            .to_string()
    };
    for name in ["erlang", "erlang:3"] {
        assert!(
            error(name).contains("there are erlang:1, erlang:2, erlang:4"),
            "{name}"
        );
    }
    assert!(error("mqtt:5").contains("mqtt takes nothing after it"));
    let named = CodecRegistry::catalogue().named("erlang:2").unwrap();
    assert_eq!(named.name(), "erlang:2");
    assert_eq!(named.limits(), ["max_frame", "max_discard"]);
}

/// The bytes of a frame, as a row of boxes.
fn picture(wire: &Wire) -> String {
    match wire.form {
        Form::Layout(text) => boxes(text),
        Form::Line(ending) => format!("payload │ `{ending}`"),
        Form::Syslog => "length `digits` │ `20` │ `<`…, or a line".to_owned(),
        Form::JsonSeq => "`1e` │ payload │ `0a`".to_owned(),
        Form::Slip => "`c0` │ payload, with `c0` and `db` escaped │ `c0`".to_owned(),
        Form::Cobs => "payload, without zeros │ `00`".to_owned(),
        _ => "`Content-Length: N`, other lines, an empty line │ payload".to_owned(),
    }
}

fn boxes(text: &str) -> String {
    let layout: Layout = text.parse().unwrap();
    let mut boxes: Vec<_> = text.split(',').map(one).collect();
    if layout.tail_len() == 0 {
        boxes.push("payload".to_owned());
    }
    boxes.join(" │ ")
}

fn one(token: &str) -> String {
    match token {
        "data" => "payload".to_owned(),
        _ if token.starts_with("0x") => format!("`{}`", &token[2..]),
        _ if token.ends_with('x') => match token.trim_end_matches('x') {
            "1" => "1 byte".to_owned(),
            count => format!("{count} bytes"),
        },
        _ => match token.rsplit_once('=') {
            Some((format, counts)) if !format.is_empty() => {
                let counts = match counts {
                    "itself" => "itself and the rest",
                    "rest" => "the rest",
                    _ => "the frame",
                };
                format!("length `{format}` of {counts}")
            }
            _ => format!("length `{token}`"),
        },
    }
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(String::from_utf8_lossy)
        .collect();
    parts.join(",")
}

fn row(wire: &Wire) -> String {
    let (given, text) = match wire.form {
        Form::Layout(text) => match text.parse::<Layout>().unwrap().is_whole() {
            true => ("whole frame", format!("`struct:{text}`")),
            false => ("payload", format!("`struct:{text}`")),
        },
        Form::Line(ending) => ("payload", format!("`line:{ending}`")),
        _ => ("payload", String::new()),
    };
    let sent = thousands(codec(wire.name).properties().max_frame);
    let limits = match wire.max_sent {
        usize::MAX => sent,
        _ => format!("{}; sent: {sent}", thousands(wire.max_frame)),
    };
    let Wire {
        name, source, note, ..
    } = wire;
    let bytes = picture(wire);
    let proved = match wire.proved {
        [] => "none".to_owned(),
        proved => proved.join(", "),
    };
    format!("| `{name}` | {bytes} | {text} | {given} | {limits} | {source} | {note} | {proved} |")
}

fn page() -> String {
    let mut page = String::from(include_str!("catalogue.head.md"));
    for wire in WIRES {
        writeln!(page, "{}", row(wire)).unwrap();
    }
    page
}

#[test]
fn the_page_tells_what_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/catalogue.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        stands == page,
        "docs/catalogue.md is stale: UPDATE_DOCS=1 writes it"
    );
}
