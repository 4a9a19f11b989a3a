//! The laws of every endpoint.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV6};

use proptest::prelude::*;

use super::{name, parse, path};
use crate::contract::endpoint::{Address, Endpoint, EndpointParts};

fn sockets_in() -> impl Strategy<Value = Address> {
    let v4 = any::<(Ipv4Addr, u16)>().prop_map(|(ip, port)| Address::Ip((ip, port).into()));
    let v6 = any::<(Ipv6Addr, u16, u32)>()
        .prop_map(|(ip, port, scope)| Address::Ip(SocketAddrV6::new(ip, port, 0, scope).into()));
    let named = ("[a-zA-Zäé_][a-z0-9._-]{0,20}", any::<u16>())
        .prop_map(|(name, port)| Address::Host(name, port));
    let zone = (any::<Ipv6Addr>(), "[a-z][a-z0-9._-]{0,14}", any::<u16>())
        .prop_map(|(ip, zone, port)| Address::Host(format!("{ip}%{zone}"), port));
    prop_oneof![v4, v6, named, zone]
}

fn sockets_un() -> impl Strategy<Value = Address> {
    let path = prop::collection::vec(1u8.., 1..40).prop_map(|bytes| path(&bytes));
    let hidden = prop::collection::vec(any::<u8>(), 0..40).prop_map(Address::Abstract);
    prop_oneof![path, hidden, Just(Address::Unnamed)]
}

/// Any scheme but those of this crate.
const OTHER: &str = "x[a-z0-9+.-]{0,8}";

/// Addresses of every kind.
fn addresses() -> impl Strategy<Value = Address> {
    let hosts = (".{1,20}", any::<u16>()).prop_map(|(name, port)| Address::from((name, port)));
    let names = ".{1,20}".prop_map(|text| name(&text));
    prop_oneof![sockets_in(), sockets_un(), hosts, names]
}

/// Texts of other schemes that are well-formed more often than not.
fn texts() -> impl Strategy<Value = String> {
    (
        "[xX][A-Za-z0-9+.-]{0,4}://([a-z:%40]{0,6}@)?",
        r"[a-z.äß]{0,8}|\[::1\]|\[fe80::1%25eth0\]|127\.0\.0\.1|%2E[a-z]|[a@\[\]:%]{0,4}",
        r"(:[0-9]{1,5})?(/[a-z0-9%2f:@\[\]ü+~ ]{0,12})?(\?[a-z=&%20?/@:]{0,12})?",
    )
        .prop_map(|(start, host, end)| format!("{start}{host}{end}"))
}

fn endpoints() -> impl Strategy<Value = Endpoint> {
    let internet = (prop_oneof!["tcp", "udp"], sockets_in());
    let local = (prop_oneof!["unix", "unix-dgram"], sockets_un());
    let mem = ("mem", ".+").prop_map(|(scheme, text)| (scheme, name(&text)));
    let query = prop::collection::vec((any::<String>(), any::<String>()), 0..4);
    (
        prop_oneof![internet, local, mem, (OTHER, addresses())],
        query,
    )
        .prop_map(|((scheme, address), query)| {
            let endpoint = Endpoint::new(&scheme, address).expect("an endpoint");
            query
                .iter()
                .fold(endpoint, |endpoint, (k, v)| endpoint.with(k, v))
        })
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same(endpoint in endpoints()) {
        let printed = endpoint.to_string();
        prop_assert!(printed.chars().all(|c| !c.is_control() && c != ' '), "{printed:?}");
        prop_assert_eq!(parse(&printed), endpoint);
    }

    #[test]
    fn a_text_of_another_scheme_is_printed_byte_for_byte(text in texts()) {
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            let (scheme, rest) = text.split_once("://").unwrap();
            let lower = format!("{}://{rest}", scheme.to_ascii_lowercase());
            prop_assert_eq!(endpoint.to_string(), lower);
        }
    }

    #[test]
    fn an_endpoint_is_its_parts(endpoint in endpoints(), text in texts()) {
        let parsed = text.parse::<Endpoint>().ok();
        for endpoint in [endpoint].into_iter().chain(parsed) {
            prop_assert_eq!(Endpoint::from_parts(endpoint.parts()).unwrap(), endpoint);
        }
    }

    #[test]
    fn parts_are_the_endpoints_or_refused(
        user in prop::option::of("[a-z%40:@/]{0,6}"),
        host in r"[a-z.]{1,6}|\[::1\]|::1|[a@/?#:%]{0,6}",
        port in any::<Option<u16>>(),
        path in "(/[a-z%2f:@?#]{0,6})?|[a/]{0,3}",
        query in prop::option::of("[a-z=&%20?/@:#]{0,12}"),
    ) {
        let parts = EndpointParts {
            scheme: "x",
            user: user.as_deref(),
            host: &host,
            port,
            path: &path,
            query: query.as_deref(),
        };
        if let Ok(endpoint) = Endpoint::from_parts(parts) {
            prop_assert_eq!(endpoint.parts(), parts);
            prop_assert_eq!(parse(endpoint.as_str()), endpoint);
        }
    }

    #[test]
    fn another_scheme_has_addresses_of_every_kind(scheme in OTHER, address in addresses()) {
        let endpoint = Endpoint::new(&scheme, address.clone()).unwrap();
        prop_assert!(endpoint.is_at(&address), "{endpoint} is not {address:?}");
        prop_assert_eq!(parse(endpoint.as_str()), endpoint.clone());
        match (&address, endpoint.address().unwrap()) {
            // A relative path reads as a name.
            (Address::Path(path), Address::Name(_)) => prop_assert!(path.is_relative()),
            (Address::Path(path), Address::Host(..)) => prop_assert!(path.is_relative()),
            (_, read) => prop_assert_eq!(read, address),
        }
    }

    #[test]
    fn a_scheme_is_put_on_and_taken_off(endpoint in endpoints(), other in OTHER) {
        let moved = endpoint.with_scheme(&other).unwrap();
        prop_assert_eq!(moved.scheme(), &other);
        prop_assert!(moved.query().eq(endpoint.query()));
        prop_assert_eq!(moved.with_scheme(endpoint.scheme()).unwrap(), endpoint);
    }

    #[test]
    fn a_key_is_taken_out_and_the_rest_is_left(endpoint in endpoints(), key in "[ab=&%]{0,2}") {
        let with = endpoint.clone().with(&key, "v").with("k", "&").with(&key, "");
        prop_assert_eq!(parse(with.as_str()), with.clone());
        let left: Vec<_> = with.query().filter(|(known, _)| *known != key).collect();
        let without = with.clone().without_key(&key);
        prop_assert!(without.query().eq(left));
        prop_assert_eq!(parse(without.as_str()), without.clone());
        prop_assert_eq!(without.without_query(), endpoint.without_query());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn json_brings_back_the_same(endpoint in endpoints()) {
        let json = serde_json::to_string(&endpoint).unwrap();
        prop_assert_eq!(serde_json::from_str::<Endpoint>(&json).unwrap(), endpoint);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = text.parse::<Endpoint>();
    }

    #[test]
    fn no_text_of_its_own_alphabet_panics_or_prints_another_endpoint(
        text in r"(tcp|udp|unix|unix-dgram|mem|x)://[a0\[\]:%25/@?&=#.é\x00+-]{0,24}"
    ) {
        match text.parse::<Endpoint>() {
            Ok(endpoint) => prop_assert_eq!(parse(&endpoint.to_string()), endpoint),
            Err(error) => prop_assert!(!error.to_string().contains('\0')),
        }
    }
}
