//! Three apps that do not care which transport and codec you chose, and the `socketry` binary.
//!
//! * [`chat`]: what one says, all others hear.
//! * [`command`]: run commands on another machine.
//! * [`mod@file`]: send, fetch and browse files of any size.
//!
//! Each has a server and a client that take a [`Service`] (a transport by URL, a codec and an encoding by name). Which
//! pairings make sense is told by [`matrix`]; the others are refused when they start, with the reason and the way out.
//! [`cli`] is the one command line of the binary and of the examples.
//!
//! # What belongs to the process
//!
//! Signals are the program's. [`cli`] takes them over; [`chat::Server`], [`mod@file::Server`] and all
//! clients, used as a library, touch none, and [`command::Server`] listens for SIGCHLD only. Where
//! `ulimit -f` is set, a program of one's own has to catch SIGXFSZ: its default action ends the
//! process with the first write that goes too far, and every connection with it.
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
mod output;
mod service;
mod serving;
mod show;
mod startup;

pub use error::AppError;
pub use service::Service;
pub use show::Shown;
