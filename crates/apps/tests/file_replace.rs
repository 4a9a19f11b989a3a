//! An existing file is replaced only if a user asked for that, and a file gets the name that its
//! user gave.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;

use file_support::*;
use serde_json::json;
use socketry_apps::Service;
use socketry_apps::file::Client;

#[tokio::test]
async fn our_client_replaces_nothing_at_the_server_unless_asked() {
    for codec in ["json", "json:bare"] {
        let served = Served::new(codec).await;
        fs::write(served.root().join("a"), "old").unwrap();
        let path = served.outside("a", b"new");
        let mut client = served.client().await;
        let refused = client.put(&path, |_, _| ()).await.unwrap_err();
        assert!(
            refused.to_string().contains("a: it exists already"),
            "{refused}"
        );
        assert_eq!(fs::read(served.root().join("a")).unwrap(), b"old");
        assert_eq!(names(&served.root()), ["a"]);
        let mut client = client.replacing(true);
        client.put(&path, |_, _| ()).await.unwrap();
        assert_eq!(fs::read(served.root().join("a")).unwrap(), b"new");
    }
}

#[tokio::test]
async fn a_file_that_comes_up_meanwhile_is_left_alone() {
    let served = Served::new("json").await;
    let (path, there) = (
        served.outside("a", &bytes(3 << 20)),
        served.root().join("a"),
    );
    let mut client = served.client().await;
    let put = client.put(&path, |done, _| {
        if done > 0 {
            fs::write(&there, "other").unwrap();
        }
    });
    let refused = put.await.unwrap_err();
    assert!(
        refused.to_string().contains("it exists already"),
        "{refused}"
    );
    assert_eq!(fs::read(&there).unwrap(), b"other");
    assert_eq!(names(&served.root()), ["a"]);

    let here = served.dir.path().join("here");
    fs::rename(&path, served.root().join("b")).unwrap();
    let got = client.get("b", &here, |done, _| {
        if done > 0 {
            fs::write(&here, "other").unwrap();
        }
    });
    let refused = got.await.unwrap_err();
    assert!(
        refused.to_string().contains("it exists already"),
        "{refused}"
    );
    assert_eq!(fs::read(&here).unwrap(), b"other");
    assert_eq!(names(served.dir.path()), ["here", "root"]);
}

#[tokio::test]
async fn our_client_replaces_nothing_here_unless_asked() {
    for codec in ["json", "json:bare", "raw"] {
        let served = Served::new(codec).await;
        fs::write(served.root().join("a"), "new").unwrap();
        let here = served.outside("a", b"old");
        let mut client = served.client().await;
        let refused = client.get("a", &here, |_, _| ()).await.unwrap_err();
        assert!(
            refused.to_string().contains("a: it exists already"),
            "{refused}"
        );
        assert_eq!(fs::read(&here).unwrap(), b"old");
        let mut client = client.replacing(true);
        client.get("a", &here, |_, _| ()).await.unwrap();
        assert_eq!(fs::read(&here).unwrap(), b"new");
    }
}

#[tokio::test]
async fn a_script_that_cannot_hear_a_refusal_replaces() {
    let served = Served::new("json").await;
    fs::write(served.root().join("c.txt"), "old").unwrap();
    let port = served.port();
    blocking(move || {
        let mut script = Script::new(port);
        let answer = script
            .send(&upload(r"C:\dir\c.txt", 3))
            .write(b"new")
            .answer();
        assert_eq!(answer["filename"], "c.txt");
    })
    .await;
    assert_eq!(fs::read(served.root().join("c.txt")).unwrap(), b"new");
}

#[tokio::test]
async fn a_name_with_a_backslash_is_transferred_exactly() {
    let served = Served::new("json").await;
    fs::write(served.root().join("b.txt"), "other").unwrap();
    let path = served.outside(r"a\b.txt", b"mine");
    let mut client = served.client().await;
    client.put(&path, |_, _| ()).await.unwrap();
    assert_eq!(names(&served.root()), [r"a\b.txt", "b.txt"]);
    assert_eq!(fs::read(served.root().join("b.txt")).unwrap(), b"other");
    let back = served.dir.path().join("back");
    client.get(r"a\b.txt", &back, |_, _| ()).await.unwrap();
    assert_eq!(fs::read(back).unwrap(), b"mine");
}

