//! A file that is reported as stored is on disk, with its name. The order of system calls shows it.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use file_support::{BIN, Program, complaint, ended_well, names, until, upload};
use rustix::process::{Pid, Signal, kill_process};

const CALLS: &str = "trace=openat,fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg,write";

fn traced(log: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("strace");
    command.args([
        // Detached: the traced program is this process's child, and not the tracer.
        "-D",
        "-f",
        "-y",
        "-q",
        "-s",
        "256",
        "-e",
        "signal=none",
        "-e",
        CALLS,
        "-o",
    ]);
    command.arg(log).arg(BIN).args(arguments);
    command
}

/// Whether these calls occur in the trace in this order. If one is missing, the error is the trace.
fn in_order(log: &Path, wanted: &[&dyn Fn(&str) -> bool]) -> Result<(), String> {
    let trace = fs::read_to_string(log).unwrap();
    let mut lines = trace.lines();
    for (at, wanted) in wanted.iter().enumerate() {
        if !lines.any(wanted) {
            return Err(format!("step {at} is missing in\n{trace}"));
        }
    }
    Ok(())
}

/// Only completed calls count. If another thread interrupts a call in the trace, its end has a line
/// of its own.
fn done(line: &str) -> bool {
    line.ends_with("= 0") || line.contains(") = ")
}

fn syncs_part(line: &str) -> bool {
    line.contains("sync(") && line.contains(".part>")
}

fn renames(line: &str) -> bool {
    line.contains("rename") && line.contains(".part")
}

fn syncs_directory<'a>(dir: &'a str) -> impl Fn(&str) -> bool + 'a {
    move |line| line.contains("fsync(") && line.contains(&format!("/{dir}>")) && done(line)
}

fn says_done(line: &str) -> bool {
    (line.contains("send") || line.contains("write(")) && line.contains(r#"\"status\":\"done\""#)
}

fn says_received(line: &str) -> bool {
    line.contains("write(") && line.contains("received a")
}

/// Uploads `a` to a server under strace with these options and header, and gives its trace to
/// `look`.
fn trace_of_an_upload(options: &[&str], sync: Option<bool>, look: impl Fn(&Path)) {
    let logs = tempfile::tempdir().unwrap();
    let log = logs.path().join("trace");
    let mut served =
        Program::started_by(&mut traced(&log, &[&["file", "serve"], options].concat()));
    let mut header = upload("a", 3);
    header["sync"] = sync.into();
    let answer = served.script().send(&header).write(b"abc").answer();
    assert_eq!(answer["status"], "done");
    kill_process(Pid::from_child(&served.process.child), Signal::TERM).unwrap();
    served.process.child.wait().unwrap();
    finished(&log);
    look(&log);
}

/// Waits until the trace is complete.
fn finished(log: &Path) {
    until("the end of the trace", || {
        fs::read_to_string(log).is_ok_and(|trace| trace.trim_end().ends_with("+++"))
    });
}

#[test]
fn an_upload_is_on_disk_before_the_client_hears_so() {
    if !tools::has("strace") {
        return;
    }
    trace_of_an_upload(&[], None, |log| {
        let directory = syncs_directory("root");
        in_order(log, &[&syncs_part, &renames, &directory, &says_done]).unwrap();
    });
}

#[test]
fn with_no_sync_no_side_waits_for_the_disk() {
    if !tools::has("strace") {
        return;
    }
    for (options, sync) in [(&["--no-sync"][..], None), (&[], Some(false))] {
        trace_of_an_upload(options, sync, |log| {
            in_order(log, &[&renames, &says_done]).unwrap();
            assert!(in_order(log, &[&|line: &str| line.contains("sync(")]).is_err());
        });
    }
}

#[test]
fn a_download_is_on_disk_before_the_user_hears_so() {
    if !tools::has("strace") {
        return;
    }
    let served = Program::new(&[]);
    fs::write(served.root("a"), "abc").unwrap();
    let log = served.to("trace");
    fs::create_dir(served.to("dir")).unwrap();
    let dest = served.to("dir/a");
    let get = ["file", "get", served.url(), "a", "--to"];
    ended_well(&traced(&log, &get).arg(&dest).output().unwrap());
    finished(&log);
    let directory = syncs_directory("dir");
    in_order(&log, &[&syncs_part, &renames, &directory, &says_received]).unwrap();
}

/// A file system of 1 MiB, if this process may mount one.
struct Small(tempfile::TempDir);

impl Small {
    fn mounted() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=1m", "none"])
            .arg(dir.path());
        let mounted = mount.stderr(Stdio::null()).status();
        let mounted = mounted.is_ok_and(|status| status.success());
        tools::may("mount", mounted).then_some(Small(dir))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_says_which_file_and_that_nothing_is_kept() {
    let Some(small) = Small::mounted() else {
        return;
    };
    let full = |told: &str| {
        let words = "large: it could not be stored, and nothing of it is kept: No space left";
        assert!(told.contains(words), "{told}");
    };
    let served = Program::new(&[]);
    fs::write(served.root("large"), vec![7; 3 << 20]).unwrap();
    let dest = small.0.path().join("large");
    full(&complaint(&served.get("large", &dest)));
    assert!(names(small.0.path()).is_empty());

    let root = small.0.path().to_str().unwrap();
    let mut command = Command::new(BIN);
    let other = Program::started_by_at(command.args(["file", "serve", "--root", root]));
    full(&complaint(&other.put(&served.root("large"))));
    until("nothing is left", || names(small.0.path()).is_empty());
}
