//! Three apps that do not care which transport and codec you chose, and the `socketry` binary.
//!
//! * [`chat`]: what one says, all others hear.
//! * [`command`]: run commands on another machine.
//! * [`mod@file`]: send, fetch and browse files of any size.
//!
//! Each has a server and a client that take a [`Service`] (a transport by URL, a codec and an encoding by name). Which
//! pairings make sense is told by [`matrix`]; the others are refused when they start, with the reason and the way out.
//! [`cli`] is the one command line of the binary and of the examples.
#![forbid(unsafe_code)]

pub mod chat;
pub mod cli;
pub mod command;
pub mod file;
pub mod matrix;

#[cfg(test)]
mod carried;
mod common;
mod error;
mod service;
mod serving;
mod show;

pub use error::AppError;
pub use service::Service;
pub use show::Shown;
