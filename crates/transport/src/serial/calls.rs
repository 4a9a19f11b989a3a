//! The calls that no crate of ours makes without `unsafe`.

#![expect(
    unsafe_code,
    reason = "ioctl(2) of serial lines, and registering a descriptor; see each block"
)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::device::Device;

/// One of the wires that a program sets by itself.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wire {
    Dtr,
    Rts,
}

/// Sets one wire, and leaves the others.
pub(super) fn set_wire(fd: BorrowedFd<'_>, wire: Wire, on: bool) -> io::Result<()> {
    let bit = match wire {
        Wire::Dtr => libc::TIOCM_DTR,
        Wire::Rts => libc::TIOCM_RTS,
    };
    let call = match on {
        true => libc::TIOCMBIS,
        false => libc::TIOCMBIC,
    };
    // SAFETY: both calls read one integer at the pointer, which is valid during the call. The
    // descriptor is borrowed, so it is open.
    match unsafe { libc::ioctl(fd.as_raw_fd(), call, &raw const bit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The number of bytes that the kernel has not handed to the device yet.
pub(super) fn unsent(fd: BorrowedFd<'_>) -> io::Result<u32> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the call writes one integer at the pointer, which is valid during the call. The
    // descriptor is borrowed, so it is open.
    match unsafe { libc::ioctl(fd.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) } {
        0 => Ok(u32::try_from(bytes).unwrap_or(0)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes the runtime tell when `device` is ready.
pub(super) fn register(device: Device) -> io::Result<AsyncFd<Device>> {
    let interest = Interest::READABLE | Interest::WRITABLE;
    debug_assert!(device.as_fd().as_raw_fd() >= 0, "a device is open");
    // SAFETY: the `AsyncFd` owns the device, which keeps one descriptor open, and the same, until
    // it is dropped.
    Ok(unsafe { AsyncFd::register_with_interest(device, interest) }?)
}
