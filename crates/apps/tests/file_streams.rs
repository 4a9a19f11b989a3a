//! A file of unknown length is transferred to its end, and verified.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use file_support::*;
use serde_json::{Value, json};
use socketry_apps::Service;
use socketry_apps::file::{Client, PAUSE, Server};
use socketry_codec::Framed;
use tokio::time::{Instant, timeout};

/// Nothing, less than one buffer, exactly one, one byte more, and much more.
const SIZES: [usize; 6] = [0, 5, 262_143, 262_144, 262_145, 3_000_001];

fn pipe_in(arguments: &[&str], input: Vec<u8>) -> Output {
    let mut command = Command::new(BIN);
    let command = command.args(arguments).stdin(Stdio::piped());
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let writing = std::thread::spawn(move || drop(to.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap();
    output
}

#[test]
fn standard_input_and_pipes_are_put_to_their_end() {
    for codec in ["json", "json:bare"] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new(BIN);
        let command = command.args(["file", "serve", "--codec", codec, "--root"]);
        let server = Process::new(command.arg(dir.path()));
        for size in SIZES {
            let name = size.to_string();
            let arguments = [
                "file",
                "put",
                "--codec",
                codec,
                server.url(),
                "-",
                "--as",
                &name,
            ];
            let output = pipe_in(&arguments, bytes(size));
            assert!(output.status.success(), "{size}: {output:?}");
            assert!(
                fs::read(dir.path().join(name)).unwrap() == bytes(size),
                "{size}"
            );
        }
        let output = pipe_in(
            &["file", "put", "--codec", codec, server.url(), "-"],
            vec![],
        );
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(text(&output.stderr).contains("--as NAME"));
    }
}

#[tokio::test]
async fn a_fifo_is_put_to_its_end() {
    let served = Served::new("json").await;
    let pipe = served.dir.path().join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    let writer = {
        let pipe = pipe.clone();
        blocking(move || fs::write(pipe, bytes(700_000)).unwrap())
    };
    let mut client = served.client().await;
    let (put, ()) = tokio::join!(client.put(&pipe, |_, _| ()), writer);
    let put = put.unwrap();
    assert!(put.confirmed && put.bytes == 700_000);
    assert!(fs::read(served.root().join("pipe")).unwrap() == bytes(700_000));
    // Another request follows on the same connection.
    assert_eq!(client.list("/").await.unwrap().len(), 1);
}

#[tokio::test]
async fn files_that_the_kernel_generates_are_transferred_both_ways() {
    for codec in ["json", "json:bare", "raw"] {
        let dir = tempfile::tempdir().unwrap();
        let service = Service::with_codec(codec).unwrap();
        let url = "tcp://127.0.0.1:0".parse().unwrap();
        let server = Server::bind(&service, &url, "/proc/self".as_ref())
            .await
            .unwrap();
        let at = server.local().clone();
        let serving = tokio::spawn(server.run(std::future::pending()));
        let mut client = Client::connect(&service, &at).await.unwrap();
        let dest = dir.path().join("limits");
        client.get("limits", &dest, |_, _| ()).await.unwrap();
        assert_eq!(
            fs::read(&dest).unwrap(),
            fs::read("/proc/self/limits").unwrap()
        );
        serving.abort();
    }
    let served = Served::new("json").await;
    let mut client = served.client().await;
    for path in [
        "/proc/version",
        "/sys/kernel/mm/transparent_hugepage/enabled",
    ] {
        let Ok(there) = fs::read(path) else {
            continue;
        };
        let put = client.put(path.as_ref(), |_, _| ()).await.unwrap();
        assert_eq!(put.bytes, there.len() as u64, "{path}");
        let name = path.rsplit('/').next().unwrap();
        assert_eq!(fs::read(served.root().join(name)).unwrap(), there);
    }
}

/// The longest file that the kernel generates here, if one is long enough to need pieces.
fn long_made_up() -> Option<&'static str> {
    let long = |path: &&str| fs::read(path).is_ok_and(|all| all.len() > 600_000);
    ["/proc/kallsyms", "/proc/self/smaps"]
        .into_iter()
        .find(long)
}

