//! The file app: over every pairing that serves, against scripts, and under attack.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "helpers of tests are tests"
)]

mod file_support;

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use file_support::*;
use serde_json::{Value, json};
use socketry_apps::Service;
use socketry_apps::file::{Client, Kind, Server};
use socketry_apps::matrix::{self, App};

#[tokio::test]
async fn every_pairing_that_serves_serves_and_the_others_say_why() {
    for scheme in matrix::SCHEMES {
        for codec in matrix::CODECS {
            let service = Service::with_codec(codec).unwrap();
            match service.check(App::File, scheme) {
                Ok(()) if codec == "raw" => browsing_scenario(scheme).await,
                Ok(()) => transfer_scenario(scheme, codec).await,
                Err(refused) => {
                    let url = format!("{scheme}:///nowhere")
                        .parse()
                        .or(format!("{scheme}://127.0.0.1:9").parse())
                        .unwrap();
                    let root = tempfile::tempdir().unwrap();
                    let error = Server::bind(&service, &url, root.path())
                        .await
                        .err()
                        .unwrap();
                    assert!(error.is_usage() && error.to_string() == refused.to_string());
                    assert!(error.to_string().contains("; use "), "{error}");
                }
            }
        }
    }
}

async fn transfer_scenario(scheme: &str, codec: &str) {
    let served = Served::at(scheme, codec).await;
    let mut client = served.client().await;
    let sent = bytes(5 << 20);
    let path = served.outside("five.bin", &sent);
    let mut told = 0;
    let put = client.put(&path, |done, all| {
        assert_eq!(all, Some(5 << 20));
        told = done;
    });
    let put = put.await.unwrap();
    assert!(put.confirmed && put.bytes == 5 << 20 && told == 5 << 20);
    assert_eq!(put.blake3, blake3::hash(&sent));
    assert!(fs::read(served.root().join("five.bin")).unwrap() == sent);

    fs::create_dir(served.root().join("dir")).unwrap();
    let listed = client.list("/").await.unwrap();
    let listed: Vec<_> = listed.iter().map(|one| (&*one.name, one.kind)).collect();
    let expected = [("dir", Some(Kind::Dir)), ("five.bin", Some(Kind::File))];
    assert_eq!(listed, expected);
    assert!(client.list("dir").await.unwrap().is_empty());
    assert!(client.list("nothing").await.is_err());

    let stat = client.stat("/five.bin").await.unwrap();
    assert!(stat.kind == Kind::File && stat.size == 5 << 20);

    assert!(client.get("nothing", &path, |_, _| ()).await.is_err());
    let back = served.dir.path().join("back.bin");
    let got = client.get("five.bin", &back, |_, _| ()).await.unwrap();
    assert!(got.confirmed && got.blake3 == put.blake3);
    assert!(fs::read(&back).unwrap() == sent);
    let modified = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    let apart = modified(&back)
        .duration_since(modified(&path))
        .unwrap_or_default();
    assert!(apart < Duration::from_millis(1));

    let empty = served.outside("empty", b"");
    assert_eq!(client.put(&empty, |_, _| ()).await.unwrap().bytes, 0);
    let mut client = client.replacing(true);
    assert_eq!(
        client.get("empty", &back, |_, _| ()).await.unwrap().bytes,
        0
    );
    assert_eq!(names(&served.root()), ["dir", "empty", "five.bin"]);
}

