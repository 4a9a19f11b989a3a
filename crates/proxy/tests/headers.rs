//! Headers of the PROXY protocol: what is read, what is refused, and what is written.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use socketry_proxy::{Header, LONGEST_V1, LONGEST_V2, Origin, ProxyError, Version, kind};
use socketry_transport::{Address, Endpoint};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn parse(bytes: &[u8]) -> Result<Option<(Header, usize)>, ProxyError> {
    Header::parse(bytes, LONGEST_V2)
}

fn whole(bytes: &[u8]) -> Header {
    let (header, len) = parse(bytes).unwrap().expect("it is whole");
    assert_eq!(len, bytes.len());
    header
}

fn refused(bytes: &[u8]) -> String {
    parse(bytes).expect_err("it is refused").to_string()
}

fn client(header: &Header) -> (String, String) {
    match header.origin() {
        Origin::Client {
            source,
            destination,
        } => (source.to_string(), destination.to_string()),
        other => panic!("{other:?}"),
    }
}

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let len = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &len, rest].concat()
}

/// 192.0.2.1:56324 to 198.51.100.7:443.
const IPV4: [u8; 12] = [192, 0, 2, 1, 198, 51, 100, 7, 0xdc, 0x04, 0x01, 0xbb];

#[test]
fn a_line_tells_a_client_and_where_it_connected_to() {
    let header = whole(b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n");
    let ends = ("tcp://192.0.2.1:56324", "tcp://198.51.100.7:443");
    assert_eq!(client(&header), (ends.0.to_owned(), ends.1.to_owned()));
    let header = whole(b"PROXY TCP6 2001:db8::1 2001:db8::2 1 0\r\n");
    assert_eq!(client(&header).0, "tcp://[2001:db8::1]:1");
    for line in ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ::1 what ever 1 2\r\n"] {
        assert_eq!(whole(line.as_bytes()).origin(), &Origin::Unknown);
    }
}

#[test]
fn ipv4_in_ipv6_is_ipv4() {
    let line = b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.7 56324 443\r\n";
    assert_eq!(client(&whole(line)).0, "tcp://192.0.2.1:56324");
    let mut ends = [0; 36];
    ends[10..16].copy_from_slice(&[0xff, 0xff, 192, 0, 2, 1]);
    ends[26..32].copy_from_slice(&[0xff, 0xff, 198, 51, 100, 7]);
    assert_eq!(
        client(&whole(&v2(0x21, 0x21, &ends))).0,
        "tcp://192.0.2.1:0"
    );
}

/// nginx 1.22 behind another balancer: the word is the client's, and the other end is its own.
#[test]
fn the_end_of_the_balancer_may_be_of_the_other_family() {
    for (line, ends) in [
        (
            "PROXY TCP6 2001:db8::1 127.0.0.1 1234 18083\r\n",
            ("tcp://[2001:db8::1]:1234", "tcp://127.0.0.1:18083"),
        ),
        (
            "PROXY TCP4 192.0.2.1 ::1 1234 18083\r\n",
            ("tcp://192.0.2.1:1234", "tcp://[::1]:18083"),
        ),
    ] {
        let found = client(&whole(line.as_bytes()));
        assert_eq!((&*found.0, &*found.1), ends);
    }
}

#[test]
fn a_line_that_is_written_in_another_way_is_refused() {
    for (line, reason) in [
        (
            "PROXY TCP4 192.0.2.1 198.51.100.7 56324 0443\r\n",
            "written in another way",
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.7 56324 +443\r\n",
            "written in another way",
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.7 56324 65536\r\n",
            "a port that is no number",
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443 \r\n",
            "too many words",
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.7 56324\r\n",
            "too few words",
        ),
        (
            "PROXY TCP4  192.0.2.1 198.51.100.7 56324 443\r\n",
            "a port that is no number",
        ),
        (
            "PROXY TCP4 192.0.2.01 198.51.100.7 56324 443\r\n",
            "an address",
        ),
        ("PROXY TCP4 ::1 ::1 56324 443\r\n", "an address"),
        (
            "PROXY TCP6 192.0.2.1 198.51.100.7 56324 443\r\n",
            "an address",
        ),
        (
            "PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\n",
            "no CR before its LF",
        ),
        (
            "PROXY UDP4 192.0.2.1 198.51.100.7 56324 443\r\n",
            "a protocol that there is not",
        ),
        ("PROXY UNKNOWNxyz\r\n", "too few words"),
        (
            "PROXYxTCP4 192.0.2.1 198.51.100.7 56324 443\r\n",
            "it sent no PROXY header",
        ),
        (
            "PROXY TCP4 192.0.2.1\u{1b}[2J 198.51.100.7 56324 443\r\n",
            "an address",
        ),
    ] {
        let words = refused(line.as_bytes());
        assert!(words.contains(reason), "{line:?}: {words}");
        assert!(!words.contains('\u{1b}'), "{words}");
    }
}

