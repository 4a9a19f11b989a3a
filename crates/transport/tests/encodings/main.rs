//! Our encodings against all that CPython's codecs decode and encode: tables, a page, names, and
//! what travels.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod cpython;
mod exhaustive;
mod labels;
mod page;
mod tables;