async fn browsing_scenario(scheme: &str) {
    let served = Served::at(scheme, "raw").await;
    let sent = bytes(5 << 20);
    fs::create_dir_all(served.root().join("a/b c")).unwrap();
    fs::write(served.root().join("a/five.bin"), &sent).unwrap();
    let mut client = served.client().await;
    let back = served.dir.path().join("back.bin");
    for _ in 0..2 {
        assert_eq!(client.list("/").await.unwrap()[0].name, "a");
        let names: Vec<_> = client
            .list("/a")
            .await
            .unwrap()
            .into_iter()
            .map(|one| one.name)
            .collect();
        assert_eq!(names, ["b c", "five.bin"]);
        assert!(client.list("a/b c").await.unwrap().is_empty());
        assert_eq!(client.list("/a").await.unwrap().len(), 2);
        assert!(
            client
                .list("/nothing")
                .await
                .unwrap_err()
                .to_string()
                .contains("the server says")
        );
        assert!(client.get("a/nothing", &back, |_, _| ()).await.is_err());
        assert!(!back.exists());
        let got = client.get("/a/five.bin", &back, |_, _| ()).await.unwrap();
        assert!(!got.confirmed && got.blake3 == blake3::hash(&sent));
        assert!(fs::read(&back).unwrap() == sent);
        fs::remove_file(&back).unwrap();
    }
    if scheme == "tcp" {
        // It takes a while, since only the missing end tells words from a file.
        let words = client.get("a/b c", &back, |_, _| ()).await.unwrap_err();
        assert!(words.to_string().contains("not a regular file"), "{words}");
    }
    assert!(client.put(&back, |_, _| ()).await.unwrap_err().is_usage());
}

#[tokio::test]
async fn exchange_6_small_file() {
    let served = Served::new("json:bare").await;
    let content = "line \"one\" }\n第二行\n";
    python(
        "file_small.py",
        &[&served.port().to_string(), "a.txt", content],
    )
    .await;
    let path = served.root().join("a.txt");
    blocking(move || {
        until("the file", || {
            fs::read_to_string(&path).is_ok_and(|text| text == content)
        });
    })
    .await;
}

#[tokio::test]
async fn exchange_7_acknowledged() {
    let served = Served::new("json:bare").await;
    let sent = bytes(300_001);
    let path = served.outside("a.bin", &sent);
    python(
        "file_acknowledged.py",
        &[&served.port().to_string(), path.to_str().unwrap()],
    )
    .await;
    let stored = served.root().join("a.bin");
    blocking(move || {
        until("the file", || {
            fs::read(&stored).is_ok_and(|stored| stored == sent)
        });
    })
    .await;
}

#[tokio::test]
async fn exchange_8_is_complete_though_the_answer_is_not_read() {
    let served = Served::new("json").await;
    let sent = Arc::new(bytes(7_000_003));
    for turn in 0..20 {
        let path = served.outside(&format!("{turn}.bin"), &sent);
        python(
            "file_struct.py",
            &[&served.port().to_string(), path.to_str().unwrap()],
        )
        .await;
        let (stored, sent) = (served.root().join(format!("{turn}.bin")), Arc::clone(&sent));
        blocking(move || {
            until("the file", || {
                fs::read(&stored).is_ok_and(|stored| stored == *sent)
            });
        })
        .await;
    }
}

#[tokio::test]
async fn exchange_9_digest() {
    let served = Served::new("json").await;
    let path = served.outside("d.txt", b"abc");
    let (port, path) = (served.port().to_string(), path.to_str().unwrap());
    let wrong = "00000000000000000000000000000000";
    let answer: Value =
        serde_json::from_str(&python("file_digest.py", &[&port, path, wrong]).await).unwrap();
    assert_eq!(answer["status"], "error");
    assert!(
        answer["error"].as_str().unwrap().contains("md5"),
        "{answer}"
    );
    assert!(names(&served.root()).is_empty());
    let right = "900150983cd24fb0d6963f7d28e17f72";
    let answer: Value =
        serde_json::from_str(&python("file_digest.py", &[&port, path, right]).await).unwrap();
    assert_eq!(
        (&answer["status"], &answer["filename"], &answer["filesize"]),
        (&json!("done"), &json!("d.txt"), &json!(3))
    );
    assert_eq!(
        answer["digest"]["blake3"],
        blake3::hash(b"abc").to_hex().as_str()
    );
    assert_eq!(names(&served.root()), ["d.txt"]);
}

