//! Bound datagram sockets of the kernel's: UDP and Unix.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll};
use std::time::Duration;

use socket2::SockAddr;
use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::datagram::{BoxFuture, DatagramSocket, PeerAddr};
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::Received;
use crate::kernel::addr;
use crate::kernel::os::{self, Named, Os};
use crate::kernel::unix::file::SocketFile;

/// How long to wait for room in the queue of a Unix peer. It is a timer, because the system does
/// not tell of that room. It wakes a sender when there is room in its *own* buffer, so waiting for
/// that would spin.
const UNIX_RETRY: Duration = Duration::from_millis(1);

/// A bound UDP or Unix datagram socket that is not connected.
/// [`UdpTransport::bind`](crate::UdpTransport::bind) and
/// [`UnixDgramTransport::bind`](crate::UnixDgramTransport::bind) make it.
#[derive(Debug)]
pub struct OsDatagram {
    // Dropped before the socket: while the socket is open, no other server takes its file for a
    // stale one and replaces it.
    _file: Option<SocketFile>,
    os: Os,
    local: Endpoint,
}

impl OsDatagram {
    pub(crate) fn new(mut os: Os, local: &SockAddr, file: Option<SocketFile>) -> Self {
        if !os.scheme().is_unix() {
            os.answer_as_asked();
        }
        OsDatagram {
            local: addr::endpoint(os.scheme(), local),
            os,
            _file: file,
        }
    }

    #[cfg(target_os = "linux")]
    pub(crate) fn os(&self) -> &Os {
        &self.os
    }

    /// The socket itself, for options that this crate does not name.
    ///
    /// Do not receive through it: once a UDP socket has received a batch, the system hands over
    /// several datagrams as one.
    pub fn as_socket(&self) -> socket2::SockRef<'_> {
        socket2::SockRef::from(self.os.socket())
    }
}

impl AsFd for OsDatagram {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.os.as_fd()
    }
}

impl DatagramSocket for OsDatagram {
    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn max_len(&self) -> usize {
        self.os.shape().max_len().unwrap_or(usize::MAX)
    }

    fn recv_room(&self) -> usize {
        self.os.recv_room()
    }

    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>> {
        self.os.poll_recv_from(cx, buf)
    }

    fn poll_recv_batch(&self, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<io::Result<()>> {
        if self.os.has_batches() {
            return self.os.poll_recv_batch(cx, batch, Named::Yes);
        }
        batch.poll_one_from(self.recv_room(), |buf| self.poll_recv_from(cx, buf))
    }

    fn try_send_to(&self, parts: &[IoSlice<'_>], to: &PeerAddr) -> io::Result<usize> {
        if !self.os.scheme().is_unix() {
            return self.os.try_send_datagram(parts, to);
        }
        os::check_len(self.os.shape(), parts)?;
        // The room is in the queue of the peer, and the readiness of this socket says nothing about
        // it.
        os::send_parts_to(self.os.socket(), parts, &addr::destination(to)?)
    }

    fn try_send_run(&self, bytes: &[u8], size: usize, to: &PeerAddr) -> io::Result<usize> {
        if self.os.scheme().is_unix() {
            let first = &bytes[..size.min(bytes.len())];
            return self.try_send_to(&[IoSlice::new(first)], to);
        }
        self.os.try_send_run(bytes, size, to)
    }

    fn writable<'a>(&'a self, _: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>> {
        if self.os.scheme().is_unix() {
            return Box::pin(async {
                tokio::time::sleep(UNIX_RETRY).await;
                Ok(())
            });
        }
        Box::pin(self.os.writable())
    }
}
