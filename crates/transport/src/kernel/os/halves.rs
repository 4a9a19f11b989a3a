//! A connected socket of the kernel's, and its two halves.

use std::fmt;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use super::ends::{Ends, Place};
#[cfg(target_os = "linux")]
use super::process::PeerProcess;
#[cfg(target_os = "linux")]
use super::tcp::Mptcp;
use super::{Named, Os};
use crate::contract::boxed::BoxSocket;
use crate::contract::datagram::BoxFuture;
use crate::contract::datagram::batch::Batch;
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::send::aborted_here;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf, Shape};
use crate::kernel::addr::{self, Scheme};

/// The state that both halves share: the socket, and its `Info` once a caller has asked for it.
#[derive(Debug)]
pub(super) struct Connected {
    os: Os,
    ends: Ends,
    /// Boxed, so that connections whose `Info` is not needed stay small.
    info: OnceLock<Box<Info>>,
}

impl Connected {
    #[cfg(target_os = "linux")]
    pub(super) fn os(&self) -> &Os {
        &self.os
    }

    fn info(self: &Arc<Self>) -> &Info {
        self.info.get_or_init(|| {
            let info = self.ends.info(&self.os);
            #[cfg(target_os = "linux")]
            let info = match self.os.scheme.is_unix() && self.os.shape.is_reliable() {
                true => info.with(PeerProcess::of(Arc::downgrade(self))),
                false => info,
            };
            #[cfg(target_os = "linux")]
            let info = match self.os.multipath() {
                Some(_) => info.with(Mptcp::of(Arc::downgrade(self))),
                None => info,
            };
            Box::new(info)
        })
    }
}

/// A connected socket of the kernel's: [`TcpTransport`](crate::TcpTransport),
/// [`UdpTransport`](crate::UdpTransport), [`UnixTransport`](crate::UnixTransport),
/// [`UnixSeqpacketTransport`](crate::UnixSeqpacketTransport) and
/// [`UnixDgramTransport`](crate::UnixDgramTransport) all give it.
pub type OsSocket = Joined<OsRecv, OsSend>;

/// The receiving half of an [`OsSocket`].
pub struct OsRecv {
    shared: Arc<Connected>,
    /// The wait for an error, on a datagram socket that has waited to receive.
    trouble: Option<BoxFuture<'static, io::Result<()>>>,
}

/// The sending half of an [`OsSocket`].
#[derive(Debug)]
pub struct OsSend {
    shared: Arc<Connected>,
    /// Whether the peer of a Unix datagram socket is gone, so that the kernel has disconnected the
    /// socket.
    lost: bool,
    /// Whether this end has half-closed. The peer sees that end even if an abort follows.
    finished: bool,
    /// Whether this end has broken the connection off.
    aborted: bool,
}

impl OsSocket {
    /// The socket of `os`, which is connected.
    pub(crate) fn connected(os: Os, local: Place, peer: Place) -> Self {
        os.tell_packets_from_the_end();
        let shared = Arc::new(Connected {
            os,
            ends: Ends { local, peer },
            info: OnceLock::new(),
        });
        let recv = OsRecv {
            shared: Arc::clone(&shared),
            trouble: None,
        };
        let send = OsSend {
            shared,
            lost: false,
            finished: false,
            aborted: false,
        };
        Joined::new(recv, send)
    }

    /// The socket itself, for options that this crate does not name.
    ///
    /// Do not receive through it: once a UDP socket has received a batch, the system hands over
    /// several datagrams as one.
    pub fn as_socket(&self) -> socket2::SockRef<'_> {
        socket2::SockRef::from(self.halves().0.shared.os.socket())
    }
}

impl BoxSocket {
    /// The descriptor, if this is an [`OsSocket`] itself. It is `None` where a layer is around one:
    /// the layer may hold bytes that it read ahead, or encrypt them, so the descriptor's bytes are
    /// not those of this socket. [`downcast_ref`](BoxSocket::downcast_ref) reaches a layer that
    /// gives its inner socket.
    ///
    /// Do not receive through it: once a UDP socket has received a batch, the system hands over
    /// several datagrams as one.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.downcast_ref::<OsSocket>().map(AsFd::as_fd)
    }
}

impl AsFd for OsSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.halves().0.as_fd()
    }
}

impl AsFd for OsRecv {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.os.as_fd()
    }
}

