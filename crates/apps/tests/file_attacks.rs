//! Attacks on file names and lengths that worked on others, over plain transports and over TLS.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;
mod over;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use file_support::*;
use over::OVER;
use serde_json::{Value, json};
use socketry_apps::Service;

/// A server over `scheme`, and the port where scripts reach it.
async fn served(scheme: &str) -> (Served, u16) {
    let dir = tempfile::tempdir().unwrap();
    let url = over::url(scheme, dir.path());
    let served = Served::listening(Service::default(), &url, dir).await;
    let port = over::script_port(&served.at).await;
    (served, port)
}

#[tokio::test]
async fn names_stay_inside() {
    for scheme in OVER {
        names_stay_inside_over(scheme).await;
    }
}

async fn names_stay_inside_over(scheme: &str) {
    let (served, port) = served(scheme).await;
    let secret = served.outside("secret", b"secret");
    symlink("../secret", served.root().join("link")).unwrap();
    symlink(&secret, served.root().join("absolute")).unwrap();
    symlink("..", served.root().join("up")).unwrap();
    fs::write(served.root().join("in"), "inside").unwrap();
    symlink("in", served.root().join("fine")).unwrap();
    let place = served.dir.path().to_str().unwrap().to_owned();
    blocking(move || {
        let mut script = Script::new(port);
        for name in [
            "../secret",
            "a/../../secret",
            "link",
            "absolute",
            "up/secret",
            "/../secret",
            &format!("{place}/secret"),
            "a\0b",
            r"C:\",
            "in/",
            ".socketry-0.part",
            "",
            ".",
        ] {
            for opt in ["download", "stat", "list"] {
                if matches!((opt, name), ("stat" | "list", "" | ".")) {
                    continue;
                }
                let error = script.refused(&json!({"opt": opt, "filename": name, "path": name}));
                assert!(
                    name.starts_with(&place) || !error.contains(&place),
                    "{error}"
                );
            }
        }
        for (name, kept) in [
            ("../x", "x"),
            ("/abs", "abs"),
            ("a/../../b", "b"),
            (r"C:\c", "c"),
            ("fine", "fine"),
        ] {
            let answer = script.send(&upload(name, 3)).write(b"abc").answer();
            assert_eq!(
                (&answer["status"], &answer["filename"]),
                (&json!("done"), &json!(kept))
            );
        }
        for name in [
            "",
            ".",
            "..",
            "a/..",
            r"C:\",
            "a\0b",
            &"x".repeat(256),
            ".socketry-1.part",
            "link",
            "absolute",
            "up",
        ] {
            script.send(&upload(name, 3)).write(b"abc");
            assert_eq!(script.answer()["status"], "error", "{name}");
        }
        script.send(&json!({"opt": "download", "filename": "fine"}));
        assert_eq!(script.answer()["filesize"], 3);
        assert_eq!(script.read(3), b"abc");
        assert_eq!(script.answer()["status"], "done");
    })
    .await;
    assert_eq!(fs::read(&secret).unwrap(), b"secret");
    let others = ["s", "identity", "root"];
    let mut outside = names(served.dir.path());
    outside.retain(|name| !others.contains(&&**name));
    assert_eq!(outside, ["secret"]);
    assert_eq!(
        names(&served.root()),
        ["abs", "absolute", "b", "c", "fine", "in", "link", "up", "x"]
    );
}

#[tokio::test]
async fn a_symlink_swapped_for_a_directory_never_leads_out() {
    // Scripts are slower where their bytes go through TLS.
    for (scheme, times) in [("tcp", 3000), ("tls", 300), ("tls+unix", 300)] {
        swap_over(scheme, times).await;
    }
}

async fn swap_over(scheme: &str, times: u32) {
    let (served, port) = served(scheme).await;
    let root = served.root();
    fs::create_dir(served.dir.path().join("out")).unwrap();
    fs::write(served.dir.path().join("out/f"), "outside").unwrap();
    fs::create_dir(root.join("real")).unwrap();
    fs::write(root.join("real/f"), "inside!").unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let swapping = {
        let (over, root) = (Arc::clone(&over), root.clone());
        blocking(move || {
            while !over.load(Ordering::Relaxed) {
                symlink("../out", root.join("dir")).unwrap();
                fs::remove_file(root.join("dir")).unwrap();
                fs::rename(root.join("real"), root.join("dir")).unwrap();
                fs::rename(root.join("dir"), root.join("real")).unwrap();
            }
        })
    };
    let asking = blocking(move || {
        let mut script = Script::new(port);
        for _ in 0..times {
            script.send(&json!({"opt": "download", "filename": "dir/f"}));
            if script.answer()["status"] == "ok" {
                assert_eq!(script.read(7), b"inside!");
                script.answer();
            }
        }
        over.store(true, Ordering::Relaxed);
    });
    tokio::join!(swapping, asking);
}

