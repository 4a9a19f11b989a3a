//! A test whose program is missing says so, and fails in CI.
#![allow(clippy::unwrap_used, reason = "tests")]

mod tools;

use std::process::Command;

/// The child of the next test: it has no program in its path.
#[test]
#[ignore = "the next test starts it"]
fn without_programs() {
    assert!(!tools::has("openssl"));
}

#[test]
fn a_missing_program_is_told_and_fails_ci() {
    for ci in [false, true] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "without_programs", "--ignored"]);
        child.env("PATH", "/nowhere").env_remove("CI");
        if ci {
            child.env("CI", "true");
        }
        let ended = child.output().unwrap();
        // The harness would keep to itself what `println` says in a test that passes.
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(said.contains("skipped: no openssl\n"), "{said}");
        assert_eq!(ended.status.success(), !ci);
    }
}
