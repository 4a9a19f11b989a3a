//! Three apps that do not care which transport and codec you chose, and the `socketry` binary.
//!
//! * [`chat`]: each message of a user goes to all other users.
//! * [`command`]: run commands on another machine.
//! * [`mod@file`]: send, fetch and browse files of any size.
//!
//! Each has a server and a client that take a [`Service`]: a transport by URL, a codec and an
//! encoding by name. [`matrix`] says which combinations make sense. The others are refused when
//! they start, with the reason and the way out. [`cli`] is the command line of the binary and of
//! the examples.
//!
//! # Transports and codecs of your own
//!
//! A [`Service`] looks up both by name in registries, to which you can add. So does the command
//! line: [`cli::CommandLine`]. The apps ask a codec for its
//! [properties](socketry_codec::Properties), and not for its name:
//!
//! | the codec carries | the apps speak as over |
//! |---|---|
//! | JSON objects | `json` |
//! | any bytes but a delimiter | `line` |
//! | any bytes, without frame boundaries | `raw` |
//! | any bytes | `struct` |
//!
//! # How many clients at once
//!
//! A server serves 1,024 clients at once, or `max_clients`, or as many as the limit of open files
//! allows. A newcomer waits half a second at most for a place. If there is none, the server tells
//! it that it is full where the codec can carry that, and else resets the connection. A client that
//! has half-closed, and so may be gone, gives its place to a newcomer when all are taken.
//!
//! When a server ends a conversation, it reads on until the client closes as well, so that the last
//! answer arrives. It does so for at most 2 seconds and 1 MiB.
//!
//! # Peers that are gone
//!
//! A peer may vanish without closing, since its machine or its network is gone. Over TCP it does
//! not keep its place: after [`matrix::KEEPALIVE`] of silence the kernel sends probes, and ends the
//! connection if they are not answered. The options `?keepalive=…`, `?keepalive_interval=…` and
//! `?keepalive_retries=…` of the URL change that; `?keepalive=off` switches it off. How long a
//! peer may be silent that is still there, is up to each app: see [`chat`], [`command::IDLE`] and
//! [`file::IDLE`].
//!
//! # Process-wide settings
//!
//! The soft limit of open files belongs to the program. [`cli`] raises it to the hard limit.
//!
//! Signals belong to the program. [`cli`] handles them. Used as a library, [`chat::Server`],
//! [`file::Server`] and all clients handle none, and [`command::Server`] only listens for SIGCHLD.
//! Where `ulimit -f` is set, your own program has to catch SIGXFSZ. By default that signal ends the
//! process, with all its connections, at the first write beyond the limit.
#![forbid(unsafe_code)]

pub mod chat;
pub mod cli;
pub mod command;
pub mod file;
pub mod matrix;

mod access;
mod admission;
#[cfg(test)]
mod carried;
mod common;
#[cfg(feature = "tls")]
mod encryption;
#[cfg(not(feature = "tls"))]
#[path = "unencrypted.rs"]
mod encryption;
mod error;
mod help;
mod looks;
mod opening;
mod output;
mod own;
mod proxies;
mod rules;
mod service;
mod services;
mod serving;
mod show;
mod startup;
mod stranger;
mod terminal;
#[cfg(feature = "ws")]
mod web;
#[cfg(not(feature = "ws"))]
#[path = "webless.rs"]
mod web;
mod wrong_codec;

pub use access::Access;
pub use error::AppError;
pub use service::Service;
pub use show::Shown;

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