#[test]
fn other_protocols_are_refused_at_their_first_bytes() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"\x16\x03\x01",
        b"PROXX",
        b"\r\n\r\nX",
        b"P!",
    ] {
        let words = refused(bytes);
        assert!(words.contains("it sent no PROXY header, but \""), "{words}");
        assert!(words.contains("send-proxy"), "{words}");
    }
}

#[test]
fn headers_are_bounded() {
    let longest = [
        b"PROXY UNKNOWN ".as_slice(),
        &[b'x'; LONGEST_V1 - 16],
        b"\r\n",
    ]
    .concat();
    assert_eq!(longest.len(), LONGEST_V1);
    assert_eq!(whole(&longest).origin(), &Origin::Unknown);
    let longer = [
        b"PROXY UNKNOWN ".as_slice(),
        &[b'x'; LONGEST_V1 - 15],
        b"\r\n",
    ]
    .concat();
    assert!(refused(&longer).contains("107 bytes"));
    assert!(refused(&longer[..LONGEST_V1]).contains("107 bytes"));

    // The length is refused before its bytes have come.
    let claim = [SIGNATURE, &[0x21, 0x11, 0xff, 0xff]].concat();
    assert!(refused(&claim).contains("65551 bytes, and at most 4096"));
    assert!(Header::parse(&claim, 65_551).unwrap().is_none());
}

#[test]
fn a_binary_header_tells_a_client_of_each_family() {
    let header = whole(&v2(0x21, 0x11, &IPV4));
    let ends = ("tcp://192.0.2.1:56324", "tcp://198.51.100.7:443");
    assert_eq!(client(&header), (ends.0.to_owned(), ends.1.to_owned()));
    assert_eq!(
        client(&whole(&v2(0x21, 0x12, &IPV4))).0,
        "udp://192.0.2.1:56324"
    );
    let mut ends = [0; 216];
    ends[..9].copy_from_slice(b"/run/a\0xy");
    ends[108..112].copy_from_slice(b"\0abc");
    let header = whole(&v2(0x21, 0x31, &ends));
    assert_eq!(
        client(&header),
        ("unix:///run/a".to_owned(), "unix://@abc".to_owned())
    );
    assert_eq!(client(&whole(&v2(0x21, 0x31, &[0; 216]))).0, "unix://");
}

#[test]
fn behind_local_all_is_ignored() {
    for (family, rest) in [
        (0x00, &b""[..]),
        (0x11, &IPV4),
        (0x11, b"x"),
        (0x7f, b"\x03\0\x04abcd"),
    ] {
        let header = whole(&v2(0x20, family, rest));
        assert_eq!(
            (header.origin(), header.fields().is_empty()),
            (&Origin::Local, true)
        );
    }
}