#[tokio::test]
async fn files_that_are_not_regular_are_refused_at_once() {
    for scheme in OVER {
        not_regular_over(scheme).await;
    }
}

async fn not_regular_over(scheme: &str) {
    let (served, port) = served(scheme).await;
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, served.root().join("pipe"), mode).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(served.root().join("socket")).unwrap();
    fs::create_dir(served.root().join("dir")).unwrap();
    blocking(move || {
        let mut script = Script::new(port);
        for name in ["pipe", "socket", "dir"] {
            let error = script.refused(&json!({"opt": "download", "filename": name}));
            assert!(error.contains("not a regular file"), "{error}");
        }
        script.send(&upload("dir", 3)).write(b"abc");
        assert!(
            script.answer()["error"]
                .as_str()
                .unwrap()
                .contains("directory")
        );
    })
    .await;
}

#[tokio::test]
async fn a_claim_is_only_a_claim() {
    for scheme in OVER {
        a_claim_over(scheme).await;
    }
}

async fn a_claim_over(scheme: &str) {
    let (served, port) = served(scheme).await;
    let root = served.root();
    blocking(move || {
        let mut script = Script::new(port);
        script.send(&upload("huge", 1 << 40)).write(b"ten bytes!");
        until("the temporary file", || names(&root).len() == 1);
        let part = root.join(&names(&root)[0]);
        assert!(fs::metadata(&part).unwrap().len() <= 10);
        let listed = Script::new(port).send(&json!({"opt": "list"})).answer();
        assert_eq!(listed["entries"], 0);
        drop(script);
        until("it is removed", || names(&root).is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_server_is_not_trusted() {
    for scheme in OVER {
        a_server_is_not_trusted_over(scheme).await;
    }
}

/// Fetches a file from a server over `scheme` that answers so.
async fn fetch(scheme: &str, answer: Vec<(Value, &'static [u8])>, dest: &Path) -> String {
    let place = tempfile::tempdir().unwrap();
    let plain = scripted(answer).parse().unwrap();
    let at = over::before(scheme, place.path(), plain).await;
    fetch_from(at.as_str(), dest).await
}

async fn a_server_is_not_trusted_over(scheme: &str) {
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("a");
    let ok = |name: &str, len: u64| json!({"status": "ok", "filename": name, "filesize": len});
    let done = json!({"status": "done", "digest": {"blake3": "00"}});
    let failed = json!({"status": "error", "error": "\u{1b}[2J"});
    let (x, none) = (&b"x"[..], &b""[..]);
    for (answer, error) in [
        (vec![(ok("../b", 1), x)], "answered with ../b"),
        (vec![(ok("b", 1), x)], "answered with b"),
        (vec![(ok("a", 9), x)], "8 bytes of a body missing"),
        (vec![(ok("a", 1), x), (done, none)], "blake3"),
        (vec![(ok("a", 1), x), (failed, none)], r"\u{1b}[2J"),
        (
            vec![(json!({"filename": "a"}), none)],
            "lacks the key filesize",
        ),
    ] {
        let told = fetch(scheme, answer, &dest).await;
        assert!(told.contains(error) && !told.contains('\u{1b}'), "{told}");
        assert!(names(dir.path()).is_empty(), "{error}");
    }
    let blake3 = blake3::hash(x).to_hex().to_string();
    let done = json!({"status": "done", "digest": {"blake3": blake3}});
    let answer = vec![(ok("a", 1), x), (done, none)];
    assert_eq!(fetch(scheme, answer, &dest).await, "done");
    assert_eq!(names(dir.path()), ["a"]);
}

#[test]
fn names_from_the_other_side_cannot_drive_the_terminal() {
    for scheme in OVER {
        names_cannot_drive_the_terminal_over(scheme);
    }
}

fn names_cannot_drive_the_terminal_over(scheme: &str) {
    let place = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let name = "x\u{1b}[2J\u{202e}y";
    fs::write(dir.path().join(name), "z").unwrap();
    let server = Process::serve_at(&over::url(scheme, place.path()), dir.path());
    let to = tempfile::tempdir().unwrap();
    let to = to.path().join("z");
    for output in [
        run(&["file", "ls", server.url()]),
        run(&[
            "file",
            "get",
            server.url(),
            name,
            "--to",
            to.to_str().unwrap(),
        ]),
        run(&[
            "file",
            "get",
            server.url(),
            &format!("{name}?"),
            "--to",
            to.to_str().unwrap(),
        ]),
    ] {
        let shown = text(&output.stdout) + &text(&output.stderr);
        assert!(shown.contains(r"x\u{1b}[2J\u{202e}y"), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']));
    }
}
