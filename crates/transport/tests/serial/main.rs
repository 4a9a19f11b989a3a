//! Serial lines, over pseudo terminals: what this end promises of any line, and what a pseudo
//! terminal does with it.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod lines;
mod listening;
mod locks;
mod pty;
mod settings;
#[path = "../../../testkit/tests/tools/mod.rs"]
mod tools;
