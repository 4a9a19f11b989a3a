//! What is written when, in how many writes: exchanges that follow a script to the letter.
//!
//! `tokio_test::io` checks the bytes, and their order among what is read and written. It takes two
//! writes for one, so a [`Tap`] before it notes each call. The laws of `Framed` that need no such
//! order are in `framed_laws.rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod exchanges;
mod receiving;
mod sending;
mod tap;

use tap::{Call, Tap};