#[tokio::test]
async fn a_name_with_a_backslash_is_not_sent_to_a_server_that_cuts_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(r"a\b.txt");
    fs::write(&path, "mine").unwrap();
    // The answer of an older server of this app, which does not know exact names.
    let url = scripted(vec![(json!({"status": "ready", "offset": 0}), b"")]);
    let client = Client::connect(&Service::default(), &url.parse().unwrap()).await;
    let sent = client.unwrap().put(&path, |_, _| ()).await.unwrap_err();
    assert!(sent.to_string().contains("nothing was sent"), "{sent}");
}

#[tokio::test]
async fn a_user_says_where_a_file_goes() {
    let served = Served::new("json").await;
    fs::create_dir_all(served.root().join("a/b")).unwrap();
    let path = served.outside("f", b"x");
    let mut client = served.client().await;
    client.put_as(&path, "a/b/g", |_, _| ()).await.unwrap();
    assert_eq!(fs::read(served.root().join("a/b/g")).unwrap(), b"x");
    for outside in ["../g", "a/../../g", "none/g", "a/b", "a/", ".."] {
        assert!(
            client.put_as(&path, outside, |_, _| ()).await.is_err(),
            "{outside}"
        );
    }
    std::os::unix::fs::symlink("..", served.root().join("up")).unwrap();
    assert!(client.put_as(&path, "up/g", |_, _| ()).await.is_err());
    assert_eq!(names(served.dir.path()), ["f", "root"]);
    assert_eq!(names(&served.root()), ["a", "up"]);
    assert_eq!(names(&served.root().join("a/b")), ["g"]);
}

#[test]
fn the_command_line_puts_and_gets_several_files_where_they_are_meant() {
    let dir = tempfile::tempdir().unwrap();
    let (root, here) = (dir.path().join("root"), dir.path().join("here"));
    fs::create_dir_all(root.join("in")).unwrap();
    fs::create_dir(&here).unwrap();
    let server = Process::serve(&root);
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(BIN);
        let command = command.arg("file").args(arguments).current_dir(&here);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), text(&output.stderr))
    };
    let url = server.url();
    fs::write(here.join("one"), "1").unwrap();
    fs::write(here.join("two"), "2").unwrap();

    assert_eq!(run(&["put", url, "one", "two", "--to", "in"]).0, 0);
    assert_eq!(names(&root.join("in")), ["one", "two"]);
    assert_eq!(run(&["put", url, "one", "--to", "in/three"]).0, 0);
    assert_eq!(run(&["put", url, "one", "--to", "in/"]).0, 1);
    assert_eq!(run(&["put", url, "one", "--to", "in/", "--force"]).0, 0);
    assert_eq!(run(&["put", url, "one", "two", "--to", "none"]).0, 1);
    assert_eq!(names(&root), ["in"]);
    let (code, error) = run(&["put", url, "../here"]);
    assert!(code == 1 && error.contains("directory"), "{error}");

    let (code, error) = run(&["get", url, "in/one", "in/none", "in/three"]);
    assert_eq!(code, 1);
    assert!(
        error.contains("one: it exists already") && error.contains("in/none"),
        "{error}"
    );
    assert_eq!(names(&here), ["one", "three", "two"]);
    fs::create_dir(here.join("to")).unwrap();
    assert_eq!(run(&["get", url, "in/one", "in/two", "--to", "to"]).0, 0);
    assert_eq!(names(&here.join("to")), ["one", "two"]);
    assert_eq!(run(&["get", url, "in/one", "in/two", "--to", "new"]).0, 2);
    // The user gave two files, and the second destination cannot hold the first.
    assert_eq!(run(&["get", url, "in/one", "two", "--force"]).0, 1);
    assert_eq!(fs::read(here.join("two")).unwrap(), b"2");
}
