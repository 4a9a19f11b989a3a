//! The examples are the files beside this package's `Cargo.toml`: `cargo run --example echo`.
#![forbid(unsafe_code)]
