//! The file under a name, whatever fails and whenever a program is killed: nothing, the old file,
//! or the whole new one.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;
#[path = "../../testkit/tests/tools/mod.rs"]
mod tools;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use file_support::{BIN, Program, complaint, ended_well, names};

const OLD: &[u8] = b"old";
const LEN: usize = 600_000;

/// A download of `a` to `to/a`. Meanwhile strace makes the given system calls fail.
fn get_under(served: &Program, faults: &[&str], options: &[&str]) -> Output {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null"]);
    for fault in faults {
        command.arg("-e").arg(format!("inject={fault}"));
    }
    command.args([BIN, "file", "get", served.url(), "a", "--to"]);
    command.arg(served.to("a")).args(options);
    command.stdin(Stdio::null()).output().unwrap()
}

fn served() -> Program {
    let served = Program::new(&[]);
    fs::write(served.root("a"), vec![7; LEN]).unwrap();
    served
}

/// Whether the new file is there. Otherwise asserts that the old one is, or none if there was none.
fn is_new(path: &Path, before: Option<&[u8]>) -> bool {
    match fs::read(path).ok() {
        Some(now) if now.len() == LEN => now.iter().all(|byte| *byte == 7),
        now => {
            assert_eq!(now.as_deref(), before);
            false
        }
    }
}

#[test]
fn a_kill_at_any_step_leaves_the_old_file_or_the_whole_new_one() {
    if !tools::has("strace") {
        return;
    }
    let served = served();
    let (to, path) = (served.to(""), served.to("a"));
    for (step, new) in [
        ("flock:signal=KILL", false),
        ("fchmod:signal=KILL", false),
        ("fsync:signal=KILL:when=1", false),
        ("rename,renameat,renameat2:signal=KILL", false),
        ("fsync:signal=KILL:when=2", true),
    ] {
        for before in [None, Some(OLD)] {
            let _ = fs::remove_file(&path);
            if let Some(old) = before {
                fs::write(&path, old).unwrap();
            }
            let killed = get_under(&served, &[step], &["--force"]);
            assert!(!killed.status.success(), "{step}: {killed:?}");
            let left = names(&to);
            assert!(
                left.iter().any(|name| name.ends_with(".part")) != new,
                "{step}: {left:?}"
            );
            assert_eq!(is_new(&path, before), new, "{step}");
            // The next transfer is not affected.
            ended_well(&served.getting("a", &path).output().unwrap());
            assert_eq!(names(&to), ["a"], "{step}");
            assert!(is_new(&path, before));
        }
    }
}

#[test]
fn a_file_that_the_disk_refuses_is_reported_and_not_kept() {
    if !tools::has("strace") {
        return;
    }
    let served = served();
    fs::write(served.to("a"), OLD).unwrap();
    for (fault, words) in [
        ("fsync:error=EIO", "Input/output error"),
        ("fchmod:error=EROFS", "Read-only file system"),
        ("rename,renameat,renameat2:error=EDQUOT", "quota"),
    ] {
        let told = complaint(&get_under(&served, &[fault], &["--force"]));
        assert!(
            told.contains("a: it could not be stored, and nothing of it is kept"),
            "{told}"
        );
        assert!(
            told.to_lowercase().contains(&words.to_lowercase()),
            "{told}"
        );
        assert_eq!(fs::read(served.to("a")).unwrap(), OLD);
        assert_eq!(names(&served.to("")), ["a"]);
    }
}

#[test]
fn a_name_that_may_not_be_on_disk_is_told_to_be_so() {
    if !tools::has("strace") {
        return;
    }
    let served = served();
    let told = complaint(&get_under(&served, &["fsync:error=EIO:when=2"], &[]));
    assert!(
        told.contains("it is stored, but its directory may not be on disk yet"),
        "{told}"
    );
    assert!(is_new(&served.to("a"), None));
}

#[test]
fn file_systems_that_lack_something_are_of_use() {
    if !tools::has("strace") {
        return;
    }
    for faults in [
        &["fsync:error=EINVAL:when=2"][..],
        &["flock:error=ENOLCK"],
        &["renameat2:error=EINVAL"],
        &["flock:error=EOPNOTSUPP", "renameat2:error=ENOSYS"],
    ] {
        let served = served();
        // Where files cannot be locked, it cannot be known whether one is in use.
        let other = served.to(".socketry-0123456789abcdef.part");
        fs::write(&other, "").unwrap();
        ended_well(&get_under(&served, faults, &[]));
        assert!(is_new(&served.to("a"), None), "{faults:?}");
        assert_eq!(other.exists(), faults[0].starts_with("flock"), "{faults:?}");
        let _ = fs::remove_file(other);
        assert_eq!(names(&served.to("")), ["a"], "{faults:?}");

        let refused = get_under(&served, faults, &[]);
        assert!(
            complaint(&refused).contains("exists already"),
            "{refused:?}"
        );
    }
}