#[tokio::test]
async fn exchanges_11_and_12_browse_and_get() {
    let served = Served::new("raw").await;
    fs::create_dir_all(served.root().join("docs/empty")).unwrap();
    fs::write(served.root().join("docs/readme"), "read me\n").unwrap();
    fs::write(served.root().join("top.txt"), "top").unwrap();
    let port = served.port().to_string();
    let real = served.root().canonicalize().unwrap();
    for first in ["/", real.to_str().unwrap()] {
        let texts = [
            &port,
            first,
            "cd docs",
            "cd empty",
            "..",
            "cd readme",
            "cd nothing",
            "ls",
            "..",
            "..",
            "/docs",
            "get empty",
            "get readme",
        ];
        // An error keeps the connection, so `get empty` would wait for its end. It is tested apart.
        let texts: Vec<_> = texts
            .into_iter()
            .filter(|text| *text != "get empty")
            .collect();
        let answers = python("file_browse.py", &texts).await;
        let answers: Vec<String> = answers
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let (docs, top) = ("empty--readme", "docs--top.txt");
        assert_eq!(answers[..4], [top, docs, "\n", docs]);
        assert!(
            answers[4].contains("Not a directory") && answers[5].contains("No such file"),
            "{answers:?}"
        );
        assert_eq!(answers[6..8], [docs, top]);
        assert!(answers[8].contains("this is the top"), "{}", answers[8]);
        assert_eq!(answers[9..], [docs, "read me\n"]);
        assert!(
            !answers
                .iter()
                .any(|answer| answer.contains(real.to_str().unwrap()))
        );
    }
    blocking(move || {
        let mut script = Script::new(port.parse().unwrap());
        let mut said = [0; 1000];
        for wrong in ["get docs", "get nothing", "get ../../etc/passwd", "get"] {
            let len = script.write(wrong.as_bytes()).0.read(&mut said).unwrap();
            assert!(
                text(&said[..len]).starts_with("cannot do this: /"),
                "{wrong}"
            );
        }
    })
    .await;
}

#[test]
fn our_client_copes_with_a_server_that_never_answers() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from.bin"), dir.path().join("to.bin"));
    fs::write(&from, bytes(3_000_000)).unwrap();
    let server = Process::python("file_server.py", &to);
    let output = run(&[
        "file",
        "put",
        &format!("tcp://127.0.0.1:{}", server.line),
        from.to_str().unwrap(),
        "--unconfirmed",
    ]);
    assert!(output.status.success(), "{output:?}");
    assert!(
        text(&output.stdout).contains("(the server did not confirm)"),
        "{output:?}"
    );
    assert!(fs::read(&from).unwrap() == fs::read(&to).unwrap());
}

#[test]
fn our_client_browses_a_script() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("root/sub")).unwrap();
    fs::write(dir.path().join("root/sub/x.txt"), "the text").unwrap();
    let server = Process::python("file_raw_server.py", &dir.path().join("root"));
    let url = format!("tcp://127.0.0.1:{}", server.line);
    let to = dir.path().join("y.txt");
    let to = to.to_str().unwrap();
    let input = format!("cd sub\npwd\nget x.txt {to}\n..\nquit\n");
    let output = type_in(&["file", "browse", &url, "--codec", "raw"], &input);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(fs::read_to_string(to).unwrap(), "the text");
    let listed = run(&["file", "ls", &url, "sub", "--codec", "raw"]);
    assert_eq!(text(&listed.stdout).trim(), "-  x.txt", "{listed:?}");
    let lines = text(&output.stdout);
    let lines: Vec<_> = lines.lines().map(str::trim_start).collect();
    assert_eq!(
        (lines[0], lines[1], lines[2], lines[4]),
        ("-  sub", "-  x.txt", "/sub", "-  sub"),
        "{lines:?}"
    );
}

