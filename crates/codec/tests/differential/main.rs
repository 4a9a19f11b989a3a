//! The codecs beside others that do the same: agreement, and each difference that is meant.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;
mod layouts;
mod length_delimited;
mod lines;
mod python;
#[path = "../../../testkit/tests/tools/mod.rs"]
mod tools;
mod wires;
