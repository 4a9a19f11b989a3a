//! Options in files: TOML and JSON give the same options as a URL.

use proptest::prelude::*;

use super::values::options;
use super::{at, every_option};
use crate::options::SocketOptions;

#[test]
fn toml_and_json_give_the_same() {
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
        priority = 6
        mark = 0x2a
        broadcast = true
        join = ["239.1.2.3@192.168.1.5", "ff02::1@eth0"]
        interface = "eth1"
        bind_device = "lo"
        connect_timeout = 1.5
        user_timeout = "20s"
        congestion = "bbr"
        notsent_lowat = "16KiB"
        fastopen = true
        mptcp = false
        mode = 0o600
        reclaim = false
        descriptors = 4
        max_peers = 10
        peer_idle = "1m30s"
        peer_queue = 8
        peer_queue_bytes = "4KiB"
    "#;
    let json = r#"{
        "reuse_address": true, "reuse_port": false, "nodelay": true,
        "keepalive": 60, "keepalive_interval": 10, "keepalive_retries": 3, "linger": "0s",
        "send_buffer": 65536, "recv_buffer": "1MB", "backlog": 16,
        "only_v6": true, "ttl": 64, "tos": 16, "priority": 6, "mark": 42,
        "broadcast": true, "interface": "eth1",
        "join": ["239.1.2.3@192.168.1.5", "ff02::1@eth0"], "bind_device": "lo",
        "connect_timeout": "1500ms", "user_timeout": 20, "congestion": "bbr",
        "notsent_lowat": 16384, "fastopen": true, "mptcp": false, "mode": "0600", "reclaim": false, "descriptors": 4,
        "max_peers": 10, "peer_idle": 90, "peer_queue": 8, "peer_queue_bytes": 4096
    }"#;
    let all = every_option();
    assert_eq!(toml::from_str::<SocketOptions>(toml).unwrap(), all);
    assert_eq!(serde_json::from_str::<SocketOptions>(json).unwrap(), all);
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
        let read = SocketOptions::from_query(&endpoint, SocketOptions::KEYS);
        prop_assert_eq!(read.unwrap(), options);
    }
}
