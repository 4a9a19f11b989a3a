//! The grammar of endpoints: the texts that parse, their meaning, and the words of each refusal.
#![cfg(unix)]

mod laws;
mod open;
mod secrets;

use std::borrow::Cow;
use std::ffi::OsString;
use std::net::{Ipv6Addr, SocketAddrV6};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use super::*;
use crate::contract::error::ErrorKind;

fn parse(text: &str) -> Endpoint {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => panic!("{text} was taken for {endpoint:?}"),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidEndpoint, "{text}");
            error.to_string()
        }
    }
}

fn ip(text: &str) -> Address {
    Address::Ip(text.parse().unwrap())
}

fn host(name: &str, port: u16) -> Address {
    Address::Host(name.to_owned(), port)
}

fn path(bytes: &[u8]) -> Address {
    Address::Path(PathBuf::from(OsString::from_vec(bytes.to_vec())))
}

fn name(text: &str) -> Address {
    Address::Name(text.to_owned())
}

fn zoned(scope: u32, port: u16) -> Address {
    let ip: Ipv6Addr = "fe80::1".parse().unwrap();
    Address::Ip(SocketAddrV6::new(ip, port, 0, scope).into())
}

#[test]
fn every_form_means_what_it_says_and_prints_one_way() {
    let same = "";
    #[rustfmt::skip]
    let table = [
        ("tcp://127.0.0.1:9000", "tcp", ip("127.0.0.1:9000"), same),
        ("udp://0.0.0.0:0", "udp", ip("0.0.0.0:0"), same),
        ("tcp://[::1]:9000", "tcp", ip("[::1]:9000"), same),
        ("tcp://[::ffff:1.2.3.4]:1", "tcp", ip("[::ffff:1.2.3.4]:1"), same),
        ("tcp://[0:0::1]:1", "tcp", ip("[::1]:1"), "tcp://[::1]:1"),
        ("tcp://localhost:65535", "tcp", host("localhost", 65535), same),
        ("tcp://a-b.c_d.example:80", "tcp", host("a-b.c_d.example", 80), same),
        ("tcp://bücher.example:80", "tcp", host("bücher.example", 80), same),
        ("tcp://b%C3%BCcher.example:80", "tcp", host("bücher.example", 80), "tcp://bücher.example:80"),
        ("tcp://localhost:007/", "tcp", host("localhost", 7), "tcp://localhost:7"),
        ("TCP://h:1", "tcp", host("h", 1), "tcp://h:1"),
        ("tcp://[fe80::1%253]:1", "tcp", zoned(3, 1), same),
        ("tcp://[fe80::1%3]:1", "tcp", zoned(3, 1), "tcp://[fe80::1%253]:1"),
        ("udp://[fe80::1%25eth0]:1", "udp", host("fe80::1%eth0", 1), same),
        ("udp://[fe80::1%eth0.2]:1", "udp", host("fe80::1%eth0.2", 1), "udp://[fe80::1%25eth0.2]:1"),
        ("unix:///run/app.sock", "unix", path(b"/run/app.sock"), same),
        ("unix://app.sock", "unix", path(b"app.sock"), same),
        ("unix-dgram:///run/app.sock", "unix-dgram", path(b"/run/app.sock"), same),
        ("unix:///a%20b%3F%23%25", "unix", path(b"/a b?#%"), same),
        ("unix:///%ff%FE", "unix", path(b"/\xff\xfe"), "unix:///%FF%FE"),
        ("unix://%40file", "unix", path(b"@file"), same),
        ("unix:///a@b", "unix", path(b"/a@b"), "unix:///a%40b"),
        ("unix://@name", "unix", Address::Abstract(b"name".to_vec()), same),
        ("unix://@%00a%FF/%40", "unix", Address::Abstract(b"\0a\xff/@".to_vec()), same),
        ("unix-dgram://@", "unix-dgram", Address::Abstract(Vec::new()), same),
        ("unix://", "unix", Address::Unnamed, same),
        ("mem://name", "mem", name("name"), same),
        ("mem://a b", "mem", name("a b"), "mem://a%20b"),
    ];
    for (text, scheme, address, printed) in table {
        let endpoint = parse(text);
        assert_eq!(endpoint.scheme(), scheme, "{text}");
        assert_eq!(endpoint.address(), Some(address.clone()), "{text}");
        let printed = if printed == same { text } else { printed };
        assert_eq!(endpoint.to_string(), printed);
        assert_eq!(parse(printed), endpoint);
        assert_eq!(Endpoint::new(scheme, address).unwrap(), endpoint, "{text}");
    }
}

