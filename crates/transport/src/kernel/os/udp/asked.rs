//! Answering from the address that the peer asked. For a socket that is bound to all addresses of a
//! machine, the kernel tells to which one a datagram was sent. With an answer, the socket tells the
//! kernel from which one to send it (`IP_PKTINFO`, ip(7), and `IPV6_PKTINFO`, RFC 3542).
//!
//! Without it the kernel chooses by its routes. A client that asked another address then takes the
//! answer for that of another machine.

#![expect(
    unsafe_code,
    reason = "receiving into memory that was not cleared first; see the block"
)]

use std::io::{self, IoSlice};
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libc::{in_pktinfo, in6_pktinfo};
use socket2::{MaybeUninitSlice, MsgHdr, MsgHdrMut, SockAddr, SockAddrStorage, Socket};
use tokio::io::ReadBuf;

use super::super::calls::{WHOLE_LEN, filled};
use super::super::control::{Control, Message, space};
use super::offload;
use crate::contract::datagram::PeerAddr;
use crate::contract::socket::Received;

/// The room for the control message of either family.
pub(super) const SPACE: usize = space(size_of::<in6_pktinfo>());

/// Has the kernel tell to which address each datagram was sent, if `socket` is bound to all
/// addresses. Gives whether it does.
pub(super) fn tell(socket: &Socket) -> bool {
    let told = match socket.local_addr().ok().and_then(|at| at.as_socket()) {
        Some(at) if !at.ip().is_unspecified() => return false,
        Some(at) if at.is_ipv4() => offload::set_int(socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
        // This covers IPv4 peers of an IPv6 socket too: their addresses are mapped.
        Some(_) => offload::set_int(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1),
        None => return false,
    };
    told.is_ok()
}

/// Receives one datagram, with its sender and the address that the sender asked.
pub(super) fn recv(socket: &Socket, buf: &mut ReadBuf<'_>) -> io::Result<(Received, PeerAddr)> {
    let storage = SockAddrStorage::zeroed();
    let len = storage.size_of();
    // SAFETY: zeros are an address, of no family, and the length is the storage's.
    let mut from = unsafe { SockAddr::new(storage, len) };
    let mut control = Control::<SPACE>::new();
    // SAFETY: `recvmsg` only writes into the slice, and never makes an initialised byte
    // uninitialised.
    let mut parts = [MaybeUninitSlice::new(unsafe { buf.unfilled_mut() })];
    let mut message = MsgHdrMut::new()
        .with_addr(&mut from)
        .with_buffers(&mut parts)
        .with_control(control.room());
    let len = socket.recvmsg(&mut message, WHOLE_LEN)?;
    let (cut, told) = (message.flags().is_truncated(), message.control_len());
    let local = control.messages(told).find_map(|message| local(&message));
    let from = match from.as_socket() {
        Some(from) => PeerAddr::asking(from, local),
        None => PeerAddr::Unnamed,
    };
    Ok((filled(buf, len, cut), from))
}

/// The address that the peer asked, if the control message has it.
fn local(message: &Message<'_>) -> Option<IpAddr> {
    match (message.level, message.kind) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            let at = offset_of!(in_pktinfo, ipi_addr);
            let octets = message.data.get(at..)?.first_chunk::<4>()?;
            Some(Ipv4Addr::from(*octets).into())
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            let at = offset_of!(in6_pktinfo, ipi6_addr);
            let octets = message.data.get(at..)?.first_chunk::<16>()?;
            Some(Ipv6Addr::from(*octets).into())
        }
        _ => None,
    }
}

/// Has the kernel send the datagram from the address `from`, over the interface that leads to its
/// destination.
pub(super) fn leave_from<const N: usize>(control: &mut Control<N>, from: IpAddr) {
    match from {
        IpAddr::V4(from) => {
            let mut info = [0; size_of::<in_pktinfo>()];
            let at = offset_of!(in_pktinfo, ipi_spec_dst);
            info[at..at + 4].copy_from_slice(&from.octets());
            control.push(libc::IPPROTO_IP, libc::IP_PKTINFO, &info);
        }
        IpAddr::V6(from) => {
            let mut info = [0; size_of::<in6_pktinfo>()];
            let at = offset_of!(in6_pktinfo, ipi6_addr);
            info[at..at + 16].copy_from_slice(&from.octets());
            control.push(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &info);
        }
    }
}

/// Sends all `parts` as one datagram to `to`, from the address `from`.
pub(super) fn send(
    socket: &Socket,
    parts: &[IoSlice<'_>],
    to: &SockAddr,
    from: IpAddr,
) -> io::Result<usize> {
    let mut control = Control::<SPACE>::new();
    leave_from(&mut control, from);
    let message = MsgHdr::new()
        .with_addr(to)
        .with_buffers(parts)
        .with_control(control.as_bytes());
    socket.sendmsg(&message, libc::MSG_NOSIGNAL)
}
