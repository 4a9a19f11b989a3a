//! Peers that use nothing of this project: the exchanges of the tutorial, and scripts of our own.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::io::Read;
use std::sync::Arc;

use file_support::*;
use serde_json::{Value, json};

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
