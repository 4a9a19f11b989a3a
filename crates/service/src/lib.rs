//! What every program writes around its sockets, once: a server with limits, deadlines and an end
//! that drains.
//!
//! [`Server`] accepts clients from any listener of `socketry-transport` and gives each to a handler
//! as a [`Framed`](socketry_codec::Framed), or each of its frames as a request to be
//! [answered](Server::answer). [`Limits`] bounds what clients may use. A [`Stopper`] ends the
//! server in order, and an [`Observer`] hears of each connection.
#![forbid(unsafe_code)]

mod limits;
mod server;

pub use limits::Limits;
pub use server::{
    Ending, Lent, LentRecv, LentSend, Observer, Refusal, Request, Served, Server, Stopper, Summary,
};

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
