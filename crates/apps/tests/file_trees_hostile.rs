//! Trees of a client that wants more than the server gives.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs::{self, File};
use std::io::Write;

use file_support::*;
use serde_json::json;
use socketry_apps::file::{Choice, Limits, LocalTree};

#[tokio::test]
async fn the_top_keeps_its_mode_whatever_a_client_sends() {
    let served = Served::new("json").await;
    let root = served.root();
    set_mode(&root, 0o755);
    let port = port(&served.at.to_string());
    let told = blocking(move || {
        let mut script = Script::new(port);
        script.send(&json!({"opt": "store", "preserve": true}));
        assert_eq!(script.answer()["status"], "ready");
        script.send(&json!({"name": ".", "kind": "dir", "mode": 0o777}));
        script.send(&json!({"name": "d", "kind": "dir", "mode": 0o700}));
        let told = script.refused(&json!({"end": true}));
        while script.answer()["status"] != "done" {}
        told
    });
    let told = told.await;
    assert!(told.contains("never as the top itself"), "{told}");
    assert_eq!((mode(&root), mode(&root.join("d"))), (0o755, 0o700));
}

/// Whoever fetches such a file gets its holes, too.
#[tokio::test]
async fn holes_count_for_a_quota() {
    let mut limits = Limits::default();
    limits.quota = Some(1 << 20);
    let served = Served::limited("json", "tcp", limits).await;
    let mut client = served.client().await;
    for (name, stored) in [("one", true), ("two", false)] {
        let path = served.dir.path().join(name);
        let mut file = File::create(&path).unwrap();
        file.write_all(b"x").unwrap();
        file.set_len(700 << 10).unwrap();
        let found = LocalTree::find(&[path], &Choice::default()).await.unwrap();
        let sent = client.put_tree(found, "/", |_, _| ()).await.unwrap();
        assert_eq!(sent.failures.is_empty(), stored, "{:?}", sent.failures);
        assert_eq!(fs::exists(served.root().join(name)).unwrap(), stored);
    }
}
