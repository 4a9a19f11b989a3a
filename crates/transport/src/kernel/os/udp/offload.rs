//! The offloads of Linux for many datagrams at once: it cuts one message into a run of datagrams
//! when sending (GSO), and gives a run as one message when receiving (GRO).

#![expect(unsafe_code, reason = "an option that no crate has; see each block")]

use std::io::{self, IoSlice};
use std::net::IpAddr;
use std::os::fd::AsRawFd;

use libc::{c_int, socklen_t};
use socket2::{MsgHdr, SockAddr, Socket};

use super::super::control::{Control, space};
use super::asked;

const INT: socklen_t = 4;

/// Sends `bytes` as datagrams of `size` bytes each, all or none. The last may be shorter.
pub(super) fn send_run(
    socket: &Socket,
    bytes: &[u8],
    size: u16,
    to: Option<&SockAddr>,
    from: Option<IpAddr>,
) -> io::Result<usize> {
    let mut control = Control::<{ space(size_of::<u16>()) + asked::SPACE }>::new();
    control.push(libc::SOL_UDP, libc::UDP_SEGMENT, &size.to_ne_bytes());
    if let Some(from) = from {
        asked::leave_from(&mut control, from);
    }
    let parts = [IoSlice::new(bytes)];
    let message = MsgHdr::new()
        .with_buffers(&parts)
        .with_control(control.as_bytes());
    let message = match to {
        Some(to) => message.with_addr(to),
        None => message,
    };
    socket.sendmsg(&message, libc::MSG_NOSIGNAL)
}

/// Has the kernel give a run of datagrams as one message, to any kind of receive from now on.
#[cfg(feature = "batch")]
pub(super) fn merge_received(socket: &Socket) -> io::Result<()> {
    set_int(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Sets an option whose value is an `int`.
pub(super) fn set_int(socket: &Socket, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    let from = (&raw const value).cast();
    // SAFETY: the descriptor is open, and the kernel reads an `int` that outlives the call.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, from, INT) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The value that [`set_int`] set, or the system's default.
#[cfg(test)]
pub(super) fn get_int(socket: &Socket, level: c_int, name: c_int) -> io::Result<c_int> {
    let (mut value, mut len) = (0, INT);
    let to = (&raw mut value).cast();
    // SAFETY: the descriptor is open, and the kernel writes at most an `int` into one that outlives
    // the call.
    match unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, to, &raw mut len) } {
        0 => Ok(value),
        _ => Err(io::Error::last_os_error()),
    }
}
