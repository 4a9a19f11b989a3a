//! Addresses of a whole machine: which one a socket answers from, which groups it hears, what a
//! name stands for. And options that show only on a network.
#![cfg(any(target_os = "linux", target_os = "android"))]
#![allow(clippy::unwrap_used, reason = "tests")]

mod alone;
mod asked;
#[cfg(target_os = "linux")]
mod far;
#[cfg(target_os = "linux")]
mod fast_open;
mod groups;
#[cfg(target_os = "linux")]
mod leaving;
#[cfg(target_os = "linux")]
mod multipath;
mod names;
#[cfg(target_os = "linux")]
mod rights;
#[path = "../../../testkit/tests/tools/mod.rs"]
mod tools;
#[cfg(target_os = "linux")]
mod waiting;
