//! Addresses of a whole machine: which one a socket answers from, which groups it hears, what a
//! name stands for.
#![cfg(any(target_os = "linux", target_os = "android"))]
#![allow(clippy::unwrap_used, reason = "tests")]

mod alone;
mod asked;
mod groups;
mod names;
#[path = "../../../testkit/tests/tools/mod.rs"]
mod tools;
