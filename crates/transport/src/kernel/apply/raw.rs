//! Options that no crate below sets or reads.

#![expect(
    unsafe_code,
    reason = "socket2 has no TCP Fast Open, no interfaces of packets, no MPTCP; see each block"
)]

use std::ffi::CStr;
use std::io;
use std::os::fd::AsRawFd;

use libc::{c_int, socklen_t};
use socket2::SockRef;

/// Sets an option to a value of these bytes.
pub(super) fn set(socket: &SockRef<'_>, level: c_int, name: c_int, value: &[u8]) -> io::Result<()> {
    let len = socklen_t::try_from(value.len()).map_err(io::Error::other)?;
    // SAFETY: the pointer and the length are those of a slice that lives until the call returns,
    // and the kernel only reads it.
    let answer =
        unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value.as_ptr().cast(), len) };
    match answer {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Reads an option of at most `N` bytes. The rest of them are zeros.
pub(super) fn get<const N: usize>(
    socket: &SockRef<'_>,
    level: c_int,
    name: c_int,
) -> io::Result<[u8; N]> {
    let mut value = [0; N];
    let mut len = socklen_t::try_from(N).map_err(io::Error::other)?;
    // SAFETY: the pointers are to an array of `len` bytes and to that length, both alive for the
    // call, and the kernel writes at most `len` bytes of the array.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            value.as_mut_ptr().cast(),
            &raw mut len,
        )
    };
    match answer {
        0 => Ok(value),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The name of the interface with this number, if there is one.
pub(super) fn interface_name(index: u32) -> Option<String> {
    let mut room = [0_u8; libc::IF_NAMESIZE];
    // SAFETY: the room is as long as the call demands, and lives until it returns.
    let found = unsafe { libc::if_indextoname(index, room.as_mut_ptr().cast()) };
    let name = CStr::from_bytes_until_nul(&room).ok()?;
    (!found.is_null()).then(|| name.to_string_lossy().into_owned())
}
