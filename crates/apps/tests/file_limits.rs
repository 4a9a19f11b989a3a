//! What a server's clients may use. Each refusal is one clear error, and loses nothing.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use file_support::*;
use serde_json::json;
use socketry_apps::AppError;
use socketry_apps::file::{Limits, Ways};
use tokio::time::Instant;

const JSON: [&str; 2] = ["json", "json:bare"];
/// More than a client sends before it looks whether it is refused.
const LARGE: usize = 3 << 20;

fn limits(set: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    set(&mut limits);
    limits
}

type Set = fn(&mut Limits);

/// The error of an upload, for which no byte of the file was sent, and of which nothing stays.
async fn refused(served: &Served, len: usize) -> String {
    let from = served.outside("from", &bytes(len));
    let mut sent = 0;
    let mut client = served.client().await;
    let put = client.put(&from, |bytes, _| sent = bytes).await;
    assert_eq!((sent, names(&served.root())), (0, Vec::new()));
    put.unwrap_err().to_string()
}

#[tokio::test]
async fn each_refusal_comes_before_the_file() {
    let cases: [(Set, &str); 4] = [
        (
            |limits| limits.ways = Ways::ReadOnly,
            "is read-only: files can be",
        ),
        (
            |limits| limits.max_file = Some(1 << 20),
            "3145728 bytes, and a file may have 1MiB here",
        ),
        (
            |limits| limits.keep_free = Some(1 << 62),
            "have to stay free",
        ),
        (
            |limits| limits.quota = Some(1000),
            "'127.0.0.1' may store 1000 bytes here, of which 1000",
        ),
    ];
    for codec in JSON {
        for (set, words) in cases {
            let served = Served::limited(codec, "tcp", limits(set)).await;
            let said = refused(&served, LARGE).await;
            assert!(said.starts_with("the server says: "), "{codec}: {said}");
            assert!(said.contains(words), "{codec}: {said}");
        }
    }
}

#[tokio::test]
async fn what_is_within_the_limits_is_stored() {
    for codec in JSON {
        let all = limits(|limits| {
            limits.max_file = Some(LARGE as u64);
            limits.keep_free = Some(1);
            limits.quota = Some(LARGE as u64);
            limits.max_time = Some(DEADLINE);
            limits.rate = Some(1 << 40);
            limits.rate_each = Some(1 << 40);
        });
        let served = Served::limited(codec, "tcp", all).await;
        let from = served.outside("from", &bytes(LARGE));
        let mut client = served.client().await;
        client.put(&from, |_, _| ()).await.unwrap();
        let to = served.dir.path().join("to");
        client.get("from", &to, |_, _| ()).await.unwrap();
        assert!(fs::read(to).unwrap() == bytes(LARGE));
        // That was all that the client may store.
        let more = served.outside("more", b"x");
        let said = client.put(&more, |_, _| ()).await.unwrap_err().to_string();
        assert!(said.contains("of which 0 bytes are left"), "{said}");
    }
}

#[tokio::test]
async fn scripts_that_do_not_wait_hear_of_it_behind_the_file() {
    let most = limits(|limits| limits.max_file = Some(2));
    let served = Served::limited("json", "tcp", most).await;
    let port = served.port();
    blocking(move || {
        let mut script = Script::new(port);
        let said = script.refused_upload("a");
        assert!(
            said.contains("3 bytes, and a file may have 2 bytes"),
            "{said}"
        );
        let said = script.refused(&json!({"opt": "upload", "filename": "b", "content": "abc"}));
        assert!(said.contains("a file may have 2 bytes"), "{said}");
        // The conversation goes on.
        script.send(&upload("c", 2)).write(b"ab");
        assert_eq!(script.answer()["status"], "done");
    })
    .await;
    assert_eq!(names(&served.root()), ["c"]);
    // The tutorial's client reads anything, once, before it sends the file.
    let served = Served::limited("json:bare", "tcp", most).await;
    let port = served.port();
    blocking(move || {
        let mut script = Script::new(port);
        script.write(upload("a", 3).to_string().as_bytes());
        let mut said = String::new();
        script.0.read_to_string(&mut said).unwrap();
        assert!(said.contains("a file may have 2 bytes"), "{said}");
    })
    .await;
    assert!(names(&served.root()).is_empty());
}

