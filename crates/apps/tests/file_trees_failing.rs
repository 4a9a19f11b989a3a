//! Trees of which something fails: the rest arrives, and each failure is told by its name.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;

use file_support::*;
use serde_json::{Value, json};
use socketry_apps::file::{Choice, Links, LocalTree, Report};

/// A directory with two files before and behind the one that is going to fail.
fn tree(served: &Served) -> std::path::PathBuf {
    let dir = served.dir.path().join("tree");
    fs::create_dir(&dir).unwrap();
    for name in ["a", "m", "z"] {
        fs::write(dir.join(name), name).unwrap();
    }
    dir
}

fn failed(report: &Report, name: &str, words: &str) {
    let failures: Vec<_> = report
        .failures
        .iter()
        .map(|one| one.error.to_string())
        .collect();
    assert_eq!(report.failures.len(), 1, "{failures:?}");
    assert!(report.failures[0].name.ends_with(name), "{failures:?}");
    assert!(
        failures[0].contains(words) && failures[0].contains(name),
        "{failures:?}"
    );
}

#[tokio::test]
async fn a_file_that_vanishes_stops_no_other() {
    let served = Served::new("json").await;
    let dir = tree(&served);
    let found = LocalTree::find(std::slice::from_ref(&dir), &Choice::default())
        .await
        .unwrap();
    fs::remove_file(dir.join("m")).unwrap();
    let mut client = served.client().await;
    let sent = client.put_tree(found, "/", |_, _| ()).await.unwrap();
    failed(&sent, "m", "No such file");
    assert_eq!(names(&served.root().join("tree")), ["a", "z"]);

    fs::write(served.root().join("tree/m"), "m").unwrap();
    let found = client.tree("tree", &Choice::default()).await.unwrap();
    fs::remove_file(served.root().join("tree/m")).unwrap();
    let back = served.dir.path().join("back");
    let got = client.get_tree(found, &back, |_, _| ()).await.unwrap();
    failed(&got, "m", "No such file");
    assert_eq!(names(&back), ["a", "z"]);
}

#[tokio::test]
async fn a_file_that_is_swapped_for_a_link_or_a_pipe_stops_no_other() {
    let served = Served::new("json").await;
    let dir = tree(&served);
    type Swap = fn(&Path);
    let swaps: [(Swap, &str); 2] = [
        (|path| symlink("/etc/passwd", path).unwrap(), ""),
        (make_fifo, "no regular file"),
    ];
    for (swap, words) in swaps {
        let found = LocalTree::find(std::slice::from_ref(&dir), &Choice::default())
            .await
            .unwrap();
        fs::remove_file(dir.join("m")).unwrap();
        swap(&dir.join("m"));
        let mut client = served.client().await.replacing(true);
        let sent = client.put_tree(found, "/", |_, _| ()).await.unwrap();
        failed(&sent, "m", words);
        assert_eq!(names(&served.root().join("tree")), ["a", "z"]);
        fs::remove_file(dir.join("m")).unwrap();
        fs::write(dir.join("m"), "m").unwrap();
    }
}

/// Sends a tree with a large file, which is `spoilt` when its first bytes have been sent.
async fn spoilt_while_sent(spoil: fn(&File), words: &str) {
    let served = Served::new("json").await;
    let dir = tree(&served);
    fs::write(dir.join("m"), bytes(40 << 20)).unwrap();
    let file = File::options().append(true).open(dir.join("m")).unwrap();
    let found = LocalTree::find(&[dir], &Choice::default()).await.unwrap();
    let mut spoilt = false;
    let progress = |done, _| {
        if done > 1 && !spoilt {
            spoilt = true;
            spoil(&file);
        }
    };
    let sent = served
        .client()
        .await
        .put_tree(found, "/", progress)
        .await
        .unwrap();
    failed(&sent, "m", words);
    assert_eq!(names(&served.root().join("tree")), ["a", "z"]);
}

#[tokio::test]
async fn a_file_that_changes_while_it_is_sent_stops_no_other() {
    spoilt_while_sent(
        |mut file| file.write_all(b"more").unwrap(),
        "changed while it was sent",
    )
    .await;
    spoilt_while_sent(|file| file.set_len(3 << 20).unwrap(), "became shorter").await;
}

