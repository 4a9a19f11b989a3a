//! Wires of the catalogue, held against programs in other languages that frame by their own means.
//!
//! Each program is a file beside its test. It answers each message with the bytes of it in reverse
//! order, so that a frame boundary that it sees elsewhere shows. Redis and NATS answer as they do.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../tools/child.rs"]
mod child;
mod dotnet;
mod erlang;
mod forms;
mod java;
mod mirror;
mod multiprocessing;
mod nats;
mod redis;
mod scripts;
#[path = "../tools/mod.rs"]
mod tools;
mod twisted;
mod vscode;
