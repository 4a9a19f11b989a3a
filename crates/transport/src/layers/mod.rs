//! Wrappers of transports and listeners, made of the contract alone.

pub(crate) mod deadlines;
pub(crate) mod listeners;
pub(crate) mod streams;
pub(crate) mod upgrading;
