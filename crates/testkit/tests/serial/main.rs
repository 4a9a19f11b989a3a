//! Frames over serial lines, against programs that others wrote: pyserial with sliplib and cobs,
//! over the pseudo terminals of socat.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "../tools/child.rs"]
mod child;
mod pyserial;
#[path = "../tools/mod.rs"]
mod tools;
