//! The order and number of writes: exchanges that follow a script exactly.
//!
//! `tokio_test::io` checks the bytes, and the order of reads and writes. It accepts two writes in
//! place of one, so a [`Tap`] in front of it records each call. The laws of `Framed` that do not
//! need that order are in `framed_laws.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod exchanges;
mod receiving;
mod sending;
mod tap;

use tap::{Call, Tap};
