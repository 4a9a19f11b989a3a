//! Elsewhere datagrams go and come one by one.

use std::io;

use socket2::{SockAddr, Socket};

pub(super) fn send_run(_: &Socket, _: &[u8], _: u16, _: Option<&SockAddr>) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(feature = "batch")]
pub(super) fn merge_received(_: &Socket) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