#[test]
fn queries_keep_their_order_and_every_character() {
    let endpoint = parse("tcp://h:1?b=1&a=x%20%26%3D%25y&&b=2&empty=&join=ff02::1@eth0");
    let pairs: Vec<_> = endpoint.query().collect();
    let expected = [
        ("b", "1"),
        ("a", "x &=%y"),
        ("b", "2"),
        ("empty", ""),
        ("join", "ff02::1@eth0"),
    ];
    assert_eq!(pairs, expected);
    assert_eq!(parse("tcp://h:1?a=1+2").query().next(), Some(("a", "1+2")));
    assert_eq!(
        endpoint.to_string(),
        "tcp://h:1?b=1&a=x%20%26%3D%25y&b=2&empty=&join=ff02::1@eth0"
    );
    assert_eq!(endpoint.without_query(), parse("tcp://h:1?"));
    let built = parse("tcp://h:1").with("nodelay", true).with("ttl", 3);
    assert_eq!(built, parse("tcp://h:1?nodelay=true&ttl=3"));
}

#[test]
fn refusals_say_what_is_wrong_and_what_to_write() {
    const NO_HOST: &str =
        "write 127.0.0.1 for this machine only, 0.0.0.0 or [::] for all its addresses";
    #[rustfmt::skip]
    let table = [
        ("", "it has no scheme; write tcp://127.0.0.1:9000, say, or unix:///run/app.sock"),
        ("localhost:80", "it has no scheme; write tcp://localhost:80"),
        ("://h:1", "a scheme is a letter, then letters, digits, '+', '-' or '.'; those that are here are tcp, udp, unix, unix-dgram, unix-seqpacket, mem"),
        ("1tcp://h:1", "a scheme is a letter, then letters, digits, '+', '-' or '.'; those that are here are tcp, udp, unix, unix-dgram, unix-seqpacket, mem"),
        ("t_p://h:1", "a scheme is a letter, then letters, digits, '+', '-' or '.'; those that are here are tcp, udp, unix, unix-dgram, unix-seqpacket, mem"),
        ("tcp://localhost", "it has no port; write localhost:9000, say, or :0 to let the system choose"),
        ("tcp://[::1]", "it has no port; write [::1]:9000, say, or :0 to let the system choose"),
        ("tcp://::1", "an IPv6 address needs brackets; write [::1]:9000, say"),
        ("tcp://h:", "port '' is not a number from 0 to 65535"),
        ("tcp://h:http", "port 'http' is not a number from 0 to 65535"),
        ("tcp://h:65536", "port '65536' is not a number from 0 to 65535"),
        ("tcp://h:-1", "port '-1' is not a number from 0 to 65535"),
        ("tcp://h:+1", "port '+1' is not a number from 0 to 65535"),
        ("tcp://h:1/path", "port '1/path' is not a number from 0 to 65535; a path means nothing behind the port"),
        ("tcp://[::g]:1", "what stands in brackets is not an IPv6 address"),
        ("tcp://[127.0.0.1]:1", "what stands in brackets is not an IPv6 address"),
        ("tcp://[fe80::1%25]:1", "the zone after '%' is not an interface"),
        ("tcp://[fe80::1%a b]:1", "the zone after '%' is not an interface"),
        ("tcp://h h:1", "the host is not a name"),
        ("tcp://%ff:1", "it is not UTF-8"),
        ("tcp://h:1#top", "a fragment means nothing here; write '#' as %23"),
        ("tcp://h:1?a=b#c", "a fragment means nothing here; write '#' as %23"),
        ("tcp://h:1?nodelay", "option 'nodelay' has no value; write nodelay=true, say"),
        ("tcp://h:1?a=%ff", "it is not UTF-8"),
        ("tcp://h:1?a=%", "'%' is not followed by two hex digits; write '%' as %25"),
        ("unix:///a%2", "'%' is not followed by two hex digits; write '%' as %25"),
        ("unix:///a%zz", "'%' is not followed by two hex digits; write '%' as %25"),
        ("unix:///a%00b", "a path has no NUL byte; an abstract name is written unix://@name"),
        ("mem://", "it has no name after '://'"),
        ("mem://%ff", "it is not UTF-8"),
        ("mem://?a=b", "it has no name after '://'"),
    ];
    for (text, reason) in table {
        assert_eq!(refusal(text), format!("cannot use {text}: {reason}"));
    }
    for text in ["tcp://:80", "tcp://", "tcp://*:1"] {
        assert_eq!(
            refusal(text),
            format!("cannot use {text}: it has no host; {NO_HOST}")
        );
    }
    assert_eq!(
        refusal("tcp://user:secret@h:1"),
        "cannot use tcp://…@h:1: a user name or password means nothing here; \
         leave out what stands before '@'"
    );
}

