//! What the fuzz targets do with their input, and what they assert of it.
//!
//! No fuzzer is in here: `fuzz_targets/` hands these the bytes that libFuzzer makes up, and
//! `crates/testkit/tests/corpus.rs` includes this file and hands them the bytes of the corpus, on
//! stable.

pub mod chat;
pub mod command;
pub mod decode;
pub mod differential;
pub mod endpoint;
pub mod file;
pub mod framed;
pub mod header;
pub mod options;
pub mod roundtrip;
pub mod split;
pub mod text;

mod case;
mod stage;
