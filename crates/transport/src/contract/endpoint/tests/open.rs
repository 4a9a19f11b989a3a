//! Third parties' schemes: any kind of address, kept as it was written.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::Path;

use super::{parse, path, refusal};
use crate::contract::datagram::PeerAddr;
use crate::contract::endpoint::{Address, Endpoint, EndpointParts};

const NONE: EndpointParts<'_> = EndpointParts {
    scheme: "x",
    user: None,
    host: "",
    port: None,
    path: "",
    query: None,
};

#[test]
fn a_text_is_kept_byte_for_byte_and_falls_into_its_parts() {
    #[rustfmt::skip]
    let table = [
        ("x://10.0.0.1:443", EndpointParts { host: "10.0.0.1", port: Some(443), ..NONE }),
        ("x://host/a%2Fb?room=x", EndpointParts { host: "host", path: "/a%2Fb", query: Some("room=x"), ..NONE }),
        ("x://[::1]:1", EndpointParts { host: "[::1]", port: Some(1), ..NONE }),
        ("x://[0:0::1]", EndpointParts { host: "[0:0::1]", ..NONE }),
        ("x://[fe80::1%25eth0]:0/", EndpointParts { host: "[fe80::1%25eth0]", port: Some(0), path: "/", ..NONE }),
        ("x:///run/x", EndpointParts { path: "/run/x", ..NONE }),
        ("x://user:secret@host/path?k=v", EndpointParts { user: Some("user:secret"), host: "host", path: "/path", query: Some("k=v"), ..NONE }),
        ("x://@name", EndpointParts { user: Some(""), host: "name", ..NONE }),
        ("x://@", EndpointParts { user: Some(""), ..NONE }),
        ("x://h/@b:1/?x@y:2?&&a&=", EndpointParts { host: "h", path: "/@b:1/", query: Some("x@y:2?&&a&="), ..NONE }),
        ("x://", NONE),
        ("x://?", EndpointParts { query: Some(""), ..NONE }),
        ("x://:80", EndpointParts { port: Some(80), ..NONE }),
        ("x://%2e%2E/~'\"<|>", EndpointParts { host: "%2e%2E", path: "/~'\"<|>", ..NONE }),
        ("x://bücher.example", EndpointParts { host: "bücher.example", ..NONE }),
        ("x:////a//b", EndpointParts { path: "//a//b", ..NONE }),
    ];
    for (text, parts) in table {
        let endpoint = parse(text);
        assert_eq!(endpoint.to_string(), text);
        assert_eq!(endpoint.parts(), parts, "{text}");
        assert_eq!(Endpoint::from_parts(parts).unwrap(), endpoint);
    }
    assert_eq!(parse("WSS://Host/A").to_string(), "wss://Host/A");
    assert_ne!(parse("x://h?a=%41"), parse("x://h?a=A"));
}

#[test]
fn views_say_what_it_can_be_taken_for() {
    let at = parse("wss://user:p%40w@ex%2Dample:443/a%2Fb?room=x%20y&flag");
    assert_eq!(at.user(), Some("user:p%40w"));
    assert_eq!(at.host_port(), Some(("ex-ample".into(), 443)));
    assert_eq!(at.raw_path(), "/a%2Fb");
    assert_eq!(at.raw_query(), Some("room=x%20y&flag"));
    assert!(at.query().eq([("room", "x y"), ("flag", "")]));
    assert_eq!((at.name(), at.socket_path()), (None, None));

    let at = parse("x+unix:///run/a%20b");
    assert_eq!(at.socket_path(), Some(Path::new("/run/a b").into()));
    assert_eq!((at.host(), at.abstract_name()), (None, None));
    let at = parse("x://@a/%00%ff?q=1");
    let name: &[u8] = b"a/\0\xff";
    assert_eq!(at.abstract_name(), Some(Cow::Borrowed(name)));
    assert_eq!((at.socket_path(), at.name()), (None, None));

    let at = parse("x://[fe80::1%253]:9");
    assert_eq!(at.host(), Some("fe80::1%3".into()));
    assert_eq!(at.socket_addr(), Some("[fe80::1%3]:9".parse().unwrap()));
    let at = parse("x://[fe80::1%25eth0]:9");
    assert_eq!(
        (at.host(), at.socket_addr()),
        (Some("fe80::1%eth0".into()), None)
    );

    let at = parse("x://room%2F1");
    assert_eq!(at.name(), Some("room/1".into()));
    assert_eq!(parse("x://%ff").name(), None);
    assert_eq!(parse("x://").name(), None);
    assert_eq!(parse("x://h").host_port(), None);
}