#[test]
fn every_known_scheme_has_its_kind_of_address() {
    for scheme in ["tcp", "udp"] {
        let at = parse(&format!("{scheme}://h:1"));
        assert_eq!((at.socket_path(), at.name()), (None, None));
        assert_eq!(at.host_port(), Some(("h".into(), 1)));
        assert!(refusal(&format!("{scheme}:///path")).contains("it has no port"));
        assert!(Endpoint::new(scheme, name("n")).is_err());
        assert!(Endpoint::new(scheme, path(b"/p")).is_err());
    }
    for scheme in ["unix", "unix-dgram", "unix-seqpacket"] {
        let at = parse(&format!("{scheme}://h:1"));
        assert_eq!((at.host(), at.port(), at.name()), (None, None, None));
        assert_eq!(PathBuf::try_from(&at).unwrap(), PathBuf::from("h:1"));
        assert!(Endpoint::new(scheme, ip("1.2.3.4:5")).is_err());
        assert!(Endpoint::new(scheme, path(b"")).is_err());
        assert!(Endpoint::new(scheme, path(b"a\0b")).is_err());
    }
    assert!(Endpoint::new("mem", ip("1.2.3.4:5")).is_err());
    assert!(Endpoint::new("no scheme", name("n")).is_err());
}

#[test]
fn new_takes_a_host_that_is_an_address_and_a_scheme_in_capitals() {
    let made = Endpoint::new("TCP", host("127.0.0.1", 80)).unwrap();
    assert_eq!(made, parse("tcp://127.0.0.1:80"));
    let zone = Endpoint::new("udp", host("fe80::1%3", 80)).unwrap();
    assert_eq!(zone.address(), Some(zoned(3, 80)));
    let v6 = Endpoint::new("tcp", host("::1", 80)).unwrap();
    assert_eq!(v6, parse("tcp://[::1]:80"));
    assert!(Endpoint::new("tcp", host("a:1?b=", 80)).is_err());
}

#[test]
fn host_and_port_wherever_there_are_any() {
    let table = [
        ("tcp://127.0.0.1:1", Some(("127.0.0.1", 1))),
        ("tcp://[::1]:2", Some(("::1", 2))),
        ("udp://[fe80::1%25eth0]:3", Some(("fe80::1%eth0", 3))),
        ("udp://[fe80::1%254]:3", Some(("fe80::1%4", 3))),
        ("tls://example.org:4", Some(("example.org", 4))),
        ("tls://[::1]:5", Some(("::1", 5))),
        ("mem://name", None),
        ("unix:///run/h:1", None),
    ];
    for (text, expected) in table {
        let expected = expected.map(|(host, port)| (Cow::Borrowed(host), port));
        assert_eq!(parse(text).host_port(), expected, "{text}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn serde_reads_and_writes_the_text() {
    let endpoint = parse("unix://@%00x?mode=0600");
    let json = serde_json::to_string(&endpoint).unwrap();
    assert_eq!(json, r#""unix://@%00x?mode=0600""#);
    assert_eq!(serde_json::from_str::<Endpoint>(&json).unwrap(), endpoint);
    let escaped: Endpoint = serde_json::from_str(r#""tcp:\/\/h:1""#).unwrap();
    assert_eq!(escaped, parse("tcp://h:1"));
    let error = serde_json::from_str::<Endpoint>(r#""tcp://h""#).unwrap_err();
    assert!(error.to_string().contains("it has no port"), "{error}");
    assert!(serde_json::from_str::<Endpoint>("1").is_err());
}
