//! Processes that take over the listening sockets of one another, under load: no client is refused.
//! This program is the tests, and the servers that they start.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

#[path = "../tools/mod.rs"]
mod tools;

mod inherited;
mod load;
mod python;
mod replaced;
mod server;