#[test]
fn refusals_say_what_is_wrong_and_what_to_write() {
    #[rustfmt::skip]
    let table = [
        ("x://h:http", "port 'http' is not a number from 0 to 65535"),
        ("x://h:", "port '' is not a number from 0 to 65535"),
        ("x://h:65536/a", "port '65536' is not a number from 0 to 65535"),
        ("x://[::1]:+1", "port '+1' is not a number from 0 to 65535"),
        ("x://h:080", "port '080' begins with 0; write it without"),
        ("x://::1", "an IPv6 address needs brackets; write [::1]:9000, say"),
        ("x://[::1", "']' is missing"),
        ("x://[::g]", "what stands in brackets is not an IPv6 address"),
        ("x://[::1%25]", "the zone after '%' is not an interface"),
        ("x://[::1]a", "only a port may stand behind ']'"),
        ("x://a]", "'[' and ']' stand around an IPv6 address only"),
        ("x://h/%", "'%' is not followed by two hex digits; write '%' as %25"),
        ("x://h%zz", "'%' is not followed by two hex digits; write '%' as %25"),
        ("x://h?a=%f", "'%' is not followed by two hex digits; write '%' as %25"),
        ("x://h?a=%ff", "it is not UTF-8"),
        ("x://h/#a", "a fragment means nothing here; write '#' as %23"),
        ("x://a b", "' ' cannot stand in it; write ' ' as %20"),
        ("x_y://h", "a scheme is a letter, then letters, digits, '+', '-' or '.'; those that are here are tcp, udp, unix, unix-dgram, unix-seqpacket, mem"),
    ];
    for (text, reason) in table {
        assert_eq!(refusal(text), format!("cannot use {text}: {reason}"));
    }
    for (text, encoded) in [("x://\u{1b}[2J", "%1B"), ("x://h/\u{202e}", "%E2%80%AE")] {
        assert!(refusal(text).ends_with(encoded), "{}", refusal(text));
    }
}

