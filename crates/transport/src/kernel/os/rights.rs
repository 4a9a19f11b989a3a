//! Descriptors that a peer passes along a Unix socket (`SCM_RIGHTS`, unix(7)). Nobody here asks for any: those that come are closed
//! by the kernel, since no room is given for them, and where it can it refuses them.

#![expect(unsafe_code, reason = "an option that no crate has; see each block")]

use std::os::fd::AsRawFd;

use libc::{c_int, socklen_t};
use socket2::Socket;

/// `SO_PASSRIGHTS` of Linux 6.16: whether the socket takes descriptors. What a listener is told, those that it accepts are.
const PASS_RIGHTS: c_int = if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) {
    0x5c
} else {
    83
};
const INT: socklen_t = 4;

/// Lets the kernel refuse descriptors: the peer that passes one gets EPERM, and nothing of that message is sent. Where
/// the kernel is older they are taken and closed.
pub(crate) fn refuse(socket: &Socket) {
    let off: c_int = 0;
    // SAFETY: the pointer is to an `int` that lives for the call, and the length is an `int`'s. An option that the kernel
    // does not know is an error, and changes nothing.
    let _ = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            PASS_RIGHTS,
            (&raw const off).cast(),
            INT,
        )
    };
}

/// Whether descriptors may come: the kernel says that they may, or is too old to say.
pub(super) fn may_come(socket: &Socket) -> bool {
    let (mut passes, mut len): (c_int, socklen_t) = (0, INT);
    // SAFETY: the pointers are to an `int` and to its length, both alive for the call, which writes at most `len` bytes.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            PASS_RIGHTS,
            (&raw mut passes).cast(),
            &raw mut len,
        )
    };
    answer != 0 || passes != 0
}
