//! Programs and rights that a test needs, and that a machine may lack. The tests of all crates ask
//! here.
//!
//! A test that lacks one says `skipped: no NAME`, and passes. Where the environment variable `CI`
//! is set, a missing program or module fails the test. `.ci/run` sets it, and counts the lines at
//! its end.

#![allow(dead_code, reason = "each test uses a part")]

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

/// Whether this program is in the path.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let here = std::env::split_paths(&path).any(|place| place.join(program).is_file());
    needed(program, here)
}

/// Whether this file is there, which is a part of a program.
pub(crate) fn has_file(path: &str) -> bool {
    needed(path, std::path::Path::new(path).is_file())
}

/// Whether Python can import this module, which is no part of Python itself.
pub(crate) fn has_module(module: &str) -> bool {
    has("python3")
        && needed(
            module,
            runs("python3", &["-c", &format!("import {module}")]),
        )
}

/// Whether Lua can load this module, which is no part of Lua itself.
pub(crate) fn has_lua_module(module: &str) -> bool {
    let load = format!("require '{module}'");
    has("lua5.4") && needed(module, runs("lua5.4", &["-e", &load]))
}

/// Whether Node.js can load this module, which is no part of Node.js itself.
pub(crate) fn has_node_module(module: &str) -> bool {
    let load = format!("require('{module}')");
    has("node") && needed(module, runs("node", &["-e", &load]))
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn needed(what: &str, here: bool) -> bool {
    if !here {
        skipped(what);
        assert!(std::env::var_os("CI").is_none(), "CI has no {what}");
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

/// A port of the loopback interface that nobody listens at.
///
/// It lies below those that the kernel gives to clients, so that it is still free when the daemon
/// binds it.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id().wrapping_mul(97) % 20_000;
    loop {
        let next = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(10_000 + (first + next) % 20_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