#[test]
fn a_binary_header_that_breaks_the_format_is_refused() {
    let with = |fields: &[u8]| v2(0x21, 0x11, &[&IPV4, fields].concat());
    for (bytes, reason) in [
        (v2(0x31, 0x11, &IPV4), "the version and command 0x31"),
        (v2(0x22, 0x11, &IPV4), "the version and command 0x22"),
        (v2(0x21, 0x41, &IPV4), "the family 0x41"),
        (v2(0x21, 0x10, &IPV4), "the family 0x10"),
        (v2(0x21, 0x21, &IPV4), "shorter than the addresses"),
        (v2(0x21, 0x11, &IPV4[..11]), "shorter than the addresses"),
        (with(b"\x01"), "the field 0x01"),
        (with(b"\x05\0\x01a\x01\0\x09h2"), "the field 0x01"),
        (with(b"\x20\0\x04\x01\0\0\0"), "the field 0x20"),
        (with(b"\x20\0\x07\x01\0\0\0\0\x21\0"), "the field 0x21"),
        (
            with(b"\x03\0\x03abc"),
            "a PROXY header has 3 bytes, and not 4",
        ),
        (
            with(b"\x03\0\x04abcd"),
            "the checksum of its PROXY header is wrong",
        ),
    ] {
        let words = refused(&bytes);
        assert!(words.contains(reason), "{reason}: {words}");
    }
}

#[test]
fn fields_are_kept() {
    let tls = [&[7, 0, 0, 0, 0][..], b"\x21\0\x07TLSv1.3", b"\x22\0\x03ann"].concat();
    let header = Header::new(Version::V2, Origin::Unknown)
        .with_field(kind::ALPN, b"h2")
        .and_then(|header| header.with_field(kind::AUTHORITY, b"example.org"))
        .and_then(|header| header.with_field(kind::SSL, &tls))
        .and_then(|header| header.with_field(kind::UNIQUE_ID, b"\xff"))
        .and_then(Header::with_checksum)
        .unwrap();
    let header = whole(&header.encode().unwrap());
    let fields = header.fields();
    assert!(header.is_checked());
    assert_eq!(
        (fields.alpn(), fields.authority()),
        (Some(&b"h2"[..]), Some("example.org"))
    );
    assert_eq!(
        (fields.unique_id(), fields.namespace()),
        (Some(&b"\xff"[..]), None)
    );
    assert_eq!(fields.iter().count(), 5);
    let tls = fields.tls().unwrap();
    assert!(tls.is_used() && tls.has_certificate() && tls.is_verified());
    assert_eq!(
        (tls.version(), tls.common_name()),
        (Some("TLSv1.3"), Some("ann"))
    );
    assert_eq!(tls.cipher(), None);
}

