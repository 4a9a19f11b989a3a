//! Any text as an endpoint: it parses or is refused with an error. A parsed endpoint prints as a
//! text that parses to the same.

use socketry_transport::{Endpoint, PeerAddr};

const OURS: [&str; 5] = ["tcp", "udp", "unix", "unix-dgram", "mem"];

pub fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    match text.parse::<Endpoint>() {
        Ok(endpoint) => {
            prints(&endpoint, text);
            has_parts(&endpoint);
            has_views(&endpoint);
            changes(&endpoint);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn parse(text: &str) -> Endpoint {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

fn prints(endpoint: &Endpoint, text: &str) {
    let printed = endpoint.to_string();
    let same = parse(&printed);
    assert_eq!(same, *endpoint, "{printed}");
    assert_eq!(same.to_string(), printed);
    if !OURS.contains(&endpoint.scheme()) {
        let (_, rest) = text.split_once("://").expect("a scheme");
        assert_eq!(printed, format!("{}://{rest}", endpoint.scheme()));
    }
    assert!(!printed.chars().any(char::is_control), "{printed:?}");
}

fn has_parts(endpoint: &Endpoint) {
    let again = Endpoint::from_parts(endpoint.parts());
    assert_eq!(again.unwrap_or_else(|error| panic!("{error}")), *endpoint);
}

/// None of them panics, and a peer's address names the peer.
fn has_views(endpoint: &Endpoint) {
    let views = (endpoint.host_port(), endpoint.socket_addr());
    assert!(views.1.is_none() || views.0.is_some(), "{endpoint}");
    let _ = (
        endpoint.socket_path(),
        endpoint.abstract_name(),
        endpoint.name(),
    );
    let _ = endpoint.require_host_port("use");
    if let Some(user) = endpoint.user().filter(|user| !["", "…"].contains(user)) {
        let shown = format!("{endpoint:?}");
        let secret = format!("Endpoint({}://{user}@", endpoint.scheme());
        assert!(!shown.starts_with(&secret), "{shown}");
    }
    if let Ok(peer) = PeerAddr::try_from(endpoint) {
        let named = peer.endpoint(endpoint.scheme()).expect("that scheme");
        assert_eq!(PeerAddr::try_from(&named).expect("that peer"), peer);
    }
}

fn changes(endpoint: &Endpoint) {
    let with = endpoint.clone().with("a key", "&");
    assert_eq!(parse(with.as_str()), with);
    let without = with.without_key("a key");
    assert!(without.query().all(|(key, _)| key != "a key"));
    assert_eq!(parse(without.as_str()), without);
    let moved = endpoint.with_scheme("x").expect("any address");
    if OURS.contains(&endpoint.scheme()) {
        assert_eq!(
            moved.with_scheme(endpoint.scheme()).ok().as_ref(),
            Some(endpoint)
        );
    }
}
