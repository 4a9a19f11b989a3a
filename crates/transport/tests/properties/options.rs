//! Options: every key, and what does not fit it, from each of the three sources.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};
use socketry_transport::{Endpoint, Error, ErrorKind, Keys, SocketOptions};

fn at(key: &str, value: &str) -> Endpoint {
    let endpoint: Endpoint = "any://where".parse().unwrap();
    endpoint.with(key, value)
}

fn from_query(key: &str, value: &str) -> Result<SocketOptions, Error> {
    // Through the text, as a user writes it.
    let endpoint = at(key, value).to_string().parse().unwrap();
    SocketOptions::from_query(&endpoint, SocketOptions::KEYS)
}

/// For each key a value that fits, as a URL and as JSON have it, and what the options then are in
/// JSON.
fn fitting() -> Vec<(&'static str, &'static str, Value, Value)> {
    vec![
        ("reuse_address", "true", json!(true), json!(true)),
        ("reuse_port", "0", json!(false), json!(false)),
        ("nodelay", "1", json!(true), json!(true)),
        ("keepalive", "1m", json!(60), json!("1m")),
        ("keepalive_interval", "1500ms", json!(1.5), json!("1s500ms")),
        (
            "keepalive_retries",
            "4294967295",
            json!(u32::MAX),
            json!(u32::MAX),
        ),
        ("linger", "0", json!(0), json!("0s")),
        ("send_buffer", "1.5KiB", json!(1536), json!("1536")),
        ("recv_buffer", "64KiB", json!(65_536), json!("64KiB")),
        ("backlog", "0", json!(0), json!(0)),
        ("only_v6", "false", json!(false), json!(false)),
        ("ttl", "255", json!(255), json!(255)),
        ("tos", "0", json!(0), json!(0)),
        ("priority", "4294967295", json!(u32::MAX), json!(u32::MAX)),
        ("mark", "0xFf", json!(255), json!(255)),
        ("broadcast", "true", json!(true), json!(true)),
        (
            "join",
            "239.1.2.3@3",
            json!(["239.1.2.3@3"]),
            json!(["239.1.2.3@3"]),
        ),
        ("interface", "3", json!("3"), json!("3")),
        (
            "bind_device",
            "eth 0&?=%é",
            json!("eth 0&?=%é"),
            json!("eth 0&?=%é"),
        ),
        ("connect_timeout", "1ns", json!("1ns"), json!("1ns")),
        ("user_timeout", "off", json!(0), json!("off")),
        ("congestion", "bbr", json!("bbr"), json!("bbr")),
        ("notsent_lowat", "0", json!("0"), json!("0")),
        ("fastopen", "1", json!(true), json!(true)),
        ("mptcp", "true", json!(true), json!(true)),
        ("mode", "0o7777", json!("7777"), json!("7777")),
        ("reclaim", "false", json!(false), json!(false)),
        ("descriptors", "4", json!(4), json!(4)),
        ("max_peers", "1", json!(1), json!(1)),
        ("peer_idle", "1h30m", json!(5400), json!("1h30m")),
        ("peer_queue", "9", json!(9), json!(9)),
        ("peer_queue_bytes", "1GiB", json!(1 << 30), json!("1GiB")),
    ]
}

#[test]
fn keepalive_off_is_the_same_from_url_toml_and_json() {
    let off = from_query("keepalive", "off").unwrap();
    assert_eq!(off.keepalive, Some(std::time::Duration::ZERO));
    for zero in [json!("off"), json!(0), json!("0s")] {
        let from_json: SocketOptions = serde_json::from_value(json!({"keepalive": zero})).unwrap();
        assert_eq!(from_json, off);
    }
    assert_eq!(
        serde_json::to_value(&off).unwrap(),
        json!({"keepalive": "off"})
    );
    let toml = toml::to_string(&off).unwrap();
    assert_eq!(toml, "keepalive = \"off\"\n");
    assert_eq!(toml::from_str::<SocketOptions>(&toml).unwrap(), off);
    let error = from_query("keepalive", "of").unwrap_err().to_string();
    assert!(error.contains("or off, say"), "{error}");
    // No other time can be off.
    for key in [
        "keepalive_interval",
        "linger",
        "connect_timeout",
        "peer_idle",
    ] {
        assert!(from_query(key, "off").is_err(), "{key}");
    }
}

#[test]
fn every_key_is_the_same_from_url_toml_and_json() {
    let table = fitting();
    let keys: Vec<_> = table.iter().map(|(key, ..)| *key).collect();
    assert_eq!(keys, SocketOptions::KEYS);
    for (key, text, value, written) in table {
        let from_json: SocketOptions = serde_json::from_value(json!({ key: value })).unwrap();
        assert_eq!(from_query(key, text).unwrap(), from_json, "{key}");
        let toml = toml::to_string(&from_json).unwrap();
        assert_eq!(
            toml::from_str::<SocketOptions>(&toml).unwrap(),
            from_json,
            "{toml}"
        );
        assert_eq!(
            serde_json::to_value(&from_json).unwrap(),
            json!({ key: written })
        );
        assert_eq!(from_json.set_keys(), [key]);
    }
}

