//! The process at the other end of a Unix socket, as the kernel knows it.

#![cfg_attr(
    target_os = "linux",
    expect(
        unsafe_code,
        reason = "nothing safe asks for SO_PEERCRED of any kind of Unix socket; see the block"
    )
)]

#[cfg(target_os = "linux")]
use std::{io, os::fd::OwnedFd};

use crate::contract::socket::Credentials;

#[cfg(target_os = "linux")]
pub(crate) fn of_peer(socket: &socket2::Socket) -> Option<Credentials> {
    use std::os::fd::AsRawFd;

    let mut found = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut len = libc::socklen_t::try_from(size_of::<libc::ucred>()).ok()?;
    // SAFETY: the pointers are to a `ucred` and to its length, both alive for the call, and
    // `SO_PEERCRED` writes at most `len` bytes of a plain C struct.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &raw mut len,
        )
    };
    // The kernel answers with uid -1 for a socket without a single peer, such as a bound datagram
    // socket. It answers with pid 0 for a process that this one cannot see, in another container
    // perhaps.
    (answer == 0 && found.uid != u32::MAX).then_some(Credentials {
        uid: found.uid,
        gid: found.gid,
        pid: (found.pid != 0).then_some(found.pid),
    })
}

/// The user of this process, as its peers see it.
#[cfg(target_os = "linux")]
pub(crate) fn own_uid() -> u32 {
    // SAFETY: the call takes nothing, and cannot fail.
    unsafe { libc::geteuid() }
}

/// A descriptor of the process that connected, or that accepted (`SO_PEERPIDFD`).
#[cfg(target_os = "linux")]
pub(crate) fn process_of_peer(socket: &socket2::Socket) -> io::Result<OwnedFd> {
    use std::os::fd::{AsRawFd, FromRawFd};

    let mut found: libc::c_int = -1;
    let mut len = libc::socklen_t::try_from(size_of::<libc::c_int>()).map_err(io::Error::other)?;
    // SAFETY: the pointers are to an integer and to its length, both alive for the call, and
    // `SO_PEERPIDFD` writes one descriptor there.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERPIDFD,
            (&raw mut found).cast(),
            &raw mut len,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made this descriptor for this call, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(found) })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn of_peer(_: &socket2::Socket) -> Option<Credentials> {
    None
}
