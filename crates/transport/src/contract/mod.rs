//! The contract: what every transport, socket and listener is, whoever wrote it. It imports nothing
//! of the operating system, so that it compiles anywhere; `tests/contract.rs` sees to that.

pub(crate) mod boxed;
pub(crate) mod connection;
pub(crate) mod datagram;
pub(crate) mod endpoint;
pub(crate) mod error;
pub(crate) mod socket;
pub(crate) mod transport;
