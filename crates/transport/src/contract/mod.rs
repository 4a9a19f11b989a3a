//! The contract: the traits and types that every transport, socket and listener has in common. It
//! imports nothing of the operating system, so it compiles anywhere. `tests/contract.rs` checks
//! that.

pub(crate) mod boxed;
pub(crate) mod connection;
pub(crate) mod datagram;
pub(crate) mod endpoint;
pub(crate) mod error;
pub(crate) mod names;
pub(crate) mod socket;
pub(crate) mod transport;