#[tokio::test]
async fn existing_files_are_kept_unless_the_client_replaces() {
    let served = Served::new("json").await;
    let dir = tree(&served);
    let choice = Choice::default();
    let mut client = served.client().await;
    let there = served.root().join("tree");
    for (m, replaced) in [
        ("old", false),
        ("large", false),
        ("old", true),
        ("large", true),
    ] {
        let _ = fs::remove_dir_all(&there);
        fs::create_dir(&there).unwrap();
        fs::write(there.join("m"), "before").unwrap();
        set_mode(&there.join("m"), 0o600);
        let new = match m {
            "old" => b"new".to_vec(),
            _ => bytes(3 << 20),
        };
        fs::write(dir.join("m"), &new).unwrap();
        client = client.replacing(replaced);
        let found = LocalTree::find(std::slice::from_ref(&dir), &choice)
            .await
            .unwrap();
        let sent = client.put_tree(found, "/", |_, _| ()).await.unwrap();
        assert_eq!(names(&there), ["a", "m", "z"]);
        let found = fs::read(there.join("m")).unwrap();
        match replaced {
            true => assert!(sent.failures.is_empty() && found == new, "{sent:?}"),
            false => {
                failed(&sent, "m", "it exists already");
                assert_eq!(found, b"before");
            }
        }
        assert_eq!(mode(&there.join("m")), 0o600);
    }
}

#[tokio::test]
async fn links_are_skipped_copied_or_followed_and_never_lead_outside() {
    let served = Served::new("json").await;
    let dir = tree(&served);
    fs::create_dir(dir.join("d")).unwrap();
    fs::write(dir.join("d/f"), "f").unwrap();
    for (name, to) in [
        ("d/up", "../a"),
        ("dangling", "nothing"),
        ("todir", "d"),
        ("d/loop", ".."),
        ("out", "../../x"),
        ("abs", "/etc/passwd"),
    ] {
        symlink(to, dir.join(name)).unwrap();
    }
    symlink(dir.join("a"), dir.join("absin")).unwrap();
    let mut client = served.client().await;
    let mut send = async |links: Links, name: &str| {
        let choice = Choice::default().links(links);
        let found = LocalTree::find_as(&dir, name, &choice).await.unwrap();
        let sent = client.put_tree(found, "/", |_, _| ()).await.unwrap();
        let mut failed: Vec<_> = sent.failures.into_iter().map(|one| one.name).collect();
        failed.sort();
        failed
    };
    let there = |name: &str| served.root().join(name);
    assert!(send(Links::Skip, "skip").await.is_empty());
    assert_eq!(names(&there("skip")), ["a", "d", "m", "z"]);
    assert_eq!(names(&there("skip/d")), ["f"]);

    assert_eq!(
        send(Links::Copy, "copy").await,
        ["copy/abs", "copy/absin", "copy/out"]
    );
    assert_eq!(
        names(&there("copy")),
        ["a", "d", "dangling", "m", "todir", "z"]
    );
    assert_eq!(
        fs::read_link(there("copy/d/up")).unwrap(),
        Path::new("../a")
    );

    let failed = send(Links::Follow, "follow").await;
    let expected = ["abs", "d/loop", "dangling", "out", "todir/loop"];
    assert_eq!(failed, expected.map(|name| format!("follow/{name}")));
    assert_eq!(
        names(&there("follow")),
        ["a", "absin", "d", "m", "todir", "z"]
    );
    assert_eq!(names(&there("follow/todir")), ["f", "up"]);
    assert!(!there("follow/todir").is_symlink());

    // The same, at the server.
    for (links, expected) in [
        (Links::Copy, &["a", "d", "dangling", "m", "todir", "z"][..]),
        (Links::Follow, &["a", "d", "m", "todir", "z"]),
    ] {
        let choice = Choice::default().links(links);
        let found = client.tree("copy", &choice).await.unwrap();
        let back = served.dir.path().join(format!("{links:?}"));
        client.get_tree(found, &back, |_, _| ()).await.unwrap();
        assert_eq!(names(&back), expected);
        assert_eq!(fs::read(back.join("todir/f")).unwrap(), b"f");
    }
}

