//! Endpoints: whatever is taken prints as itself, and whatever is refused is named.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV6};
use std::path::PathBuf;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::{Deserialize, Serialize};
use socketry_transport::{Address, Endpoint, ErrorKind};

const SCHEMES: [&str; 8] = [
    "tcp",
    "udp",
    "unix",
    "unix-dgram",
    "mem",
    "tls",
    "x-serial+9.1",
    "z",
];

/// Addresses of every kind, well-formed or not.
fn addresses() -> impl Strategy<Value = Address> {
    let v4 = any::<(Ipv4Addr, u16)>().prop_map(|pair| Address::Ip(pair.into()));
    let v6 = any::<(Ipv6Addr, u16, u32)>()
        .prop_map(|(ip, port, zone)| Address::Ip(SocketAddrV6::new(ip, port, 0, zone).into()));
    let zoned = (any::<Ipv6Addr>(), "[a-z0-9._-]{0,6}", any::<u16>())
        .prop_map(|(ip, zone, port)| Address::Host(format!("{ip}%{zone}"), port));
    let bytes = || proptest::collection::vec(any::<u8>(), 0..24);
    prop_oneof![
        v4,
        v6,
        zoned,
        (".{0,12}", any::<u16>()).prop_map(|(host, port)| Address::Host(host, port)),
        bytes().prop_map(|path| {
            use std::os::unix::ffi::OsStringExt;
            Address::Path(PathBuf::from(std::ffi::OsString::from_vec(path)))
        }),
        bytes().prop_map(Address::Abstract),
        Just(Address::Unnamed),
        any::<String>().prop_map(Address::Name),
    ]
}

fn queries() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec((any::<String>(), any::<String>()), 0..4)
}

/// Endpoints as text, well-formed.
fn texts() -> impl Strategy<Value = String> {
    let well_formed = (select(&SCHEMES[..]), addresses(), queries());
    well_formed.prop_filter_map("not of that scheme", |(scheme, address, query)| {
        let mut endpoint = Endpoint::new(scheme, address).ok()?;
        for (key, value) in query {
            endpoint = endpoint.with(&key, value);
        }
        Some(endpoint.to_string())
    })
}

/// A text of which one piece was replaced by another.
fn damaged() -> impl Strategy<Value = String> {
    let wounds = "[a0%:/@?&=#\\[\\].é\u{0}\u{1b} +-]{0,3}";
    (texts(), any::<Index>(), 0..4usize, wounds).prop_map(|(text, at, cut, wound)| {
        let characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len() + 1);
        let after = (at + cut).min(characters.len());
        let (before, after) = (&characters[..at], &characters[after..]);
        before
            .iter()
            .copied()
            .chain(wound.chars())
            .chain(after.iter().copied())
            .collect()
    })
}

