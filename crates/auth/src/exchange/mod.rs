//! The exchange before the first frame: four lines of ASCII, each ended by a line feed.
//!
//! ```text
//! client  socketry-auth 1 NAME NONCE MODE
//! server  socketry-auth 1 NONCE MODE
//! client  proof HMAC
//! server  welcome HMAC
//! ```
//!
//! In place of a line of its own, the server may say `socketry-auth refused: WORDS`, and close.
//! `docs/auth.md` has it byte by byte.

mod client;
#[cfg(feature = "fuzz")]
pub mod fuzzing;
mod line;
pub(crate) mod mac;
mod server;
mod wire;

pub(crate) use client::connect;
pub use line::{refusal, refused};
pub(crate) use server::{Rules, accept};
pub use wire::AuthSocket;
