//! What a person sees of a directory, and what a server logs of its requests.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod file_peers;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use file_peers::*;

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
fn a_server_that_is_asked_to_say_more_logs_each_request() {
    let dir = tempfile::tempdir().unwrap();
    let (root, log) = (dir.path().join("root"), dir.path().join("log"));
    fs::create_dir(&root).unwrap();
    fs::write(root.join("a"), "abc").unwrap();
    let mut command = Command::new(BIN);
    let command = command.args(["file", "serve", "-v", "--root"]).arg(&root);
    let server = Process::new(command.stderr(Stdio::from(fs::File::create(&log).unwrap())));
    let to = dir.path().join("to");
    run(&[
        "file",
        "get",
        server.url(),
        "a",
        "--to",
        to.to_str().unwrap(),
    ]);
    run(&["file", "get", server.url(), "no\u{1b}"]);
    until("all is logged", || {
        let log = fs::read_to_string(&log).unwrap();
        let has = |words: &[&str]| {
            log.lines()
                .any(|line| words.iter().all(|word| line.contains(word)))
        };
        has(&[
            "download",
            "name=a",
            "peer=tcp://127.0.0.1",
            "bytes=3",
            "sent",
        ]) && has(&["download", r"no\u{1b}", "refused"])
    });
}