impl AsFd for OsSend {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.os.as_fd()
    }
}

/// The case that the peer of a Unix datagram socket is gone. The kernel disconnects the socket
/// then. It could never send again, and any process that knows its name could send to it, as if it
/// were the peer.
impl Connected {
    /// Connects the socket to itself, so that no other process can send to it.
    fn hear_nobody(&self) {
        let socket = self.os.socket();
        // A socket without a name cannot be connected to itself, and needs no protection.
        let _ = socket.local_addr().map(|own| socket.connect(&own));
    }

    /// Connects to the socket that is now bound where the peer was, as a UDP socket would reach the
    /// program that has the port now.
    fn connect_again(self: &Arc<Self>) -> io::Result<()> {
        let peer = addr::unix_sockaddr(self.info().peer(), "send to")?;
        self.os
            .socket()
            .connect(&peer)
            .map_err(|error| match error.kind() {
                // A listener that goes removes its file. So a file that is missing means that no
                // listener is there.
                io::ErrorKind::NotFound => io::ErrorKind::ConnectionRefused.into(),
                _ => error,
            })
    }
}

impl Half for OsRecv {
    fn info(&self) -> &Info {
        self.shared.info()
    }
    fn shape(&self) -> Shape {
        self.shared.os.shape
    }
}

impl Half for OsSend {
    fn info(&self) -> &Info {
        self.shared.info()
    }
    fn shape(&self) -> Shape {
        self.shared.os.shape
    }
}

impl OsRecv {
    /// A datagram that was refused does not wake a task that waits to receive. So this waits for
    /// its error as well.
    fn poll_trouble(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Received>> {
        let shared = &self.shared;
        let trouble = self.trouble.get_or_insert_with(|| {
            let shared = Arc::clone(shared);
            Box::pin(async move { shared.os.trouble().await })
        });
        let error = ready!(trouble.as_mut().poll(cx));
        self.trouble = None;
        Poll::Ready(error.map(|()| Received::Data))
    }
}

impl fmt::Debug for OsRecv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OsRecv").field(&self.shared).finish()
    }
}

impl RecvHalf for OsRecv {
    fn recv_room(&self) -> usize {
        self.shared.os.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        match self.shared.os.poll_recv(cx, buf) {
            Poll::Pending if !self.shared.os.shape.is_reliable() => self.poll_trouble(cx),
            received => received,
        }
    }
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        if !self.shared.os.has_batches() {
            return batch.poll_one(self.recv_room(), |buf| self.poll_recv(cx, buf));
        }
        match self.shared.os.poll_recv_batch(cx, batch, Named::No) {
            Poll::Pending => self.poll_trouble(cx),
            received => received.map_ok(|()| Received::Data),
        }
    }
}

impl OsSend {
    /// Sends with `send`. If the Unix peer is gone, sends to the socket that has its name now.
    pub(super) fn poll_with_peer(
        &mut self,
        cx: &mut Context<'_>,
        send: impl FnOnce(&Os, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.lost {
            self.shared.connect_again()?;
            self.lost = false;
        }
        let sent = ready!(send(&self.shared.os, cx));
        if let Err(error) = &sent
            && error.kind() == io::ErrorKind::ConnectionRefused
            && self.shared.os.scheme == Scheme::UnixDgram
        {
            self.lost = true;
            self.shared.hear_nobody();
        }
        Poll::Ready(sent)
    }
}

impl SendHalf for OsSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_with_peer(cx, |os, cx| os.poll_send(cx, parts))
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        if self.shared.os.sends_runs() {
            return self.shared.os.poll_send_run(cx, bytes, size);
        }
        let first = &bytes[..size.min(bytes.len())];
        self.poll_send(cx, &[IoSlice::new(first)])
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.aborted {
            return Poll::Ready(Err(aborted_here()));
        }
        ready!(self.shared.os.poll_open(cx))?;
        self.finished = true;
        Poll::Ready(self.shared.os.finish())
    }
    fn abort(&mut self, _code: u64) -> io::Result<Aborted> {
        // The abort makes the kernel forget the ends, so the `Info` is made before it.
        let _ = self.info();
        let answer = self.shared.os.abort(self.finished)?;
        self.aborted = answer != Aborted::Nothing;
        Ok(answer)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.shared.os.abort_on_drop(on, self.finished)
    }
}
