//! A file that changes while it is sent is never taken for whole.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use file_support::*;
use serde_json::json;

const SIZE: usize = 3 << 20;

/// How another program changes a file.
type Change = fn(&Path);

fn open(path: &Path) -> fs::File {
    fs::File::options().write(true).open(path).unwrap()
}

/// Each change happens when a part of the file has been sent, and most of it has not.
const CHANGES: [(&str, Change); 4] = [
    ("overwritten at its end", |path| {
        open(path).write_all_at(b"new", SIZE as u64 - 3).unwrap();
    }),
    ("overwritten at its beginning", |path| {
        open(path).write_all_at(b"new", 0).unwrap();
    }),
    ("longer", |path| {
        open(path).write_all_at(b"new", SIZE as u64).unwrap();
    }),
    ("overwritten, and its time set back", |path| {
        let modified = fs::metadata(path).unwrap().modified().unwrap();
        let file = open(path);
        file.write_all_at(b"new", 0).unwrap();
        file.set_modified(modified).unwrap();
    }),
];

/// A file whose times are fresh, or old enough to be trusted.
fn make(path: &Path, old: bool) {
    fs::write(path, bytes(SIZE)).unwrap();
    if old {
        let long_ago = SystemTime::now() - Duration::from_secs(1000);
        open(path).set_modified(long_ago).unwrap();
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_put_is_not_kept() {
    for codec in ["json", "json:bare"] {
        for (what, change) in CHANGES {
            for old in [false, true] {
                let served = Served::new(codec).await;
                let path = served.dir.path().join("a");
                make(&path, old);
                let mut change = Some(change);
                let mut client = served.client().await;
                let put = client.put(&path, |done, _| {
                    if done > 0
                        && let Some(change) = change.take()
                    {
                        change(&path);
                    }
                });
                let error = put.await.unwrap_err().to_string();
                assert!(error.contains("while it was sent"), "{what}: {error}");
                let root = served.root();
                blocking(move || until("nothing is kept", || names(&root).is_empty())).await;
                client.put(&path, |_, _| ()).await.unwrap();
            }
        }
    }
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_fetched_is_not_kept() {
    for codec in ["json", "json:bare", "raw"] {
        for (what, change) in CHANGES {
            let served = Served::new(codec).await;
            let path = served.root().join("a");
            // More than both sides and the kernel between them hold at once.
            fs::write(&path, vec![7; 64 << 20]).unwrap();
            let dest = served.dir.path().join("b");
            let mut change = Some(change);
            let mut client = served.client().await;
            let get = client.get("a", &dest, |done, _| {
                if done > 0
                    && let Some(change) = change.take()
                {
                    change(&path);
                }
            });
            let error = get.await.unwrap_err().to_string();
            assert!(
                codec == "raw" || error.contains("while it was sent"),
                "{what}: {error}"
            );
            assert_eq!(names(served.dir.path()), ["root"], "{codec}: {what}");
            client.get("a", &dest, |_, _| ()).await.unwrap();
        }
    }
}

/// The server can then only say that something is wrong.
#[tokio::test]
async fn a_client_whose_file_becomes_shorter_at_the_server_learns_the_likely_cause() {
    for codec in ["json", "json:bare", "raw"] {
        let served = Served::new(codec).await;
        let to = tempfile::tempdir().unwrap();
        let path = served.root().join("shrinks");
        fs::File::create(&path).unwrap().set_len(100 << 30).unwrap();
        let (dest, mut client) = (to.path().join("shrinks"), served.client().await);
        let got = client.get("shrinks", &dest, |done, _| {
            if done > 0 {
                open(&path).set_len(1 << 20).unwrap();
            }
        });
        let error = got.await.unwrap_err().to_string();
        assert!(
            error.contains("the file become shorter?"),
            "{codec}: {error}"
        );
        assert!(names(to.path()).is_empty());
    }
}

#[tokio::test]
async fn changes_that_leave_the_bytes_alone_are_no_changes() {
    let served = Served::new("json").await;
    let (path, other) = (served.root().join("a"), served.root().join("other"));
    fs::write(&path, bytes(SIZE)).unwrap();
    let dest = served.dir.path().join("b");
    let mut client = served.client().await;
    // Another upload replaces the file meanwhile. The requested one is sent whole.
    let got = client.get("a", &dest, |done, _| {
        if done > 0 && !other.exists() {
            fs::write(&other, "other").unwrap();
            fs::rename(&other, &path).unwrap();
            fs::write(&other, "again").unwrap();
        }
    });
    assert!(got.await.unwrap().confirmed);
    assert!(fs::read(&dest).unwrap() == bytes(SIZE));
}

#[tokio::test]
async fn the_servers_word_that_a_file_changed_is_believed() {
    let header = json!({"status": "ok", "filename": "a", "filesize": 1});
    let error = json!({"status": "error", "error": "a: it changed"});
    let url = scripted(vec![(header, b"x"), (error, b"")]);
    let dir = tempfile::tempdir().unwrap();
    let told = fetch_from(&url, &dir.path().join("a")).await;
    assert!(told.contains("it changed"), "{told}");
    assert!(names(dir.path()).is_empty());
}
