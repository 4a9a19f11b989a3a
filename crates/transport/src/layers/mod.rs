//! What goes around transports and listeners, made of the contract alone.

pub(crate) mod listeners;
pub(crate) mod upgrading;