#[test]
fn parts_that_reach_into_others_are_refused_by_name() {
    #[rustfmt::skip]
    let table = [
        (EndpointParts { host: "h", path: "p", ..NONE }, "its path does not begin with '/'"),
        (EndpointParts { path: "p", ..NONE }, "its path does not begin with '/'"),
        (EndpointParts { host: "::1", port: Some(1), ..NONE }, "an IPv6 address needs brackets"),
        (EndpointParts { host: "h", path: "/a?b", ..NONE }, "its path would be read as another; write ':', '/', '?' and '@' that belong to a part as %XX"),
        (EndpointParts { user: Some("a/b"), host: "h", ..NONE }, "its user would be read as another; write ':', '/', '?' and '@' that belong to a part as %XX"),
    ];
    for (parts, reason) in table {
        let error = Endpoint::from_parts(parts).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
    let own = EndpointParts {
        scheme: "tcp",
        host: "h",
        port: Some(1),
        ..NONE
    };
    assert_eq!(Endpoint::from_parts(own).unwrap(), parse("tcp://h:1"));
    let own = EndpointParts {
        scheme: "tcp",
        host: "h",
        port: Some(1),
        path: "/a",
        ..NONE
    };
    let error = Endpoint::from_parts(own).unwrap_err().to_string();
    assert!(error.contains("a path means nothing"), "{error}");
}

#[test]
fn peers_are_named_under_any_scheme_and_found_again() {
    let table = [
        (
            PeerAddr::from(SocketAddr::from(([127, 0, 0, 1], 9))),
            "my://127.0.0.1:9",
        ),
        (
            PeerAddr::Path(Path::new("/run/a:b").into()),
            "my:///run/a:b",
        ),
        (PeerAddr::Abstract((*b"a:b\0/c").into()), "my://@a%3Ab%00/c"),
        (PeerAddr::Name("bob".into()), "my://bob"),
        (PeerAddr::Name("127.0.0.1:9".into()), "my://127.0.0.1%3A9"),
        (PeerAddr::Name("/run/@x".into()), "my://%2Frun%2F%40x"),
        (PeerAddr::Unnamed, "my://"),
    ];
    for (peer, text) in table {
        let endpoint = peer.endpoint("my").unwrap();
        assert_eq!(endpoint.to_string(), text);
        assert_eq!(PeerAddr::try_from(&parse(text)).unwrap(), peer);
    }
    let named = PeerAddr::try_from(&parse("my://localhost:1")).unwrap_err();
    assert!(named.to_string().contains("resolve it first"), "{named}");
    assert!(PeerAddr::try_from(&parse("my://user:pw@host")).is_err());
}

#[test]
fn an_address_that_is_none_is_refused_under_any_scheme() {
    for address in [
        path(b""),
        path(b"a\0b"),
        Address::Host(String::new(), 1),
        Address::Name(String::new()),
    ] {
        let error = Endpoint::new("x", address).unwrap_err().to_string();
        assert!(error.contains("does not belong"), "{error}");
    }
}

#[test]
fn a_scheme_is_changed_where_the_address_allows_it() {
    let moved = |from: &str, scheme: &str| parse(from).with_scheme(scheme).unwrap().to_string();
    assert_eq!(moved("tls://h:1?a=b", "TCP"), "tcp://h:1?a=b");
    assert_eq!(moved("tcp://[::1]:1", "tls"), "tls://[::1]:1");
    assert_eq!(moved("tls+unix:///run/x", "unix"), "unix:///run/x");
    assert_eq!(
        moved("unix://@a:b?mode=0600", "tls+unix"),
        "tls+unix://@a%3Ab?mode=0600"
    );
    assert_eq!(moved("tls+unix://@a%3Ab", "unix"), "unix://@a:b");
    assert_eq!(moved("mem://a/b@c", "x"), "x://a%2Fb%40c");
    assert_eq!(moved("x://a%2Fb%40c", "mem"), "mem://a/b@c");
    let refused =
        |from: &str, scheme: &str| parse(from).with_scheme(scheme).unwrap_err().to_string();
    assert_eq!(
        refused("tls://user:secret@h:1", "tcp"),
        "cannot use tls://…@h:1: a user name or password means nothing here; \
         leave out what stands before '@'"
    );
    assert!(refused("wss://h:1/path", "tcp").contains("a path means nothing behind the port"));
    assert!(refused("tls://h", "tcp").contains("write h:9000, say"));
    assert!(refused("x://h?flag", "mem").contains("option 'flag' has no value"));
    assert!(refused("tcp://h:1", "no scheme").contains("a scheme is a letter"));
}

#[test]
fn host_and_port_are_required_with_the_words_of_tcp() {
    let at = parse("tls://user@[::1]:443/path");
    assert_eq!(at.require_host_port("use").unwrap(), ("::1".into(), 443));
    for (text, words) in [
        (
            "tls://h",
            "cannot connect to tls://h: it has no port; write h:9000, say, or :0 to let the system choose",
        ),
        (
            "tls://:1",
            "it has no host; write 127.0.0.1 for this machine only",
        ),
        (
            "tls://",
            "it has no host; write 127.0.0.1 for this machine only",
        ),
        ("tls://*:1", "it has no host"),
        ("tls://a%20b:1", "the host is not a name"),
        ("tls://%ff:1", "it is not UTF-8"),
        ("unix:///run/x", "it has no host and port"),
        (
            "tls://user:secret@h",
            "cannot connect to tls://…@h: it has no port; write h:9000, say",
        ),
    ] {
        let error = parse(text).require_host_port("connect to").unwrap_err();
        let error = error.to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn queries_are_changed_and_the_rest_is_left_as_it_is_written() {
    let at = parse("x://h?%61=1&&b=%20&a=2&flag&");
    assert!(
        at.query()
            .eq([("a", "1"), ("b", " "), ("a", "2"), ("flag", "")])
    );
    let without = |key: &str| at.clone().without_key(key).to_string();
    assert_eq!(without("a"), "x://h?b=%20&flag");
    assert_eq!(without("flag"), "x://h?%61=1&b=%20&a=2");
    assert_eq!(without("none"), at.to_string());
    assert_eq!(parse("x://h/?a").without_key("a").to_string(), "x://h/");
    assert_eq!(
        parse("x://h/?").with("a b", "&").to_string(),
        "x://h/?a%20b=%26"
    );
    assert_eq!(at.without_query(), parse("x://h"));
}
