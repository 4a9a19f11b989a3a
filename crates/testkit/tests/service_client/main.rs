//! The client of `socketry-service` over each transport, over faulty ones, and with servers that
//! die, end, answer late, or say nothing.
#![allow(clippy::unwrap_used, reason = "tests")]

mod answers;
mod bounds;
mod cancelling;
mod dialing;
mod ending;
mod faults;
mod pool;
mod python;
mod reconnecting;
mod silence;
mod steps;
mod streams;
#[path = "../tools/mod.rs"]
mod tools;
mod tower;
mod typed;