#[test]
fn what_a_form_cannot_say_is_an_error() {
    let origin = |source: &str, destination: &str| Origin::Client {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    };
    let unix = origin("unix:///a", "unix:///b");
    let line = Header::new(Version::V1, unix).encode().unwrap();
    assert_eq!(line, b"PROXY UNKNOWN\r\n");
    let mixed = origin("tcp://192.0.2.1:1", "tcp://[::1]:2");
    let line = Header::new(Version::V1, mixed.clone()).encode().unwrap();
    assert_eq!(line, b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n");
    let again = whole(&Header::new(Version::V2, mixed.clone()).encode().unwrap());
    assert_eq!(again.origin(), &mixed);

    let long = format!("unix:///{}", "x".repeat(108));
    for (source, destination) in [
        ("tcp://192.0.2.1:1", "unix:///b"),
        ("tcp://example.org:1", "tcp://192.0.2.1:1"),
        ("tcp://192.0.2.1:1", "udp://192.0.2.1:1"),
        ("mem://a", "mem://b"),
        (&long, "unix:///b"),
    ] {
        let header = Header::new(Version::V2, origin(source, destination));
        let words = header.encode().unwrap_err().to_string();
        assert!(words.contains("a PROXY header cannot say"), "{words}");
    }
    let fields = Header::new(Version::V1, Origin::Unknown)
        .with_checksum()
        .unwrap();
    assert!(
        fields
            .encode()
            .unwrap_err()
            .to_string()
            .contains("use version 2")
    );
    assert!(fields.with_field(kind::NOOP, &[0; 65_536]).is_err());
}

fn ends() -> impl Strategy<Value = Origin> {
    let internet = (
        any::<std::net::SocketAddr>(),
        any::<std::net::SocketAddr>(),
        any::<bool>(),
    );
    let internet = internet.prop_map(|(source, destination, stream)| {
        let scheme = if stream { "tcp" } else { "udp" };
        let end = |at: std::net::SocketAddr| {
            Endpoint::new(scheme, (at.ip().to_canonical(), at.port())).unwrap()
        };
        (end(source), end(destination))
    });
    let name = proptest::collection::vec(1_u8..=255, 1..108);
    let local = (name.clone(), name, any::<bool>()).prop_map(|(path, name, stream)| {
        let scheme = if stream { "unix" } else { "unix-dgram" };
        let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(path.as_slice());
        let path = Address::Path(std::path::PathBuf::from(path));
        let name = Address::Abstract(name);
        (
            Endpoint::new(scheme, path).unwrap(),
            Endpoint::new(scheme, name).unwrap(),
        )
    });
    let client = prop_oneof![internet, local].prop_map(|(source, destination)| Origin::Client {
        source,
        destination,
    });
    prop_oneof![1 => Just(Origin::Local), 1 => Just(Origin::Unknown), 4 => client]
}

fn header() -> impl Strategy<Value = Header> {
    let value = proptest::collection::vec(any::<u8>(), 0..40);
    // A value of TLS has fields in it.
    let kinds = any::<u8>().prop_filter("a field with a format", |kind| {
        ![kind::SSL, kind::CRC32C].contains(kind)
    });
    let fields = proptest::collection::vec((kinds, value), 0..4);
    (ends(), fields, any::<bool>()).prop_map(|(origin, fields, checked)| {
        // Behind LOCAL nothing is read.
        let fields = if origin == Origin::Local {
            Vec::new()
        } else {
            fields
        };
        let checked = checked && origin != Origin::Local;
        let header = Header::new(Version::V2, origin);
        let header = fields.iter().fold(header, |header, (kind, value)| {
            header.with_field(*kind, value).unwrap()
        });
        if checked {
            header.with_checksum().unwrap()
        } else {
            header
        }
    })
}

proptest! {
    #[test]
    fn a_header_is_read_as_it_was_written_wherever_it_is_cut(header in header(), rest: Vec<u8>) {
        let bytes = header.encode().unwrap();
        for cut in 0..bytes.len() {
            prop_assert_eq!(parse(&bytes[..cut]), Ok(None));
        }
        let (again, len) = parse(&[&bytes[..], &rest].concat()).unwrap().unwrap();
        prop_assert_eq!(len, bytes.len());
        prop_assert_eq!(again.encode().unwrap(), bytes);
        prop_assert_eq!((again.origin(), again.is_checked()), (header.origin(), header.is_checked()));
    }

    #[test]
    fn a_line_is_read_as_it_was_written_wherever_it_is_cut(origin in ends()) {
        let bytes = Header::new(Version::V1, origin.clone()).encode().unwrap();
        prop_assert!(bytes.len() <= LONGEST_V1);
        for cut in 0..bytes.len() {
            prop_assert_eq!(parse(&bytes[..cut]), Ok(None));
        }
        let again = whole(&bytes);
        let tcp = matches!(&origin, Origin::Client { source, .. } if source.scheme() == "tcp");
        prop_assert_eq!(again.origin(), if tcp { &origin } else { &Origin::Unknown });
    }

    #[test]
    fn a_changed_byte_of_a_checked_header_is_found(origin in ends(), at: prop::sample::Index, by in 1_u8..) {
        let origin = if origin == Origin::Local { Origin::Unknown } else { origin };
        let header = Header::new(Version::V2, origin).with_checksum().unwrap();
        let mut bytes = header.encode().unwrap();
        // Behind the length: another one makes another header.
        let at = 16 + at.index(bytes.len() - 16);
        bytes[at] ^= by;
        let again = parse(&bytes);
        let field = bytes.len() - 7;
        // The type of the field with the checksum may have become another type.
        prop_assert!(again.is_err() || at == field, "{again:?}");
    }

    #[test]
    fn no_bytes_are_read_twice_or_lost(bytes: Vec<u8>, longest in 16_usize..200) {
        if let Ok(Some((_, len))) = Header::parse(&bytes, longest) {
            prop_assert!(len <= bytes.len());
        }
    }
}
