//! See `src/ws.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| socketry_fuzz::ws::run(input));