/// What holds for any text at all.
fn is_taken_as_itself_or_named(text: &str) {
    match text.parse::<Endpoint>() {
        Ok(endpoint) => {
            let printed = endpoint.to_string();
            assert_eq!(printed.parse::<Endpoint>().unwrap(), endpoint, "{text:?}");
            assert_eq!(printed.parse::<Endpoint>().unwrap().to_string(), printed);
            let _ = (endpoint.host_port(), endpoint.redacted().to_string());
        }
        Err(error) => {
            let words = error.to_string();
            assert_eq!(error.kind(), ErrorKind::InvalidEndpoint, "{words}");
            assert!(words.starts_with("cannot use "), "{words}");
            assert!(!words.chars().any(char::is_control), "{words:?}");
            // What stands before an '@' may be a password.
            if !text.contains('@') {
                let place = text.escape_debug().to_string();
                assert!(words.contains(&place), "{words} does not name {place}");
            }
        }
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Config {
    at: Endpoint,
}

proptest! {
    #[test]
    fn any_text_is_taken_as_itself_or_named(text in any::<String>()) {
        is_taken_as_itself_or_named(&text);
    }

    #[test]
    fn any_bytes_behind_a_scheme_are_taken_as_themselves_or_named(
        scheme in select(&SCHEMES[..]),
        bytes in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        is_taken_as_itself_or_named(&format!("{scheme}://{}", String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn a_damaged_endpoint_is_taken_as_itself_or_named(text in damaged()) {
        is_taken_as_itself_or_named(&text);
    }

    #[test]
    fn an_address_of_any_kind_belongs_to_a_scheme_or_is_refused(
        scheme in select(&SCHEMES[..]),
        address in addresses(),
    ) {
        if let Ok(endpoint) = Endpoint::new(scheme, address.clone()) {
            prop_assert_eq!(endpoint.scheme(), scheme);
            prop_assert_eq!(endpoint.to_string().parse::<Endpoint>().unwrap(), endpoint.clone());
            let same = match &address {
                Address::Ip(address) => endpoint.socket_addr() == Some(*address),
                Address::Host(host, port) => endpoint.host_port() == Some((host.into(), *port)),
                Address::Path(path) => endpoint.socket_path() == Some(path.into()),
                Address::Abstract(name) => endpoint.abstract_name() == Some(name.into()),
                Address::Name(name) => endpoint.name() == Some(name.into()),
                _ => endpoint == format!("{scheme}://").parse().unwrap(),
            };
            prop_assert!(same, "{:?} became {:?}", address, endpoint);
        }
    }

    #[test]
    fn the_query_keeps_its_order_and_every_character(query in queries()) {
        let mut endpoint: Endpoint = "tls://h:1".parse().unwrap();
        for (key, value) in &query {
            endpoint = endpoint.with(key, value);
        }
        let endpoint: Endpoint = endpoint.to_string().parse().unwrap();
        let read: Vec<_> = endpoint.query().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        prop_assert_eq!(read, query);
        prop_assert_eq!(endpoint.without_query().to_string(), "tls://h:1");
    }

    /// RFC 3986: `%XX` in either case is the byte, whether or not it had to be written so.
    #[test]
    fn a_byte_that_is_escaped_without_need_is_the_same(
        name in "[a-zA-Z0-9._~/-]{1,20}",
        at in any::<Index>(),
        scheme in select(vec!["unix", "unix-dgram", "mem", "tls"]),
    ) {
        let at = at.index(name.len());
        let byte = name.as_bytes()[at];
        let plain: Endpoint = format!("{scheme}://{name}").parse().unwrap();
        for hex in [format!("%{byte:02x}"), format!("%{byte:02X}")] {
            let escaped = format!("{scheme}://{}{hex}{}", &name[..at], &name[at + 1..]);
            let escaped: Endpoint = escaped.parse().unwrap();
            prop_assert_eq!(escaped.socket_path(), plain.socket_path());
            prop_assert_eq!(escaped.name(), plain.name());
            // Of a third party's scheme the text is kept, and texts are compared.
            prop_assert_eq!(escaped == plain, scheme != "tls");
        }
    }

    #[test]
    fn a_scheme_is_the_same_in_any_case(text in texts()) {
        let (scheme, rest) = text.split_once("://").unwrap();
        let loud = format!("{}://{rest}", scheme.to_uppercase());
        prop_assert_eq!(loud.parse::<Endpoint>().unwrap().to_string(), text);
    }

    #[test]
    fn toml_and_json_bring_back_the_same(text in texts()) {
        let config = Config { at: text.parse().unwrap() };
        let toml = toml::to_string(&config).unwrap();
        prop_assert_eq!(&toml::from_str::<Config>(&toml).unwrap(), &config);
        let json = serde_json::to_string(&config).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Config>(&json).unwrap(), &config);
    }

    #[test]
    fn what_serde_refuses_is_named_too(text in damaged()) {
        let json = serde_json::json!({ "at": text });
        let read = serde_json::from_value::<Config>(json);
        match (text.parse::<Endpoint>(), read) {
            (Ok(at), Ok(config)) => prop_assert_eq!(config.at, at),
            (Err(error), Err(told)) => prop_assert_eq!(told.to_string(), error.to_string()),
            (parsed, read) => prop_assert!(false, "{:?} and {:?}", parsed, read),
        }
    }
}
