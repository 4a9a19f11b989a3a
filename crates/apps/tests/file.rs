//! The file app: over every pairing that serves, and its command line.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "helpers of tests are tests"
)]

mod file_support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use file_support::*;
use serde_json::json;
use socketry_apps::Service;
use socketry_apps::file::{Kind, Server};
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
