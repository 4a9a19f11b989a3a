//! Descriptors over a Unix socket (`SCM_RIGHTS`, unix(7)). A socket without the option
//! `descriptors` refuses them where the kernel can do so. Elsewhere the kernel closes them, since
//! it gets no room for them.

#![expect(
    unsafe_code,
    reason = "an option and control messages that no crate has; see each block"
)]

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use libc::{c_int, iovec, msghdr, socklen_t};
use socket2::{MsgHdr, SockAddr, SockAddrStorage, Socket};
use tokio::io::ReadBuf;

use super::control::{Control, space};

/// `SO_PASSRIGHTS` of Linux 6.16: whether the socket takes descriptors. Accepted sockets inherit it
/// from their listener.
const PASS_RIGHTS: c_int = if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) {
    0x5c
} else {
    83
};
const INT: socklen_t = 4;

/// `SCM_PIDFD` of Linux 6.5: a descriptor of the sender's process.
const SCM_PIDFD: c_int = 4;

/// The most descriptors in one message (`SCM_MAX_FD`).
pub(super) const MOST: usize = 253;
/// Room for those, and for the sender of a packet, which comes before them.
const SPACE: usize = space(MOST * size_of::<RawFd>()) + space(size_of::<libc::ucred>());

/// The contents of one message.
pub(crate) struct Came {
    pub(crate) len: usize,
    /// Whether something was sent: it has a sender, which the kernel was asked to tell. The end of
    /// a connection has none.
    pub(crate) is_sent: bool,
    /// Whether the rest of a datagram is lost.
    pub(crate) cut: bool,
    pub(crate) from: SockAddr,
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Whether descriptors are lost: the table of this process was full.
    pub(crate) lost: bool,
}

/// Receives into the unfilled part of `buf` with more `flags`. The caller marks it as filled.
pub(super) fn recv(socket: &Socket, buf: &mut ReadBuf<'_>, flags: c_int) -> io::Result<Came> {
    let (mut storage, mut control) = (SockAddrStorage::zeroed(), Control::<SPACE>::new());
    // SAFETY: `recvmsg` only writes into the slice, and never makes an initialised byte
    // uninitialised.
    let room = unsafe { buf.unfilled_mut() };
    let mut part = iovec {
        iov_base: room.as_mut_ptr().cast(),
        iov_len: room.len(),
    };
    // SAFETY: a struct of integers and pointers, all of which may be zero.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = (&raw mut storage).cast();
    message.msg_namelen = storage.size_of();
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.room().as_mut_ptr().cast();
    message.msg_controllen = SPACE as _;
    let flags = libc::MSG_CMSG_CLOEXEC | flags;
    // SAFETY: all pointers are to values that outlive the call, and each has its length beside it.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) };
    let len = usize::try_from(len).map_err(|_| io::Error::last_os_error())?;
    let mut descriptors = Vec::new();
    for one in control.messages(message.msg_controllen as usize) {
        match (one.level, one.kind) {
            (libc::SOL_SOCKET, libc::SCM_RIGHTS) => descriptors.extend(opened(one.data)),
            // The program has set SO_PASSPIDFD on the socket. This crate has no use for it, so it
            // is closed.
            (libc::SOL_SOCKET, SCM_PIDFD) => opened(one.data).for_each(drop),
            _ => {}
        }
    }
    let name_len = message.msg_namelen.min(storage.size_of());
    Ok(Came {
        len,
        is_sent: message.msg_controllen > 0,
        cut: message.msg_flags & libc::MSG_TRUNC != 0,
        // SAFETY: the kernel wrote an address of that length into the storage, or none of length 0.
        from: unsafe { SockAddr::new(storage, name_len) },
        descriptors,
        lost: message.msg_flags & libc::MSG_CTRUNC != 0,
    })
}

/// The descriptors of a message. A negative number is an error of the kernel, and not a descriptor.
fn opened(data: &[u8]) -> impl Iterator<Item = OwnedFd> {
    let numbers = data.as_chunks::<4>().0.iter();
    let numbers = numbers.map(|number| RawFd::from_ne_bytes(*number));
    numbers
        .filter(|number| *number >= 0)
        // SAFETY: the kernel has just opened it for this call, and no other code knows its number.
        .map(|number| unsafe { OwnedFd::from_raw_fd(number) })
}

/// Sends `parts` and `descriptors` to `to`, or else to the peer. A stream may send only a part of
/// the bytes.
pub(super) fn send(
    socket: &Socket,
    parts: &[IoSlice<'_>],
    to: Option<&SockAddr>,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<usize> {
    let mut control = Control::<SPACE>::new();
    if !descriptors.is_empty() {
        let numbers = descriptors.iter().map(|one| one.as_raw_fd().to_ne_bytes());
        let numbers: Vec<u8> = numbers.flatten().collect();
        control.push(libc::SOL_SOCKET, libc::SCM_RIGHTS, &numbers);
    }
    let message = MsgHdr::new()
        .with_buffers(parts)
        .with_control(control.as_bytes());
    let message = match to {
        Some(to) => message.with_addr(to),
        None => message,
    };
    let sent = socket.sendmsg(&message, libc::MSG_NOSIGNAL);
    sent.map_err(|error| match error.raw_os_error() {
        Some(libc::EPERM) if !descriptors.is_empty() => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the peer takes no descriptors; nothing was sent",
        ),
        _ => error,
    })
}

/// Lets the kernel refuse descriptors: a peer that passes one gets EPERM, and its message is not
/// sent. An older kernel takes and closes them.
pub(crate) fn refuse(socket: &Socket) {
    let off: c_int = 0;
    // SAFETY: the pointer is to an `int` that lives for the call, and the length is an `int`'s. An
    // option that the kernel does not know is an error, and changes nothing.
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

/// Whether a read of this stream may stop before it has taken all bytes: after a message with
/// descriptors, or where the sender changes, if the kernel is asked to note it.
pub(super) fn may_stop(socket: &Socket) -> bool {
    // A kernel that does not know the option takes descriptors.
    let descriptors = is_set(socket, PASS_RIGHTS).unwrap_or(true);
    let notes = |option| is_set(socket, option).unwrap_or(false);
    descriptors || notes(libc::SO_PASSCRED) || notes(libc::SO_PASSPIDFD)
}

/// `None` where the kernel does not know the option.
fn is_set(socket: &Socket, option: c_int) -> Option<bool> {
    let (mut value, mut len): (c_int, socklen_t) = (0, INT);
    // SAFETY: the pointers are to an `int` and to its length, both alive for the call, which writes
    // at most `len` bytes.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            (&raw mut value).cast(),
            &raw mut len,
        )
    };
    (answer == 0).then_some(value != 0)
}
