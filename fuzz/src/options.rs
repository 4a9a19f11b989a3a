//! Socket options from a query, from JSON and from TOML. All three forms give the same options, and
//! an unknown key is refused.

use std::sync::LazyLock;

use serde_json::{Map, Value};
use socketry_transport::{Endpoint, SocketOptions};

static NOWHERE: LazyLock<Endpoint> =
    LazyLock::new(|| "any://where".parse().expect("a well-formed endpoint"));

/// The first byte chooses the form to compare with the query, which is the rest.
pub fn run(input: &[u8]) {
    let Some((form, query)) = input.split_first() else {
        return;
    };
    let Some(endpoint) = endpoint(query) else {
        return;
    };
    if let Some((key, value)) = unknown(&endpoint) {
        return match form % 3 {
            0 => refuses_in_json(key, value),
            _ => refuses(&endpoint),
        };
    }
    let read = SocketOptions::from_query(&endpoint, SocketOptions::KEYS);
    match read {
        Ok(options) => match form % 3 {
            0 => json(&options),
            1 => toml(&options),
            _ => as_query(&options),
        },
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn endpoint(query: &[u8]) -> Option<Endpoint> {
    let query = std::str::from_utf8(query).ok()?;
    format!("any://where?{query}").parse().ok()
}

fn unknown(endpoint: &Endpoint) -> Option<(&str, &str)> {
    endpoint
        .query()
        .find(|(key, _)| !SocketOptions::KEYS.contains(key))
}

fn refuses(endpoint: &Endpoint) {
    SocketOptions::from_query(endpoint, SocketOptions::KEYS).expect_err("no option has that key");
}

fn refuses_in_json(key: &str, value: &str) {
    let map: Map<_, _> = [(key.to_owned(), Value::from(value))].into_iter().collect();
    serde_json::from_value::<SocketOptions>(map.into()).expect_err("no option has that key");
}

fn json(options: &SocketOptions) {
    let text = serde_json::to_string(options).expect("options are JSON");
    let same: SocketOptions = serde_json::from_str(&text).expect("what was written");
    assert_eq!(same, *options, "{text}");
}

fn toml(options: &SocketOptions) {
    let text = toml::to_string(options).expect("options are TOML");
    let same: SocketOptions = toml::from_str(&text).expect("what was written");
    assert_eq!(same, *options, "{text}");
}

/// The options as JSON, with each value as the text of a query.
fn as_query(options: &SocketOptions) {
    let Ok(Value::Object(fields)) = serde_json::to_value(options) else {
        panic!("options are an object");
    };
    let mut endpoint = NOWHERE.clone();
    for (key, value) in &fields {
        endpoint = endpoint.with(key, text(value));
    }
    let same = SocketOptions::from_query(&endpoint, SocketOptions::KEYS);
    assert_eq!(same.expect("what was written"), *options, "{endpoint}");
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}
