//! The kernel's sockets: TCP, UDP and both Unix kinds.

pub(crate) mod accept;
pub(crate) mod addr;
mod apply;
pub(crate) mod bound;
mod connect;
mod hint;
pub(crate) mod inherited;
mod multicast;
pub(crate) mod names;
pub(crate) mod os;
pub(crate) mod parts;
pub(crate) mod several;
#[cfg(target_os = "linux")]
pub(crate) mod takeover;
pub(crate) mod tcp;
pub(crate) mod udp;
pub(crate) mod unix;
