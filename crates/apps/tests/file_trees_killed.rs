//! A process that is killed in the middle of a tree leaves whole files under final names, and
//! nothing else that the next transfer does not remove.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::fs;
use std::path::Path;
use std::process::Command;

use file_support::*;

/// System calls, and at which of them in one thread the process is killed, before the call is made.
/// A thread may not come to the later ones, but one comes to the first.
const STEPS: [(&str, &[u32]); 9] = [
    ("mkdirat", &[1, 2]),
    ("write", &[3, 30]),
    ("linkat", &[1, 2, 20]),
    ("syncfs", &[1, 2]),
    ("pwrite64", &[1, 3]),
    ("ftruncate", &[1]),
    ("renameat", &[1, 2]),
    ("fsync", &[1, 2, 3]),
    ("utimensat", &[1, 30]),
];

/// Small files in three directories, two large ones, and one with holes.
fn source(dir: &Path) {
    for name in ["a", "b", "c"] {
        fs::create_dir_all(dir.join(name)).unwrap();
        for at in 0..25 {
            fs::write(dir.join(format!("{name}/{at}")), bytes(at * 200)).unwrap();
        }
    }
    for name in ["b/large", "c/larger"] {
        fs::write(dir.join(name), bytes(700_000)).unwrap();
    }
    let sparse = fs::File::create(dir.join("c/sparse")).unwrap();
    sparse.set_len(1 << 20).unwrap();
}

/// A program that is killed at a system call.
fn killed_at(call: &str, when: u32, arguments: &[&str]) -> Command {
    let mut command = Command::new("strace");
    let inject = format!("inject={call}:signal=KILL:when={when}");
    command.args([
        "-D",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "signal=none",
        "-e",
        &inject,
    ]);
    command.arg(BIN).args(arguments);
    command
}

/// Asserts that all that is at `to` is whole, but for temporary files. Returns how many files.
fn all_whole(from: &Path, to: &Path) -> usize {
    let mut files = 0;
    for name in names(to) {
        let (from, to) = (from.join(&name), to.join(&name));
        if to.is_dir() {
            files += all_whole(&from, &to);
        } else if !(name.starts_with(".socketry-") && name.ends_with(".part")) {
            assert!(fs::read(&from).unwrap() == fs::read(&to).unwrap(), "{to:?}");
            files += 1;
        }
    }
    files
}

fn same(from: &Path, to: &Path) {
    assert_eq!(names(from), names(to));
    all_whole(from, to);
    for name in names(from).iter().filter(|name| from.join(name).is_dir()) {
        same(&from.join(name), &to.join(name));
    }
}

#[test]
fn a_server_that_is_killed_at_any_step_has_whole_files() {
    if !tools::has("strace") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let from = place.path().join("tree");
    source(&from);
    let put = |url: &str| {
        run(&[
            "file",
            "put",
            "-r",
            "--yes",
            "--force",
            url,
            from.to_str().unwrap(),
        ])
    };
    for (call, times) in STEPS {
        for when in times {
            let root = place.path().join(format!("{call}-{when}"));
            fs::create_dir(&root).unwrap();
            let serve = ["file", "serve", "--root", root.to_str().unwrap()];
            let mut dying = Process::new(&mut killed_at(call, *when, &serve));
            let output = put(dying.url());
            if *when == 1 {
                assert_eq!(output.status.code(), Some(1), "{call} {when}: {output:?}");
                assert_eq!(dying.child.wait().unwrap().code(), None, "{call} {when}");
            }
            all_whole(place.path(), &root);

            let next = Process::serve(&root);
            ended_well(&put(next.url()));
            same(&from, &root.join("tree"));
        }
    }
}

#[test]
fn a_client_that_is_killed_at_any_step_has_whole_files() {
    if !tools::has("strace") {
        return;
    }
    let served = Program::new(&[]);
    source(&served.root("tree"));
    for (call, times) in STEPS {
        for when in times.iter().filter(|_| call != "write") {
            let to = served.to(&format!("{call}-{when}"));
            let text = to.to_str().unwrap();
            let get = [
                "file",
                "get",
                "-r",
                "--yes",
                "--force",
                served.url(),
                "tree",
                "--to",
                text,
            ];
            let output = killed_at(call, *when, &get).output().unwrap();
            if *when == 1 {
                assert_eq!(output.status.code(), None, "{call} {when}: {output:?}");
            }
            if to.exists() {
                all_whole(&served.root("tree"), &to);
            }
            // Into a directory that exists a tree goes under its own name.
            let again = ["file", "get", "-r", "--force", served.url(), "tree", "--to"];
            let parent = served.to(&format!("again-{call}-{when}"));
            fs::create_dir(&parent).unwrap();
            if to.exists() {
                fs::rename(&to, parent.join("tree")).unwrap();
            }
            ended_well(&run(&[&again[..], &[parent.to_str().unwrap()]].concat()));
            same(&served.root("tree"), &parent.join("tree"));
        }
    }
}
