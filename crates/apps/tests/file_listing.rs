//! Listings and summaries, as a person sees them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use file_support::*;

#[test]
fn a_long_listing_has_mode_exact_size_and_time() {
    let dir = tempfile::tempdir().unwrap();
    let file = fs::File::create(dir.path().join("a")).unwrap();
    file.set_len(1_234_567).unwrap();
    file.set_permissions(fs::Permissions::from_mode(0o640))
        .unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
        .unwrap();
    let server = Process::serve(dir.path());
    let output = run(&["file", "ls", "-l", server.url()]);
    let line = text(&output.stdout);
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(
        words,
        ["-rw-r-----", "1234567", "2001-09-09", "01:46:40Z", "a"]
    );
}

#[test]
fn a_terminal_gets_the_whole_digest_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let server = Process::serve(&root);
    let (path, to) = (dir.path().join("a"), dir.path().join("to"));
    fs::write(&path, "abc").unwrap();
    let digest = blake3::hash(b"abc").to_hex();
    let shown = |words: &[&str]| {
        let mut command = Command::new("python3");
        command.arg(script_path("on_terminal.py")).arg(BIN);
        command.args(["file", words[0], "--force", server.url()]);
        command.args(&words[1..]).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        text(&output.stdout)
    };
    for transfer in [
        ["put", path.to_str().unwrap(), "--to", "a"],
        ["get", "a", "--to", to.to_str().unwrap()],
    ] {
        let few = shown(&transfer);
        assert!(
            few.contains(&digest[..16]) && !few.contains(&*digest),
            "{few}"
        );
        let all = shown(&[&transfer[..], &["--digest"]].concat());
        assert!(all.contains(&*digest), "{all}");
    }
}
