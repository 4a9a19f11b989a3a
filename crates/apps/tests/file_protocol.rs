//! The order of headers, bodies and answers, and errors in them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::io::Read;
use std::time::Duration;

use file_support::*;
use serde_json::json;
use socketry_apps::Service;
use socketry_apps::file::Client;

#[tokio::test]
async fn errors_in_headers_leave_the_connection_of_use_or_end_it() {
    let served = Served::new("json").await;
    let port = served.port();
    blocking(move || {
        let mut script = Script::new(port);
        for (header, body) in [
            (json!({"opt": "upload", "filesize": 5}), "12345"),
            (
                json!({"opt": "upload", "filename": "a", "filesize": 5, "mtime": "now"}),
                "12345",
            ),
            (
                json!({"opt": "upload", "filename": "a", "filesize": 5, "offset": 1}),
                "12345",
            ),
            (
                json!({"opt": "upload", "filename": "..", "filesize": 5, "wait": true}),
                "",
            ),
            (json!({"opt": "upload", "content": "text"}), ""),
            (json!({"opt": "download"}), ""),
            (json!({"opt": "fly"}), ""),
            (json!({}), ""),
        ] {
            let answer = script.send(&header).write(body.as_bytes()).answer();
            assert_eq!(answer["status"], "error", "{header}");
        }
        assert_eq!(script.send(&json!({"opt": "list"})).answer()["entries"], 0);
        for header in [
            json!({"opt": "upload", "filename": "a"}),
            json!({"opt": "upload", "filename": "a", "filesize": "many"}),
            json!({"opt": "upload", "filename": "..", "filesize": 1_u64 << 40}),
            json!({"opt": "upload", "filename": "..", "filesize": 5, "wait": true, "grace": 1}),
        ] {
            let mut script = Script::new(port);
            assert_eq!(
                script.send(&header).write(b"12345").answer()["status"],
                "error"
            );
            script.0.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(script.0.read(&mut [0]).unwrap(), 0, "{header}");
        }
        let mut script = Script::new(port);
        assert_eq!(script.write(b"\x05\0\0\0hello").answer()["status"], "error");
    })
    .await;
    assert!(names(&served.root()).is_empty());
}

#[tokio::test]
async fn digests_are_checked_before_the_name_is_given() {
    let served = Served::new("json").await;
    fs::write(served.root().join("a"), "old").unwrap();
    let (port, root) = (served.port(), served.root());
    blocking(move || {
        let right = blake3::hash(b"new").to_hex().to_string();
        let old = || fs::read(root.join("a")).unwrap() == b"old" && names(&root) == ["a"];
        let mut script = Script::new(port);
        let mut header = upload("a", 3);
        for digest in [
            json!({"blake3": "00"}),
            json!({"sha256": right}),
            json!({"blake3": right, "md5": ""}),
        ] {
            header["digest"] = digest;
            assert_eq!(
                script.send(&header).write(b"new").answer()["status"],
                "error"
            );
            assert!(old());
        }
        header["digest"] = json!("trailer");
        for trailer in [json!({"digest": {"blake3": "00"}}), json!({"digest": {}})] {
            script.send(&header).write(b"new").send(&trailer);
            assert_eq!(script.answer()["status"], "error");
            assert!(old());
        }
        script
            .send(&header)
            .write(b"new")
            .send(&json!({"digest": {"blake3": right.to_uppercase()}}));
        assert_eq!(script.answer()["status"], "done");
        assert_eq!(fs::read(root.join("a")).unwrap(), b"new");
    })
    .await;
}

#[tokio::test]
async fn nothing_is_written_before_the_whole_body_was_read_unless_asked_for() {
    let served = Served::new("json").await;
    let port = served.port();
    blocking(move || {
        let mut script = Script::new(port);
        script.send(&upload("a", 6)).write(b"abc");
        // A whole conversation of another client happens meanwhile.
        Script::new(port).send(&upload("b", 1)).write(b"x").answer();
        script.0.set_nonblocking(true).unwrap();
        let quiet = script.0.read(&mut [0]).unwrap_err();
        assert_eq!(quiet.kind(), std::io::ErrorKind::WouldBlock);
        script.0.set_nonblocking(false).unwrap();
        assert_eq!(script.write(b"def").answer()["status"], "done");
        let mut header = upload("c", 3);
        header["wait"] = json!(true);
        assert_eq!(
            script.send(&header).answer(),
            json!({"status": "ready", "offset": 0})
        );
        assert_eq!(script.write(b"abc").answer()["status"], "done");
    })
    .await;
}

#[tokio::test]
async fn ready_may_be_late() {
    let served = Served::new("json").await;
    let path = served.outside("a.bin", &bytes(100_000));
    for delay in [1500, 2500] {
        let at = delaying(served.port(), Duration::from_millis(delay)).await;
        let mut client = Client::connect(&served.service, &at).await.unwrap();
        let sent = client.put(&path, |_, _| ()).await.unwrap();
        assert!(sent.confirmed, "{delay}");
        let stored = served.root().join("a.bin");
        assert!(fs::read(&stored).unwrap() == bytes(100_000));
        fs::remove_file(stored).unwrap();
    }
}

#[tokio::test]
async fn ready_is_never_the_last_word() {
    let ready = json!({"status": "ready", "offset": 0});
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "x").unwrap();
    let none = &b""[..];
    let url = scripted(vec![(ready.clone(), none), (ready, none)]);
    let mut client = Client::connect(&Service::default(), &url.parse().unwrap())
        .await
        .unwrap();
    assert!(client.put(&path, |_, _| ()).await.is_err());
}

#[tokio::test]
async fn an_error_in_a_trailer_is_answered() {
    let served = Served::new("json").await;
    let port = served.port();
    blocking(move || {
        let mut script = Script::new(port);
        for (trailer, key) in [
            (json!({"x": 1}), "lacks the key digest"),
            (json!({"digest": "x"}), "key digest has to be"),
            (json!({"digest": {"md5": "x"}}), "lacks the key blake3"),
        ] {
            let mut header = upload("a", 3);
            header["digest"] = "trailer".into();
            let error = script.send(&header).write(b"abc").refused(&trailer);
            assert!(error.contains(key), "{error}");
        }
        // The connection can still be used.
        assert_eq!(
            script.send(&upload("b", 1)).write(b"b").answer()["status"],
            "done"
        );
    })
    .await;
    assert_eq!(names(&served.root()), ["b"]);
}
