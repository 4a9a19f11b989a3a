//! Taking a descriptor that this process was started with.

#![expect(
    unsafe_code,
    reason = "a number becomes an owned descriptor; see each block"
)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

/// No two threads take a descriptor at the same time.
static TAKING: Mutex<()> = Mutex::new(());

/// The descriptor `number`, which this process was started with. From now on it belongs to the
/// caller alone, and no child process gets it.
///
/// Descriptors that this process has opened itself are not given: Rust and tokio open all of theirs
/// with `FD_CLOEXEC`, and no descriptor that has this flag was inherited.
pub(super) fn take(number: RawFd) -> io::Result<OwnedFd> {
    let _taking = TAKING.lock().unwrap_or_else(PoisonError::into_inner);
    // SAFETY: the call reads a flag, and fails for a number that is no open descriptor.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    if flags < 0 {
        let words = format!("descriptor {number} is not open: this process was started without it");
        return Err(io::Error::new(io::ErrorKind::NotFound, words));
    }
    if flags & libc::FD_CLOEXEC != 0 {
        let words = format!(
            "descriptor {number} is not an inherited one, or was taken already: this process uses it"
        );
        return Err(io::Error::new(io::ErrorKind::AddrInUse, words));
    }
    // SAFETY: the call sets a flag of a descriptor that is open.
    if unsafe { libc::fcntl(number, libc::F_SETFD, flags | libc::FD_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and nobody owns it: without the flag it was inherited, and with the flag
    // that is set now it is never given a second time.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Makes standard output another name of standard error. What the program prints then goes there,
/// and not between the bytes of a peer.
pub(super) fn divert_output() -> io::Result<()> {
    // SAFETY: both numbers are those of the process's standard streams, which no value owns.
    match unsafe { libc::dup2(libc::STDERR_FILENO, libc::STDOUT_FILENO) } {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes standard input a stream without bytes, so that no other part of the program reads those of
/// the peer.
pub(super) fn divert_input() -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let nothing = std::fs::File::open("/dev/null")?;
    // SAFETY: the first is open until the end of this function, the second is standard input, which
    // no value owns.
    match unsafe { libc::dup2(nothing.as_raw_fd(), libc::STDIN_FILENO) } {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