#[tokio::test]
async fn a_long_file_of_unknown_length_is_served_in_pieces_on_request() {
    let Some(path) = long_made_up() else {
        println!("the kernel here makes up no long file");
        return;
    };
    let (parent, name) = path.rsplit_once('/').unwrap();
    let service = Service::default();
    let url = "tcp://127.0.0.1:0".parse().unwrap();
    let server = Server::bind(&service, &url, parent.as_ref()).await.unwrap();
    let at = server.local().clone();
    let serving = tokio::spawn(server.run(std::future::pending()));
    let dir = tempfile::tempdir().unwrap();
    let dest = dir.path().join("got");
    let mut client = Client::connect(&service, &at).await.unwrap();
    let got = client.get(name, &dest, |_, all| assert_eq!(all, None));
    let got = got.await.unwrap();
    assert!(got.confirmed && got.bytes > 600_000);
    let port = port(&at.to_string());
    let name = name.to_owned();
    blocking(move || {
        let error = Script::new(port).refused(&json!({"opt": "download", "filename": name}));
        assert!(error.contains("pieces"), "{error}");
    })
    .await;
    serving.abort();
}

#[tokio::test]
async fn a_script_sends_pieces_too_or_gives_up() {
    let served = Served::new("json").await;
    let (port, root) = (served.port(), served.root());
    let header = |name: &str| json!({"opt": "upload", "filename": name, "pieces": true});
    blocking(move || {
        let mut script = Script::new(port);
        script.send(&header("a"));
        script.send(&json!({"piece": 3})).write(b"abc");
        // It only says that it is alive.
        script.send(&json!({}));
        script.send(&json!({"piece": 2})).write(b"de");
        let answer = script.send(&json!({"piece": 0})).answer();
        assert_eq!(
            (&answer["status"], &answer["filesize"]),
            (&json!("done"), &json!(5))
        );
        script.send(&header("b"));
        script.send(&json!({"piece": 3})).write(b"abc");
        let error = script.refused(&json!({"error": "no more"}));
        assert!(error.contains("no more"), "{error}");
        assert_eq!(names(&root), ["a"]);
        script.send(&header("c"));
        script.send(&json!({"piece": 3})).write(b"abc");
        drop(script);
        until("nothing is left", || names(&root) == ["a"]);
        assert_eq!(fs::read(root.join("a")).unwrap(), b"abcde");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_sender_of_pieces_that_sends_no_bytes_is_refused_after_a_while() {
    const STEP: Duration = Duration::from_secs(50);
    let served = Served::at("mem", "json").await;
    let socket = served.service.registry.connect(&served.at).await.unwrap();
    let mut wire = Framed::new(socket, served.service.codec.build().unwrap());
    let header = json!({"opt": "upload", "filename": "a", "pieces": true});
    wire.send_json(&header).await.unwrap();
    // Each byte starts the time again.
    for _ in 0..2 {
        let since = Instant::now();
        while since.elapsed() < PAUSE - STEP {
            wire.send_json(&json!({})).await.unwrap();
            let heard = timeout(STEP, wire.recv_json::<Value>()).await;
            assert!(heard.is_err(), "{heard:?}");
        }
        wire.send_json(&json!({"piece": 1})).await.unwrap();
        wire.body_writer(1).unwrap().write(b"x").await.unwrap();
    }
    let since = Instant::now();
    let answer = loop {
        wire.send_json(&json!({})).await.unwrap();
        if let Ok(heard) = timeout(STEP, wire.recv_json::<Value>()).await {
            break heard.unwrap().unwrap();
        }
    };
    assert!(since.elapsed() >= PAUSE && since.elapsed() <= PAUSE + STEP);
    let error = answer["error"].as_str().unwrap();
    assert!(error.contains("no bytes of the file came"), "{error}");
    assert!(names(&served.root()).is_empty());
    // The place is free again.
    assert!(wire.recv().await.unwrap().is_none());
}

#[tokio::test]
async fn a_server_that_knows_no_pieces_is_sent_nothing() {
    let url = scripted(vec![(json!({"status": "ready", "offset": 0}), b"")]);
    let client = Client::connect(&Service::default(), &url.parse().unwrap()).await;
    let zero = fs::File::open("/dev/zero").unwrap();
    let sent = client
        .unwrap()
        .put_from(zero, "z", |_, _| ())
        .await
        .unwrap_err();
    assert!(sent.to_string().contains("nothing was sent"), "{sent}");
}