/// Values just beyond each key's range, and of the wrong kind.
fn misfits(key: &str) -> Vec<Value> {
    let numbers = |first_beyond: u64| vec![json!(first_beyond), json!(-1), json!(0.5), json!(true)];
    match key {
        "ttl" | "tos" => numbers(1 << 8),
        "backlog" | "keepalive_retries" | "priority" | "mark" => numbers(1 << 32),
        "descriptors" | "max_peers" | "peer_queue" => {
            vec![json!(-1), json!(0.5), json!(1e300), json!(true)]
        }
        "send_buffer" | "recv_buffer" | "notsent_lowat" | "peer_queue_bytes" => {
            vec![
                json!(-1),
                json!("-1"),
                json!("0.5"),
                json!("1TB"),
                json!("99999999999GiB"),
                json!([]),
            ]
        }
        "keepalive" | "keepalive_interval" | "linger" | "connect_timeout" | "user_timeout"
        | "peer_idle" => {
            vec![
                json!(-1),
                json!(1e300),
                json!("soon"),
                json!("-1s"),
                json!("0.1ns"),
                json!(false),
            ]
        }
        "mode" => vec![
            json!(644),
            json!("10000"),
            json!("8"),
            json!(-1),
            json!("rw"),
        ],
        "join" => vec![json!(["1.2.3.4"]), json!(["ff02::1@a/b"]), json!([""])],
        "bind_device" | "interface" | "congestion" => vec![json!(1), json!(["lo"])],
        _ => vec![json!(2), json!("maybe"), json!(1.5)],
    }
}

/// A value as a URL would have it, where it can have it.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(values) => values.first().and_then(as_text),
        Value::Null | Value::Object(_) => None,
        other => Some(other.to_string()),
    }
}

#[test]
fn what_does_not_fit_is_refused_from_every_source_and_named() {
    for key in SocketOptions::KEYS {
        for value in misfits(key) {
            let json = json!({ *key: value });
            assert!(
                serde_json::from_value::<SocketOptions>(json.clone()).is_err(),
                "{json}"
            );
            let toml = toml::to_string(&json).unwrap();
            let error = toml::from_str::<SocketOptions>(&toml)
                .unwrap_err()
                .to_string();
            assert!(error.contains(key), "{toml}: {error}");
            // A URL has only text: `bind_device=1` is a name there, and times and modes may be bare
            // numbers.
            let in_json_only = ["bind_device", "interface", "congestion"].contains(key)
                || [json!(644), json!(true), json!(1e300)].contains(&value);
            if let Some(text) = as_text(&value).filter(|text| !in_json_only && !text.is_empty()) {
                let error = from_query(key, &text).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidOption);
                let words = error.to_string();
                assert!(words.contains(&format!("option '{key}'")), "{words}");
            }
        }
    }
}

proptest! {
    #[test]
    fn an_unknown_key_is_refused_from_every_source_and_named(key in "[a-z_]{1,12}|\\PC{1,8}") {
        prop_assume!(!SocketOptions::KEYS.contains(&&*key));
        let error = from_query(&key, "1").unwrap_err();
        prop_assert_eq!(error.kind(), ErrorKind::InvalidOption);
        let words = error.to_string();
        let named = format!("there is no option '{}'", key.escape_debug());
        prop_assert!(words.contains(&named), "{}", words);
        prop_assert!(words.ends_with(&SocketOptions::KEYS.join(", ")), "{}", words);

        let error = serde_json::from_value::<SocketOptions>(json!({ &*key: 1 })).unwrap_err();
        prop_assert!(error.to_string().contains(&key), "{}", error);
        let toml = toml::to_string(&json!({ &*key: 1 })).unwrap();
        prop_assert!(toml::from_str::<SocketOptions>(&toml).is_err(), "{}", toml);
    }

    #[test]
    fn a_key_that_does_not_apply_is_refused_and_named(
        key in select(SocketOptions::KEYS),
        allowed in subsequence(SocketOptions::KEYS.to_vec(), 0..SocketOptions::KEYS.len()),
    ) {
        let (_, text, ..) = fitting().into_iter().find(|(name, ..)| *name == key).unwrap();
        let read = SocketOptions::from_query(&at(key, text), Keys::default().and(allowed.clone()));
        match read {
            Ok(options) => prop_assert!(allowed.contains(&key) && options.set_keys() == [key]),
            Err(error) => {
                prop_assert!(!allowed.contains(&key));
                let named = format!("option '{key}' does not apply to any; any takes ");
                prop_assert!(error.to_string().contains(&named), "{}", error);
            }
        }
    }

    #[test]
    fn any_text_for_a_key_is_taken_or_named(
        key in select(SocketOptions::KEYS),
        text in any::<String>(),
    ) {
        match from_query(key, &text) {
            Ok(options) => prop_assert!(options.set_keys() == [key]),
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::InvalidOption);
                let words = error.to_string();
                prop_assert!(words.contains(&format!("option '{key}'")), "{}", words);
                prop_assert!(!words.chars().any(char::is_control), "{:?}", words);
            }
        }
    }
}
