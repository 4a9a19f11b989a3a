//! Transfers that a signal or a kill ends: nothing half stands under a final name.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use file_support::*;

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
