//! Part files: none stays, however a program ends; or the next one removes it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use file_support::{BIN, Program, complaint, ended_well, make_fifo, names, until};
use rustix::process::{Pid, Signal, kill_process};

/// How many times a client is ended while it creates its part file.
const TURNS: usize = 25;

/// A file so long, without taking space, that a signal always comes before its end.
fn huge(path: &Path) {
    File::create(path).unwrap().set_len(100 << 30).unwrap();
}

fn signal(child: &mut Child, signal: Signal) -> Option<i32> {
    kill_process(Pid::from_child(child), signal).unwrap();
    child.wait().unwrap().code()
}

fn interrupted_at_once(served: &Program, to: &Path) {
    for turn in 0..TURNS {
        let mut client = served.getting("huge", &to.join("huge")).spawn().unwrap();
        until("the part file", || !names(to).is_empty());
        let with = [Signal::INT, Signal::TERM][turn % 2];
        assert_eq!(signal(&mut client, with), Some(130));
        assert!(names(to).is_empty(), "{turn}: {:?}", names(to));
    }
}

#[test]
fn a_client_that_is_ended_at_once_leaves_nothing() {
    let served = Program::new(&[]);
    huge(&served.root("huge"));
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let (served, to) = (&served, served.to(name));
            fs::create_dir(&to).unwrap();
            scope.spawn(move || interrupted_at_once(served, &to));
        }
    });
}

/// Leaves a part file in `to`.
fn killed(served: &Program, to: &Path) -> String {
    let before = names(to);
    let mut client = served.getting("huge", &to.join("huge")).spawn().unwrap();
    let new = || names(to).into_iter().find(|name| !before.contains(name));
    until("the part file", || new().is_some());
    let part = new().unwrap();
    signal(&mut client, Signal::KILL);
    assert!(to.join(&part).exists());
    part
}

#[test]
fn the_part_file_of_a_killed_client_is_removed_by_the_next_transfer() {
    let served = Program::new(&[]);
    let to = served.to("");
    huge(&served.root("huge"));
    fs::write(served.root("small"), "small").unwrap();

    // A locked part file, a file of another name, and a directory: these must stay.
    let mut live = served.getting("huge", &to.join("live")).spawn().unwrap();
    until("the part file", || !names(&to).is_empty());
    let held = names(&to).remove(0);
    let mine = ".socketry-mine.part".to_owned();
    fs::write(to.join(&mine), "").unwrap();
    let dir = ".socketry-0123456789abcdef.part".to_owned();
    fs::create_dir(to.join(&dir)).unwrap();
    let fifo = ".socketry-fedcba9876543210.part".to_owned();
    make_fifo(&to.join(&fifo));
    let mut stay = vec![held, mine, dir, fifo, "small".to_owned()];
    stay.sort();

    for _ in 0..2 {
        let left = killed(&served, &to);
        let _ = fs::remove_file(to.join("small"));
        ended_well(&served.get("small", &to.join("small")));
        assert!(!to.join(left).exists());
        assert_eq!(names(&to), stay);
    }
    let left = killed(&served, &to);
    fs::write(to.join("other"), "text").unwrap();
    ended_well(&served.put(&to.join("other")));
    assert!(!to.join(left).exists());
    assert_eq!(signal(&mut live, Signal::INT), Some(130));
}

#[test]
fn a_link_as_destination_is_swept_where_it_leads() {
    let served = Program::new(&[]);
    huge(&served.root("huge"));
    fs::write(served.root("small"), "small").unwrap();
    fs::create_dir(served.to("real")).unwrap();
    let left = killed(&served, &served.to("real"));
    std::os::unix::fs::symlink("real/small", served.to("link")).unwrap();
    ended_well(&served.get("small", &served.to("link")));
    assert!(!served.to("real").join(left).exists());
    assert_eq!(names(&served.to("real")), ["small"]);
}

#[test]
fn many_at_once_in_one_directory_sweep_nothing_of_each_other() {
    let served = Program::new(&[]);
    fs::write(served.root("a"), vec![7; 1 << 20]).unwrap();
    let clients: Vec<_> = (0..24)
        .map(|n| {
            let mut command = served.getting("a", &served.to(&format!("{n}")));
            command.stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for client in clients {
        ended_well(&client.wait_with_output().unwrap());
    }
    assert_eq!(names(&served.to("")).len(), 24);
}

#[test]
fn a_signal_ends_a_client_that_waits_for_a_reader() {
    let served = Program::new(&[]);
    fs::write(served.root("a"), "abc").unwrap();
    make_fifo(&served.to("fifo"));
    let mut client = served.getting("a", &served.to("fifo")).spawn().unwrap();
    let status = format!("/proc/{}/task", client.id());
    until("it opens the FIFO", || {
        let waiting = |task: fs::DirEntry| {
            let channel = fs::read_to_string(task.path().join("wchan")).unwrap_or_default();
            channel.contains("wait_for_partner") || channel.contains("fifo")
        };
        fs::read_dir(&status).unwrap().flatten().any(waiting)
    });
    assert_eq!(signal(&mut client, Signal::INT), Some(130));
}

/// A shell that limits files to 50 KiB, and the program in it.
fn limited(arguments: &[&str]) -> Command {
    let mut command = Command::new("sh");
    // Blocks of 512 bytes.
    command.args(["-c", r#"ulimit -f 100; exec "$0" "$@""#, BIN]);
    command.args(arguments);
    command
}

#[test]
fn a_file_that_grows_too_large_fails_alone() {
    let served = Program::started_by(&mut limited(&["file", "serve"]));
    for (name, len) in [("large", 1 << 20), ("small", 1 << 10)] {
        fs::write(served.to(name), vec![7; len]).unwrap();
    }
    let mut other = served.script();
    other.send(&file_support::upload("other", 6)).write(b"abc");
    until("the other upload", || !names(&served.root("")).is_empty());

    let failed = complaint(&served.put(&served.to("large")));
    assert!(failed.contains("large: it could not be stored"), "{failed}");
    assert!(failed.contains("File too large"), "{failed}");
    ended_well(&served.put(&served.to("small")));
    assert_eq!(other.write(b"def").answer()["status"], "done");
    assert_eq!(names(&served.root("")), ["other", "small"]);
}

#[test]
fn a_download_that_grows_too_large_fails_and_leaves_nothing() {
    let served = Program::new(&[]);
    fs::write(served.root("large"), vec![7; 1 << 20]).unwrap();
    let mut client = limited(&["file", "get", served.url(), "large", "--to"]);
    let failed = complaint(&client.arg(served.to("large")).output().unwrap());
    assert!(failed.contains("large: it could not be stored"), "{failed}");
    assert!(failed.contains("File too large"), "{failed}");
    assert!(names(&served.to("")).is_empty());
}
