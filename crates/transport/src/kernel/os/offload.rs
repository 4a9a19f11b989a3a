//! What Linux does with many datagrams at once: cutting what is sent into a run of them (GSO), and handing over a run in one
//! piece (GRO).

#![expect(
    unsafe_code,
    reason = "a control message and an option that no crate has; see each block"
)]

use std::io::{self, IoSlice};
use std::os::fd::AsRawFd;

use libc::{c_int, c_uint, cmsghdr, socklen_t};
use socket2::{MsgHdr, SockAddr, Socket};

/// The length of a `u16`, of a control message with one, and of that with what makes the next one aligned.
const VALUE: c_uint = 2;
const MESSAGE: usize = {
    // SAFETY: arithmetic.
    unsafe { libc::CMSG_LEN(VALUE) as usize }
};
const SPACE: usize = {
    // SAFETY: arithmetic.
    unsafe { libc::CMSG_SPACE(VALUE) as usize }
};
const INT: socklen_t = 4;

/// Sends `bytes` as datagrams of `size` bytes each, the last of which may be shorter: all or none.
pub(super) fn send_run(
    socket: &Socket,
    bytes: &[u8],
    size: u16,
    to: Option<&SockAddr>,
) -> io::Result<usize> {
    let (parts, control) = ([IoSlice::new(bytes)], segments_of(size));
    let message = MsgHdr::new().with_buffers(&parts).with_control(&control);
    let message = match to {
        Some(to) => message.with_addr(to),
        None => message,
    };
    socket.sendmsg(&message, libc::MSG_NOSIGNAL)
}

/// The control message that has the kernel cut what is sent into datagrams of `size` bytes.
fn segments_of(size: u16) -> [u8; SPACE] {
    // SAFETY: a struct of integers, all of which may be zero.
    let mut header: cmsghdr = unsafe { std::mem::zeroed() };
    header.cmsg_len = MESSAGE as _;
    header.cmsg_level = libc::SOL_UDP;
    header.cmsg_type = libc::UDP_SEGMENT;
    let mut control = [0; SPACE];
    // SAFETY: the array is longer than a header, and written to without regard to alignment.
    unsafe {
        control
            .as_mut_ptr()
            .cast::<cmsghdr>()
            .write_unaligned(header);
    };
    control[MESSAGE - size_of::<u16>()..MESSAGE].copy_from_slice(&size.to_ne_bytes());
    control
}

/// Has the kernel hand over runs of datagrams in one piece, however they are received from then on.
#[cfg(feature = "batch")]
pub(super) fn merge_received(socket: &Socket) -> io::Result<()> {
    set_int(socket, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Sets an option whose value is an `int`.
#[cfg_attr(
    not(feature = "batch"),
    allow(dead_code, reason = "only merging sets one")
)]
pub(super) fn set_int(socket: &Socket, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    let from = (&raw const value).cast();
    // SAFETY: the descriptor is open, and the kernel reads an `int` that outlives the call.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, from, INT) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What [`set_int`] set, or the system's default.
#[cfg(test)]
pub(super) fn get_int(socket: &Socket, level: c_int, name: c_int) -> io::Result<c_int> {
    let (mut value, mut len) = (0, INT);
    let to = (&raw mut value).cast();
    // SAFETY: the descriptor is open, and the kernel writes at most an `int` into one that outlives the call.
    match unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, to, &raw mut len) } {
        0 => Ok(value),
        _ => Err(io::Error::last_os_error()),
    }
}
