//! What holds for every endpoint, every set of options and every encoding, seen from outside of the
//! crate.
//!
//! The round trips of well-formed values stand beside the code. Here are their neighbours: text
//! that is almost well-formed, values that do not fit, and encodings against `encoding_rs`.
#![allow(clippy::unwrap_used, reason = "tests")]

mod endpoints;
mod options;
#[cfg(feature = "text")]
mod text;
