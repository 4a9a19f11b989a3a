//! The calls to the kernel that move bytes, with the flags that std and tokio hide.

#![expect(
    unsafe_code,
    reason = "memory that was not cleared first, an address of no family; see each block"
)]

use std::io::{self, IoSlice};

#[cfg(target_os = "linux")]
use socket2::SockAddrStorage;
use socket2::{MaybeUninitSlice, SockAddr};
use tokio::io::ReadBuf;

use crate::contract::datagram::PeerAddr;
use crate::contract::socket::{Cut, Received, Shape};
use crate::kernel::addr;

/// How many parts one call takes (`IOV_MAX` on Linux).
const MAX_PARTS: usize = 1024;
/// Has the kernel answer with the length of a datagram that it cuts (recv(2)).
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) const WHOLE_LEN: libc::c_int = libc::MSG_TRUNC;
/// Other kernels answer with the bytes that fit.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) const WHOLE_LEN: libc::c_int = 0;

/// Refuses a message or datagram that the system would refuse. The error says how long it is and
/// how long it may be.
pub(crate) fn check_len(shape: Shape, parts: &[IoSlice<'_>]) -> io::Result<()> {
    let Some(max_len) = shape.max_len() else {
        return Ok(());
    };
    let len: usize = parts.iter().map(|part| part.len()).sum();
    if len <= max_len {
        return Ok(());
    }
    let what = match shape.is_reliable() {
        true => "a message",
        false => "a datagram",
    };
    let words = format!("{what} of {len} bytes is above this socket's {max_len}; nothing was sent");
    Err(io::Error::new(io::ErrorKind::InvalidInput, words))
}

/// Receives some bytes of a stream; no bytes mean its end.
pub(super) fn recv_some(socket: &socket2::Socket, buf: &mut ReadBuf<'_>) -> io::Result<usize> {
    // SAFETY: `recv` only writes into the slice, and never makes an initialised byte uninitialised.
    let len = socket.recv(unsafe { buf.unfilled_mut() })?;
    // SAFETY: the kernel wrote the first `len` bytes of the slice.
    unsafe { buf.assume_init(len) };
    buf.advance(len);
    Ok(len)
}

pub(super) fn recv_datagram(
    socket: &socket2::Socket,
    buf: &mut ReadBuf<'_>,
) -> io::Result<Received> {
    // SAFETY: `recvmsg` only writes into the slice, and never makes an initialised byte
    // uninitialised.
    let room = unsafe { buf.unfilled_mut() };
    let (len, flags) =
        socket.recv_vectored_with_flags(&mut [MaybeUninitSlice::new(room)], WHOLE_LEN)?;
    Ok(filled(buf, len, flags.is_truncated()))
}

/// Receives one datagram of an unconnected socket, with its sender.
pub(super) fn recv_datagram_from(
    socket: &socket2::Socket,
    buf: &mut ReadBuf<'_>,
) -> io::Result<(Received, PeerAddr)> {
    // SAFETY: `recvmsg` only writes into the slice, and never makes an initialised byte
    // uninitialised.
    let room = unsafe { buf.unfilled_mut() };
    let (len, flags, from) =
        socket.recv_from_vectored_with_flags(&mut [MaybeUninitSlice::new(room)], WHOLE_LEN)?;
    Ok((
        filled(buf, len, flags.is_truncated()),
        addr::peer_addr(&from),
    ))
}

/// Notes what a call received into `buf`: `len` bytes, or as many as there is room for.
pub(super) fn filled(buf: &mut ReadBuf<'_>, len: usize, cut: bool) -> Received {
    let room = len.min(buf.remaining());
    // SAFETY: the caller's `recvmsg` wrote the first `room` bytes of the unfilled part.
    unsafe { buf.assume_init(room) };
    buf.advance(room);
    match cut {
        true => Received::Cut(Cut {
            room,
            len: Some(len).filter(|len| *len > room),
        }),
        false => Received::Data,
    }
}

pub(super) fn send_parts(
    socket: &socket2::Socket,
    parts: &[IoSlice<'_>],
    stream: bool,
) -> io::Result<usize> {
    match parts {
        [part] => socket.send_with_flags(part, libc::MSG_NOSIGNAL),
        parts if stream => socket.send_vectored_with_flags(stream_parts(parts), libc::MSG_NOSIGNAL),
        parts => socket.send_vectored_with_flags(parts, libc::MSG_NOSIGNAL),
    }
}

/// The `parts` of a stream that one call sends: the system refuses more of them with EMSGSIZE. They
/// begin with the first that has bytes. A call that sends no byte would look as if the peer took
/// none.
pub(super) fn stream_parts<'a, 'b>(parts: &'a [IoSlice<'b>]) -> &'a [IoSlice<'b>] {
    let begin = parts.iter().position(|part| !part.is_empty());
    let parts = &parts[begin.unwrap_or(0)..];
    &parts[..parts.len().min(MAX_PARTS)]
}

/// Sends all `parts` as one datagram to `to`.
pub(crate) fn send_parts_to(
    socket: &socket2::Socket,
    parts: &[IoSlice<'_>],
    to: &SockAddr,
) -> io::Result<usize> {
    match parts {
        [part] => socket.send_to_with_flags(part, to, libc::MSG_NOSIGNAL),
        parts => socket.send_to_vectored_with_flags(parts, to, libc::MSG_NOSIGNAL),
    }
}

/// Disconnects the socket: TCP sends a reset to the peer.
#[cfg(target_os = "linux")]
pub(super) fn disconnect(socket: &socket2::Socket) -> io::Result<()> {
    let nobody = SockAddrStorage::zeroed();
    let len = nobody.size_of();
    // SAFETY: zeros are a valid address, of the family AF_UNSPEC, and as long as the storage.
    let nobody = unsafe { SockAddr::new(nobody, len) };
    socket.connect(&nobody)
}
