//! Unix addresses for the kernel, as long as the kernel allows. Other libraries keep one byte for a
//! NUL, which the kernel does not need.

#![expect(
    unsafe_code,
    reason = "socket2 makes no address that fills its room; see the block"
)]

use std::io;
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use libc::{c_char, sa_family_t, sockaddr_un, socklen_t};
use socket2::{SockAddr, SockAddrStorage};

/// The position of the path or name, and its most bytes: 108 on Linux.
const PATH: usize = offset_of!(sockaddr_un, sun_path);
const MOST: usize = size_of::<sockaddr_un>() - PATH;

/// The address of a file.
pub(crate) fn of_path(path: &Path) -> io::Result<SockAddr> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.contains(&0) {
        return Err(invalid("a path has no NUL"));
    }
    if bytes.len() > MOST {
        let len = bytes.len();
        return Err(invalid(&format!(
            "its path has {len} bytes, and a Unix socket's at most {MOST}"
        )));
    }
    // A path that does not fill the room is ended by a NUL.
    let with_nul = (bytes.len() + 1).min(MOST);
    Ok(made(bytes, with_nul))
}

/// The address of a name in Linux' abstract space: a NUL, and then the name. It does not allocate,
/// since it is called for each datagram to such a name.
pub(crate) fn of_name(name: &[u8]) -> io::Result<SockAddr> {
    let mut bytes = [0; MOST];
    let Some(room) = bytes.get_mut(1..=name.len()) else {
        let (len, most) = (name.len(), MOST - 1);
        return Err(invalid(&format!(
            "its name has {len} bytes, and a Unix socket's at most {most}"
        )));
    };
    room.copy_from_slice(name);
    Ok(made(&bytes, 1 + name.len()))
}

/// The empty address: a socket that binds to it gets a free abstract name (unix(7)).
pub(crate) fn any() -> SockAddr {
    made(&[], 0)
}

/// The address of the first `len` bytes of `bytes`, which are followed by zeros.
#[allow(
    clippy::cast_possible_truncation,
    reason = "a constant of 1, and 110 at most"
)]
fn made(bytes: &[u8], len: usize) -> SockAddr {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: `sockaddr_un` is one of the addresses that the storage is for.
    let address = unsafe { storage.view_as::<sockaddr_un>() };
    address.sun_family = libc::AF_UNIX as sa_family_t;
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = *from as c_char;
    }
    // SAFETY: the storage holds a Unix address, and `PATH + len` is no more than that has bytes.
    unsafe { SockAddr::new(storage, (PATH + len.min(MOST)) as socklen_t) }
}

fn invalid(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, words)
}