#[test]
fn the_command_line_has_all_operations() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let mut server = Process::serve(&root);
    let url = server.url().to_owned();
    let (one, two) = (dir.path().join("one.txt"), dir.path().join("two.bin"));
    fs::write(&one, "one").unwrap();
    fs::write(&two, bytes(2_000_000)).unwrap();
    let (one, two) = (one.to_str().unwrap(), two.to_str().unwrap());

    let output = run(&["file", "put", &url, one, "/nothing", two]);
    assert_eq!(output.status.code(), Some(1));
    let lines = text(&output.stdout);
    assert!(
        lines.lines().count() == 2 && lines.starts_with("sent one.txt 3 B "),
        "{lines}"
    );
    assert_eq!(names(&root), ["one.txt", "two.bin"]);

    let output = run(&["file", "ls", &url]);
    assert_eq!(
        text(&output.stdout),
        "         3 B  one.txt\n    1.91 MiB  two.bin\n"
    );

    let to = dir.path().join("to");
    let output = run(&["file", "get", &url, "two.bin", "--to", to.to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    assert!(fs::read(&to).unwrap() == fs::read(two).unwrap());
    let output = run(&[
        "file",
        "get",
        &url,
        "two.bin",
        "--to",
        root.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("it exists already"),
        "{output:?}"
    );

    fs::create_dir(root.join("sub")).unwrap();
    let output = type_in(
        &["file", "browse", &url],
        "cd sub\ncd sub\n..\n..\nbad\nhelp\n",
    );
    assert!(output.status.success());
    assert_eq!(text(&output.stderr).lines().count(), 3, "{output:?}");

    let pid = rustix::process::Pid::from_child(&server.child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn usage_errors_exit_with_2() {
    for arguments in [
        &["file", "put", "--codec", "raw", "tcp://127.0.0.1:1", "x"][..],
        &["file", "put", "tcp://127.0.0.1:1"],
        &["file", "serve"],
        &["file", "serve", "--root", "/", "--codec", "line"],
        &["file", "serve", "--root", "/nothing at all"],
        &["file", "serve", "udp://127.0.0.1:0", "--root", "/"],
        &["file", "ls", "nonsense"],
        &["file", "ls", "mem://x"],
        &["file", "fly"],
    ] {
        assert_eq!(run(arguments).status.code(), Some(2), "{arguments:?}");
    }
    assert_eq!(
        run(&["file", "ls", "tcp://127.0.0.1:1"]).status.code(),
        Some(1)
    );
}

#[tokio::test]
async fn names_stay_inside() {
    let served = Served::new("json").await;
    let secret = served.outside("secret", b"secret");
    symlink("../secret", served.root().join("link")).unwrap();
    symlink(&secret, served.root().join("absolute")).unwrap();
    symlink("..", served.root().join("up")).unwrap();
    fs::write(served.root().join("in"), "inside").unwrap();
    symlink("in", served.root().join("fine")).unwrap();
    let place = served.dir.path().to_str().unwrap().to_owned();
    let port = served.port();
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
    assert_eq!(names(served.dir.path()), ["root", "secret"]);
    assert_eq!(
        names(&served.root()),
        ["abs", "absolute", "b", "c", "fine", "in", "link", "up", "x"]
    );
}

#[tokio::test]
async fn a_symlink_swapped_for_a_directory_never_leads_out() {
    let served = Served::new("json").await;
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
    let port = served.port();
    let asking = blocking(move || {
        let mut script = Script::new(port);
        let mut inside = 0;
        for _ in 0..3000 {
            script.send(&json!({"opt": "download", "filename": "dir/f"}));
            if script.answer()["status"] == "ok" {
                assert_eq!(script.read(7), b"inside!");
                script.answer();
                inside += 1;
            }
        }
        over.store(true, Ordering::Relaxed);
        inside
    });
    let ((), inside) = tokio::join!(swapping, asking);
    println!("{inside} of 3000 met the directory");
}

#[tokio::test]
async fn files_that_are_not_regular_are_refused_at_once() {
    let served = Served::new("json").await;
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, served.root().join("pipe"), mode).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(served.root().join("socket")).unwrap();
    fs::create_dir(served.root().join("dir")).unwrap();
    let port = served.port();
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
    let served = Served::new("json").await;
    let (port, root) = (served.port(), served.root());
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
async fn a_server_is_not_trusted() {
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
        let url = scripted(answer);
        let told = fetch_from(&url, &dest).await;
        assert!(told.contains(error) && !told.contains('\u{1b}'), "{told}");
        assert!(names(dir.path()).is_empty(), "{error}");
    }
    let blake3 = blake3::hash(x).to_hex().to_string();
    let done = json!({"status": "done", "digest": {"blake3": blake3}});
    let url = scripted(vec![(ok("a", 1), x), (done, none)]);
    assert_eq!(fetch_from(&url, &dest).await, "done");
    assert_eq!(names(dir.path()), ["a"]);
}

#[test]
fn names_from_the_other_side_cannot_drive_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let name = "x\u{1b}[2J\u{202e}y";
    fs::write(dir.path().join(name), "z").unwrap();
    let server = Process::serve(dir.path());
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

#[test]
fn a_server_that_is_killed_leaves_nothing_under_the_final_name() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Process::serve(dir.path());
    let mut script = Script::new(port(server.url()));
    script
        .send(&upload("a.bin", 100 << 20))
        .write(&bytes(10 << 20));
    until("something is stored", || {
        let names = names(dir.path());
        names
            .first()
            .is_some_and(|name| fs::metadata(dir.path().join(name)).unwrap().len() > 0)
    });
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let names = names(dir.path());
    assert!(
        names.len() == 1 && names[0].starts_with(".socketry-") && names[0].ends_with(".part"),
        "{names:?}"
    );
}

#[test]
fn a_server_that_a_signal_ends_cleans_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Process::serve(dir.path());
    let mut script = Script::new(port(server.url()));
    script
        .send(&upload("a.bin", 100 << 20))
        .write(&bytes(10 << 20));
    until("something is stored", || !names(dir.path()).is_empty());
    let pid = rustix::process::Pid::from_child(&server.child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(names(dir.path()).is_empty());
}

#[tokio::test]
async fn an_interrupted_client_leaves_nothing() {
    let served = Served::new("json").await;
    fs::write(served.root().join("big"), bytes(30 << 20)).unwrap();
    let to = tempfile::tempdir().unwrap();
    let (dest, mut client) = (to.path().join("big"), served.client().await);
    let (tell, told) = tokio::sync::oneshot::channel();
    let mut tell = Some(tell);
    let getting = client.get("big", &dest, |done, _| {
        if done > 1 << 20 {
            tell.take().map(|tell| tell.send(()));
        }
    });
    tokio::select! {
        _ = getting => panic!("it was to be interrupted"),
        _ = told => {}
    }
    let dir = to.path().to_owned();
    blocking(move || until("the temporary file is gone", || names(&dir).is_empty())).await;
    // The client can still be used.
    assert_eq!(
        client.get("big", &dest, |_, _| ()).await.unwrap().bytes,
        30 << 20
    );
}

#[test]
fn a_raw_file_that_breaks_off_is_not_taken_for_whole() {
    use rustix::process::Signal;
    for signal in [Signal::TERM, Signal::KILL] {
        let dir = tempfile::tempdir().unwrap();
        let (root, to) = (dir.path().join("root"), dir.path().join("to"));
        fs::create_dir(&root).unwrap();
        fs::create_dir(&to).unwrap();
        // So long, without taking space, that the signal always comes before its end.
        let file = fs::File::create(root.join("big")).unwrap();
        file.set_len(100 << 30).unwrap();
        let mut command = Command::new(BIN);
        command.args(["file", "serve", "--codec", "raw", "--root"]);
        let mut server = Process::new(command.arg(&root));
        let mut command = Command::new(BIN);
        command
            .args(["file", "get", "--codec", "raw", server.url(), "big", "--to"])
            .arg(to.join("big"));
        let client = command.stderr(Stdio::piped()).spawn().unwrap();
        until("something is stored", || {
            let names = names(&to);
            names
                .first()
                .is_some_and(|name| fs::metadata(to.join(name)).unwrap().len() > 0)
        });
        rustix::process::kill_process(rustix::process::Pid::from_child(&server.child), signal)
            .unwrap();
        server.child.wait().unwrap();
        let output = client.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(names(&to).is_empty(), "{:?}", names(&to));
    }
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

/// Begins an upload that does not end.
fn half_an_upload(server: &Process, root: &Path, others: usize) -> Script {
    let mut script = Script::new(port(server.url()));
    script
        .send(&upload("a.bin", 100 << 20))
        .write(&bytes(1 << 20));
    until("it is being stored", || names(root).len() == others + 1);
    script
}

#[test]
fn a_starting_server_removes_the_part_files_of_a_killed_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut killed = Process::serve(dir.path());
    let _script = half_an_upload(&killed, dir.path(), 0);
    killed.child.kill().unwrap();
    killed.child.wait().unwrap();
    let left = names(dir.path());
    let live = Process::serve(dir.path());
    assert!(left.len() == 1 && names(dir.path()).is_empty(), "{left:?}");

    let _script = half_an_upload(&live, dir.path(), 0);
    let held = names(dir.path());
    fs::write(dir.path().join(".socketry-mine.part"), "").unwrap();
    fs::create_dir(dir.path().join(".socketry-0123456789abcdef.part")).unwrap();
    let _third = Process::serve(dir.path());
    let names = names(dir.path());
    assert!(names.len() == 3 && names.contains(&held[0]), "{names:?}");
}

#[test]
fn a_client_that_a_signal_ends_cleans_up() {
    use rustix::process::{Pid, Signal, kill_process};
    let dir = tempfile::tempdir().unwrap();
    let (root, to) = (dir.path().join("root"), dir.path().join("to"));
    fs::create_dir(&root).unwrap();
    fs::create_dir(&to).unwrap();
    let file = fs::File::create(root.join("big")).unwrap();
    file.set_len(100 << 30).unwrap();
    let server = Process::serve(&root);
    for signal in [Signal::INT, Signal::TERM] {
        let mut command = Command::new(BIN);
        command.args(["file", "get", server.url(), "big", "--to"]);
        let mut client = command.arg(to.join("big")).spawn().unwrap();
        until("something is stored", || !names(&to).is_empty());
        kill_process(Pid::from_child(&client), signal).unwrap();
        assert_eq!(client.wait().unwrap().code(), Some(130));
        assert!(names(&to).is_empty());
    }
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

#[tokio::test]
async fn a_file_is_transferred_without_an_impossible_date() {
    const YEAR_10000: u64 = 253_402_300_800;
    let served = Served::new("json").await;
    // Most file systems on disks cannot store such a date.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let dir = dir.unwrap();
    let path = dir.path().join("a");
    let file = fs::File::create(&path).unwrap();
    let date = std::time::UNIX_EPOCH + Duration::from_secs(YEAR_10000);
    file.set_modified(date).unwrap();
    let mut client = served.client().await;
    client.put(&path, |_, _| ()).await.unwrap();
    assert_eq!(names(&served.root()), ["a"]);

    let header = json!({"status": "ok", "filename": "a", "filesize": 1, "mtime": YEAR_10000});
    let done =
        json!({"status": "done", "digest": {"blake3": blake3::hash(b"x").to_hex().as_str()}});
    let url = scripted(vec![(header, b"x"), (done, b"")]);
    let dest = served.dir.path().join("b");
    assert_eq!(fetch_from(&url, &dest).await, "done");
    assert!(fs::metadata(dest).unwrap().modified().unwrap() < date);
}
