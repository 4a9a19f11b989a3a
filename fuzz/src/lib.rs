//! The bodies of the fuzz targets, and their assertions.
//!
//! They know no fuzzer: `fuzz_targets/` passes them the bytes that libFuzzer generates.
//! `crates/testkit/tests/corpus.rs` includes this file and passes them the bytes of the corpus, on
//! stable.

pub mod auth;
pub mod capture;
pub mod chat;
pub mod command;
pub mod decode;
pub mod differential;
pub mod endpoint;
pub mod file;
pub mod framed;
pub mod header;
pub mod options;
pub mod proxy;
pub mod roundtrip;
pub mod split;
pub mod text;
pub mod tls;
pub mod ws;

mod case;
mod stage;