/// Lines of a list of a tree, and its header.
fn listed(items: &[Value]) -> (Value, &'static [u8]) {
    let lines: String = items.iter().map(|item| format!("{item}\n")).collect();
    let header = json!({"status": "ok", "entries": items.len(), "size": lines.len()});
    (header, lines.leak().as_bytes())
}

fn file(name: &str) -> (Value, &'static [u8]) {
    let digest = json!({"blake3": blake3::hash(b"x").to_hex().as_str()});
    (
        json!({"name": name, "kind": "file", "size": 1, "digest": digest}),
        b"x",
    )
}

/// A server that sends one of these for each request, whatever that is.
fn in_turn(answers: Vec<Vec<(Value, &'static [u8])>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = format!("tcp://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut script = Script(listener.accept().unwrap().0);
        for answer in answers {
            let mut len = [0; 4];
            // A client that wants nothing of the list asks no more.
            if script.0.read_exact(&mut len).is_err() {
                return;
            }
            script.read(i32::from_le_bytes(len).try_into().unwrap());
            for (header, body) in answer {
                script.send(&header).write(body);
            }
        }
        let _ = script.0.read_to_end(&mut Vec::new());
    });
    at
}

/// Fetches from a server that lists and sends these, whatever it is asked.
async fn fetched(
    list: &[Value],
    sent: Vec<(Value, &'static [u8])>,
    to: &Path,
) -> Result<Report, String> {
    let url = in_turn(vec![vec![listed(list)], sent]).parse().unwrap();
    let service = socketry_apps::Service::default();
    let client = socketry_apps::file::Client::connect(&service, &url).await;
    let mut client = client.unwrap();
    let found = client.tree("/t", &Choice::default()).await;
    let found = found.map_err(|error| error.to_string())?;
    let got = client.get_tree(found, to, |_, _| ()).await;
    got.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_server_cannot_write_outside_of_the_destination() {
    let place = tempfile::tempdir().unwrap();
    let (to, outside) = (place.path().join("to"), place.path().join("outside"));
    fs::create_dir(&outside).unwrap();
    let top = json!({"name": ".", "kind": "dir"});
    let plain = |name: &str| json!({"name": name, "kind": "file", "size": 1});
    let absolute = format!("{}/x", outside.display());
    for name in [
        "../outside/x",
        &absolute,
        "a/../../outside/x",
        "..",
        "a//../x",
        "./../x",
        "",
    ] {
        let got = fetched(&[top.clone(), plain(name)], vec![file(name)], &to).await;
        assert_eq!(got.unwrap().failures.len(), 1, "{name}");
    }
    // A link, and then a file through it.
    let outside_text = outside.to_str().unwrap();
    for target in ["../outside", outside_text, "d/../../outside"] {
        let link = json!({"name": "l", "kind": "link", "to": target});
        let list = [top.clone(), link, plain("l/x")];
        let got = fetched(&list, vec![file("l/x")], &to).await.unwrap();
        assert!(!got.failures.is_empty(), "{target}");
        assert!(!to.join("l").is_symlink(), "{target}");
        let _ = fs::remove_dir_all(&to);
    }
    // A link that is there already is not followed either.
    fs::create_dir_all(&to).unwrap();
    symlink(&outside, to.join("l")).unwrap();
    let got = fetched(&[top.clone(), plain("l/x")], vec![file("l/x")], &to)
        .await
        .unwrap();
    failed(&got, "l/x", "a link");
    assert_eq!(names(&outside), [""; 0]);
    assert_eq!(names(&to), ["l"]);
}

#[tokio::test]
async fn a_client_takes_only_what_it_asked_for() {
    let place = tempfile::tempdir().unwrap();
    let to = place.path().join("to");
    let list = [
        json!({"name": ".", "kind": "dir"}),
        json!({"name": "a", "kind": "file", "size": 1}),
    ];
    for sent in [
        file("b"),
        file(".bashrc"),
        (json!({"name": "a", "kind": "link", "to": "b"}), b""),
    ] {
        let words = fetched(&list, vec![sent], &to).await.unwrap_err();
        assert!(words.contains("asked for the file a"), "{words}");
        assert_eq!(names(&to), [""; 0]);
    }
    let mut wrong = file("a");
    wrong.1 = b"y";
    let got = fetched(&list, vec![wrong], &to).await.unwrap();
    failed(&got, "a", "was claimed");
    let huge = json!({"name": "a", "kind": "file", "size": u64::MAX, "pieces": true});
    let words = fetched(&list, vec![(huge, b"")], &to).await.unwrap_err();
    assert!(words.contains("does not fit"), "{words}");
    assert_eq!(names(&to), [""; 0]);
}

#[test]
fn an_older_server_and_a_script_are_told_from_one_that_takes_trees() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir(place.path().join("d")).unwrap();
    let dir = place.path().join("d");
    let dir = dir.to_str().unwrap();
    let error = "opt store is not known; there are upload, download, list and stat";
    for answer in [
        vec![(json!({"status": "error", "error": error}), &b""[..])],
        vec![],
    ] {
        let url = scripted(answer);
        let told = complaint(&run(&["file", "put", "-r", "--yes", &url, dir]));
        assert!(told.contains("single files, and no directories"), "{told}");
    }
    let error = "opt walk is not known; there are upload, download, list and stat";
    let url = scripted(vec![(json!({"status": "error", "error": error}), b"")]);
    let told = complaint(&run(&["file", "get", "-r", "--yes", &url, "d"]));
    assert!(told.contains("single files, and no directories"), "{told}");
}

#[test]
fn the_command_line_sends_and_fetches_trees_and_names_failures() {
    let served = Program::new(&[]);
    let dir = served.to("dir");
    fs::create_dir_all(dir.join("sub/.git")).unwrap();
    fs::create_dir(dir.join("empty")).unwrap();
    for (name, text) in [
        ("a.rs", "a"),
        ("b.txt", "b"),
        ("sub/c.rs", "c"),
        ("sub/.git/d", "d"),
    ] {
        fs::write(dir.join(name), text).unwrap();
    }
    fs::write(dir.join("-rf\n\\"), "odd").unwrap();
    make_fifo(&dir.join("pipe"));
    let text_of = |path: &Path| path.to_str().unwrap().to_owned();
    let (dir, back) = (text_of(&dir), text_of(&served.to("back")));
    let put = |arguments: &[&str]| run(&[&["file", "put", "-r"], arguments].concat());

    let output = put(&[served.url(), &dir]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(err.contains("dir/pipe: it is a FIFO"), "{err}");
    assert!(
        err.contains("send: 5 files, 4 directories: 7 B; hidden: dir/sub/.git"),
        "{err}"
    );
    assert!(
        out.starts_with("sent 5 files, 4 directories: 7 B ") && out.ends_with(", 1 failed\n"),
        "{out}"
    );
    assert_eq!(
        names(&served.root("dir")),
        ["-rf\n\\", "a.rs", "b.txt", "empty", "sub"]
    );

    let output = run(&[
        "file",
        "get",
        "-r",
        served.url(),
        "dir",
        "--to",
        &back,
        "--include",
        "*.rs",
    ]);
    ended_well(&output);
    assert_eq!(names(back.as_ref()), ["a.rs", "sub"]);
    assert_eq!(names(&served.to("back/sub")), ["c.rs"]);
    fs::remove_dir_all(&back).unwrap();
    ended_well(&run(&[
        "file",
        "get",
        "-r",
        served.url(),
        "/dir/b.txt",
        "dir",
        "--to",
        &text_of(&served.to("")),
        "--exclude",
        ".git/",
        "--force",
    ]));
    assert_eq!(names(&served.to("")), ["b.txt", "dir"]);

    // A directory needs -r, and other files are sent all the same.
    let one = served.to("one");
    fs::write(&one, "1").unwrap();
    let output = run(&["file", "put", served.url(), &dir, &text_of(&one)]);
    assert!(
        complaint(&output).contains("with -r it is sent"),
        "{output:?}"
    );
    assert!(served.root("one").exists());
    assert_eq!(put(&[served.url(), "-"]).status.code(), Some(2));
    assert_eq!(
        put(&[served.url(), &dir, "--include", "["]).status.code(),
        Some(2)
    );
    let output = put(&["--codec", "raw", served.url(), &dir]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