#[tokio::test]
async fn a_file_of_unknown_length_is_refused_on_its_way() {
    let most = limits(|limits| limits.max_file = Some(1 << 20));
    let served = Served::limited("json", "tcp", most).await;
    let url = served.at.to_string();
    let output = blocking(move || {
        let words = ["file", "put", &url, "-", "--as", "a"];
        let mut command = Command::new(BIN);
        let command = command.args(words).stdin(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        // It leaves before it has read all.
        let _ = child.stdin.take().unwrap().write_all(&bytes(LARGE));
        child.wait_with_output().unwrap()
    });
    let said = complaint(&output.await);
    assert!(said.contains("and a file may have 1MiB here"), "{said}");
    assert!(names(&served.root()).is_empty());
}

#[tokio::test]
async fn files_go_one_way_only() {
    for codec in ["json", "json:bare", "raw"] {
        let read_only = limits(|limits| limits.ways = Ways::ReadOnly);
        let served = Served::limited(codec, "tcp", read_only).await;
        fs::write(served.root().join("a"), "here").unwrap();
        let mut client = served.client().await;
        assert_eq!(client.list("/").await.unwrap().len(), 1);
        let to = served.dir.path().join("to");
        client.get("a", &to, |_, _| ()).await.unwrap();
        assert_eq!(fs::read(to).unwrap(), b"here");
    }
    for codec in JSON {
        let upload_only = limits(|limits| limits.ways = Ways::UploadOnly);
        let served = Served::limited(codec, "tcp", upload_only).await;
        let from = served.outside("a", b"here");
        let mut client = served.client().await;
        client.put(&from, |_, _| ()).await.unwrap();
        let to = served.dir.path().join("to");
        for said in [
            client.list("/").await.unwrap_err(),
            client.stat("a").await.unwrap_err(),
            client.get("a", &to, |_, _| ()).await.unwrap_err(),
        ] {
            assert!(said.to_string().contains("takes uploads only"), "{said}");
        }
        assert!(!to.exists());
    }
    let raw = [
        "file",
        "serve",
        "--root",
        ".",
        "--codec",
        "raw",
        "--upload-only",
    ];
    assert_eq!(run(&raw).status.code(), Some(2));
}

async fn timed<T>(doing: impl Future<Output = Result<T, AppError>>) -> (f64, Result<T, AppError>) {
    let begun = Instant::now();
    let done = doing.await;
    (begun.elapsed().as_secs_f64(), done)
}

#[tokio::test(start_paused = true)]
async fn files_go_no_faster_than_the_rate_and_answers_do_not_wait() {
    for codec in ["json", "json:bare", "raw"] {
        let rate = limits(|limits| limits.rate = Some(1 << 20));
        let served = Served::limited(codec, "mem", rate).await;
        fs::write(served.root().join("long"), bytes(10 << 20)).unwrap();
        let to = served.dir.path().join("to");
        let mut client = served.client().await;
        let (took, got) = timed(client.get("long", &to, |_, _| ())).await;
        got.unwrap();
        assert!((9.8..11.0).contains(&took), "{codec}: {took}");
        assert!(fs::read(&to).unwrap() == bytes(10 << 20));
        if codec == "raw" {
            continue;
        }
        let from = served.outside("from", &bytes(10 << 20));
        let mut other = served.client().await;
        let (put, listed) = tokio::join!(timed(client.put(&from, |_, _| ())), async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            timed(other.list("/")).await
        });
        put.1.unwrap();
        assert!((9.8..10.5).contains(&put.0), "{codec}: {}", put.0);
        listed.1.unwrap();
        assert!(listed.0 < 0.05, "{codec}: {}", listed.0);
    }
}

#[tokio::test(start_paused = true)]
async fn each_connection_has_its_own_rate() {
    let rate = limits(|limits| limits.rate_each = Some(1 << 20));
    let served = Served::limited("json", "mem", rate).await;
    fs::write(served.root().join("a"), bytes(5 << 20)).unwrap();
    let (mut one, mut two) = (served.client().await, served.client().await);
    let to = |name: &str| served.dir.path().join(name);
    let (first, second) = (to("1"), to("2"));
    let (one, two) = tokio::join!(
        timed(one.get("a", &first, |_, _| ())),
        timed(two.get("a", &second, |_, _| ()))
    );
    for (took, got) in [one, two] {
        got.unwrap();
        assert!((4.8..5.5).contains(&took), "{took}");
    }
}

