//! UDP: receiving and sending many datagrams with one call, and answers from the address that the
//! peer asked.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod asked;
#[cfg_attr(not(feature = "batch"), path = "no_batches.rs")]
pub(super) mod batches;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod elsewhere;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) mod offload;
pub(super) mod runs;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
use elsewhere::{asked, offload};

use std::io::{self, IoSlice};
use std::net::IpAddr;

use socket2::{SockAddr, Socket};
use tokio::io::ReadBuf;

use super::Os;
use super::calls::{check_len, send_parts_to};
use crate::contract::datagram::PeerAddr;
use crate::contract::socket::Received;
use crate::kernel::addr;

/// The receiver of a datagram, and the address of this machine from which it is sent, unless the
/// kernel chooses.
pub(super) struct Destination {
    to: SockAddr,
    from: Option<IpAddr>,
}

impl Destination {
    /// Sends with `send` from the address that the peer asked. The kernel takes only an address of
    /// this machine. If it refuses the address, because that is gone by now or is the broadcast
    /// address of a network, the kernel chooses.
    fn leave(&self, send: impl Fn(Option<IpAddr>) -> io::Result<usize>) -> io::Result<usize> {
        match send(self.from) {
            Err(error) if self.from.is_some() && is_of_the_source(&error) => send(None),
            sent => sent,
        }
    }

    /// Sends all `parts` as one datagram.
    fn send(&self, socket: &Socket, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.leave(|from| match from {
            Some(from) => asked::send(socket, parts, &self.to, from),
            None => send_parts_to(socket, parts, &self.to),
        })
    }
}

/// The errors of kernels for an address that they cannot send from. For IPv4, current kernels say
/// that there is no route from it.
fn is_of_the_source(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EINVAL | libc::ENETUNREACH | libc::EADDRNOTAVAIL)
    )
}

impl Os {
    /// From now on, answers are sent from the address that the peer asked, if the socket is bound
    /// to all addresses.
    pub(crate) fn answer_as_asked(&mut self) {
        self.told_asked = asked::tell(self.socket());
    }

    /// Receives one datagram of an unconnected socket, with its sender.
    pub(super) fn recv_from(
        &self,
        socket: &Socket,
        buf: &mut ReadBuf<'_>,
    ) -> io::Result<(Received, PeerAddr)> {
        if self.told_asked {
            asked::recv(socket, buf)
        } else {
            super::calls::recv_datagram_from(socket, buf)
        }
    }

    pub(super) fn destination(&self, to: &PeerAddr) -> io::Result<Destination> {
        Ok(Destination {
            to: addr::destination(to)?,
            // The address may come from another socket, and this one may not be bound to it.
            from: to.local().filter(|_| self.told_asked),
        })
    }

    pub(crate) fn try_send_datagram(
        &self,
        parts: &[IoSlice<'_>],
        to: &PeerAddr,
    ) -> io::Result<usize> {
        check_len(self.shape, parts)?;
        let to = self.destination(to)?;
        self.try_send(|socket| to.send(socket, parts))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
