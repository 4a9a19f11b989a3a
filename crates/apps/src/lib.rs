//! Three apps that do not care which transport and codec you chose, and the `socketry` binary.
//!
//! * [`chat`]: what one says, all others hear.
//! * [`command`]: run commands on another machine.
//! * [`mod@file`]: send, fetch and browse files of any size.
//!
//! Each has a server and a client that take a [`Service`] (a transport by URL, a codec and an
//! encoding by name). Which pairings make sense is told by [`matrix`]; the others are refused when
//! they start, with the reason and the way out. [`cli`] is the one command line of the binary and
//! of the examples.
//!
//! # How many at once
//!
//! A server talks to 1,024 clients at once, to `max_clients` or to as many as the limit of open
//! files allows. A newcomer for whom there is no place within half a second is told that the server
//! is full where the codec has words for that, and is reset where it has not. A client that has
//! finished sending, and so may be gone, gives its place to a newcomer when all are taken.
//!
//! When a server ends a conversation, it reads on until the client closes as well, so that the last
//! answer arrives: for at most 2 seconds, and at most 1 MiB.
//!
//! # Peers that are gone
//!
//! A peer that goes without a word, since its machine or its cable is gone, keeps no place: over
//! TCP the kernel asks after [`matrix::KEEPALIVE`] of silence, and ends the connection when it is
//! not answered. `?keepalive=` and its kin in the URL change that, and `?keepalive=off` switches it
//! off. A peer that is there and silent is each app's own matter: see [`chat`], [`command::IDLE`]
//! and [`file::IDLE`].
//!
//! # What belongs to the process
//!
//! The soft limit of open files is the program's: [`cli`] raises it to the hard one.
//!
//! Signals are the program's. [`cli`] takes them over; [`chat::Server`], [`file::Server`] and all
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
mod help;
mod opening;
mod output;
mod own;
mod service;
mod serving;
mod show;
mod startup;
mod stranger;
mod terminal;
mod wrong_codec;

pub use error::AppError;
pub use service::Service;
pub use show::Shown;