/// The kernel takes the whole file at once, and the server takes minutes.
#[tokio::test(start_paused = true)]
async fn a_client_waits_for_a_server_that_takes_its_file_slowly() {
    let rate = limits(|limits| limits.rate_each = Some(16 << 10));
    let served = Served::limited("json", "tcp", rate).await;
    let from = served.outside("a", &bytes(2 << 20));
    let mut client = served.client().await;
    let (took, put) = timed(client.put(&from, |_, _| ())).await;
    put.unwrap();
    assert!(took > 120.0, "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_request_ends_at_its_time() {
    for codec in ["json", "json:bare", "raw"] {
        let late = limits(|limits| {
            limits.rate = Some(64 << 10);
            limits.max_time = Some(Duration::from_secs(5));
        });
        let served = Served::limited(codec, "mem", late).await;
        fs::write(served.root().join("a"), bytes(LARGE)).unwrap();
        let to = served.dir.path().join("to");
        let mut client = served.client().await;
        let (took, got) = timed(client.get("a", &to, |_, _| ())).await;
        let said = got.unwrap_err().to_string();
        assert!(took < 10.0 && !to.exists(), "{codec} {took}: {said}");
        if codec == "raw" {
            continue;
        }
        assert!(said.contains("has it a limit of time"), "{codec}: {said}");
        let from = served.outside("from", &bytes(LARGE));
        let put = client.put(&from, |_, _| ()).await;
        let said = put.unwrap_err().to_string();
        assert!(said.contains("took longer than 5s"), "{codec}: {said}");
        assert_eq!(names(&served.root()), ["a"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_ends_at_its_time() {
    use tokio::io::AsyncReadExt;
    for codec in ["json", "json:bare", "raw"] {
        let idle = limits(|limits| limits.idle = Some(Duration::from_secs(30)));
        let served = Served::limited(codec, "tcp", idle).await;
        let begun = Instant::now();
        let socket = tokio::net::TcpStream::connect(("127.0.0.1", served.port()));
        let mut socket = socket.await.unwrap();
        assert_eq!(socket.read(&mut [0]).await.unwrap(), 0);
        let took = begun.elapsed().as_secs_f64();
        assert!((30.0..31.0).contains(&took), "{codec}: {took}");
    }
}

/// That is the same of all apps.
#[test]
fn a_client_with_a_connection_too_many_hears_why() {
    let program = Program::new(&["--max-per-user", "1"]);
    let _first = Script::new(port(program.url()));
    let ls = ["file", "ls", program.url()];
    until("the first connection counts", || !run(&ls).status.success());
    let said = complaint(&run(&ls));
    assert!(
        said.contains("127.0.0.1 has all its 1 connections here already"),
        "{said}"
    );
}

#[test]
fn a_file_of_options_has_the_limits() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let config = dir.path().join("config");
    let serve = |text: &str| {
        fs::write(&config, format!("root = {root:?}\n{text}")).unwrap();
        let mut command = Command::new(BIN);
        command.args(["file", "serve", "--config"]).arg(&config);
        command
    };
    let mut command = serve(
        "max-file = '2'\nkeep-free = '1KiB'\nquota = '10MiB'\nlimit = '10MiB/s'\n\
         limit-each = '1MiB/s'\nmax-per-user = 3\nmax-time = '1h'\nidle = '1m30s'\n",
    );
    let process = Process::new(&mut command);
    let from = dir.path().join("from");
    fs::write(&from, "abc").unwrap();
    let put = ["file", "put", process.url(), from.to_str().unwrap()];
    let said = complaint(&run(&put));
    assert!(said.contains("a file may have 2 bytes here"), "{said}");
    let process = Process::new(&mut serve("read-only = true\n"));
    let put = ["file", "put", process.url(), from.to_str().unwrap()];
    assert!(complaint(&run(&put)).contains("read-only"));
    for (text, words) in [
        ("limit = '1/s'", "at least 16KiB/s"),
        ("limit = 'fast'", "is not a rate"),
        ("max-file = '-1'", "is not a size"),
        ("idle = '0s'", "more than nothing"),
        ("max-per-user = 0", "at least 1"),
        ("read-only = true\nupload-only = true", "exclude each other"),
    ] {
        let output = serve(text).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{text}: {said}");
    }
}
