//! Descriptors with the datagrams of a Unix socket that is not connected.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::os::fd::{BorrowedFd, OwnedFd};

use tokio::io::ReadBuf;

use crate::contract::datagram::{DatagramSocket, PeerAddr};
use crate::contract::socket::Received;
use crate::kernel::addr;
use crate::kernel::bound::OsDatagram;

/// A datagram and its descriptors, from [`OsDatagram::recv_with`].
#[derive(Debug)]
#[non_exhaustive]
pub struct WithDescriptors {
    /// How many bytes of the buffer it filled.
    pub len: usize,
    /// Whether the datagram was cut.
    pub received: Received,
    /// The peer that sent it.
    pub from: PeerAddr,
    /// Its descriptors, in the order of the sender.
    pub descriptors: Vec<OwnedFd>,
    /// Whether there were more, which were closed: more than the option `descriptors` says, or than
    /// this process has room for.
    pub closed: bool,
}

impl OsDatagram {
    /// Receives one datagram into `buf`, with at most as many descriptors as the option
    /// `descriptors` says. If a datagram is received in another way, its descriptors are closed.
    /// Cancel-safe.
    ///
    /// # Errors
    /// As [`poll_recv_from`](DatagramSocket::poll_recv_from); `InvalidInput` without the option.
    pub async fn recv_with(&self, buf: &mut [u8]) -> io::Result<WithDescriptors> {
        let most = self.os().passes_at_most().ok_or_else(|| {
            let words = "this socket takes no descriptors; it needs the option descriptors=8, say";
            io::Error::new(io::ErrorKind::InvalidInput, words)
        })?;
        let mut buf = ReadBuf::new(buf);
        let receiving = poll_fn(|cx| self.os().poll_recv_with(cx, &mut buf));
        let (received, came) = receiving.await?;
        let mut descriptors = came.descriptors;
        let closed = came.lost || descriptors.len() > most;
        descriptors.truncate(most);
        Ok(WithDescriptors {
            len: buf.filled().len(),
            received,
            from: addr::peer_addr(&came.from),
            descriptors,
            closed,
        })
    }

    /// Sends one datagram with `descriptors`, of which the peer gets copies, waiting for room.
    /// Cancel-safe: it is sent whole or not at all.
    ///
    /// # Errors
    /// As [`try_send_to`](DatagramSocket::try_send_to), except `WouldBlock`; and as
    /// [`OsSend::send_with`](crate::OsSend::send_with).
    pub async fn send_with(
        &self,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
        to: &PeerAddr,
    ) -> io::Result<usize> {
        let (address, parts) = (addr::destination(to)?, [IoSlice::new(bytes)]);
        loop {
            let sent = self
                .os()
                .send_with(self.os().socket(), &parts, Some(&address), descriptors);
            match sent {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.writable(to).await?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }
}
