//! Programs and rights that a test needs, and that a machine may lack. The tests of all crates ask
//! here.
//!
//! A test that lacks one says `skipped: no NAME`, and passes. Where the environment variable `CI`
//! is set, a missing program fails the test. `.ci/run` sets it, and counts the lines at its end.

#![allow(dead_code, reason = "each test uses a part")]

use std::io::Write;

/// Whether this program is in the path.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here = std::env::split_paths(&path).any(|place| place.join(program).is_file());
    if !here {
        skipped(program);
        assert!(std::env::var_os("CI").is_none(), "CI has no {program}");
    }
    here
}

/// Whether this process has a right, for which the test has tried it. Not every CI has them all.
pub(crate) fn may(right: &str, tried: bool) -> bool {
    if !tried {
        skipped(right);
    }
    tried
}

fn skipped(what: &str) {
    // The test harness keeps to itself what `eprintln` says.
    let _ = writeln!(std::io::stderr(), "skipped: no {what}");
}
