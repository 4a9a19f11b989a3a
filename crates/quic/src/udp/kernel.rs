//! The kernel's UDP socket.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use quinn::udp::{RecvMeta, Transmit, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};
use socketry_transport::BoxFuture;
use tokio::io::Interest;
use tokio::sync::Notify;

use crate::lock;

/// With segmentation, coalescing and notices of congestion, where the system has them.
pub(super) struct Kernel {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
    /// Told when the system says that nobody listens at the peer's address. The library below does
    /// not want to know: after the handshake anybody may have forged that.
    refused: Arc<Notify>,
}

impl Kernel {
    pub(super) fn new(socket: UdpSocket, refused: Arc<Notify>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Kernel {
            state: UdpSocketState::new((&socket).into())?,
            io: tokio::net::UdpSocket::from_std(socket)?,
            refused,
        })
    }

    fn note(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            self.refused.notify_one();
        } else {
            tracing::debug!(%error, "a datagram of QUIC failed");
        }
    }
}

impl AsyncUdpSocket for Kernel {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        let make = move || {
            let socket = Arc::clone(&self);
            Box::pin(async move { socket.io.writable().await }) as BoxFuture<'static, _>
        };
        Box::pin(Poller::new(make))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let send = || self.state.try_send((&self.io).into(), transmit);
        match self.io.try_io(Interest::WRITABLE, send) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            // It is as if the network had lost it: QUIC sends its content again.
            Err(error) => {
                self.note(&error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            let recv = || self.state.recv((&self.io).into(), bufs, meta);
            match self.io.try_io(Interest::READABLE, recv) {
                Ok(count) => return Poll::Ready(Ok(count)),
                // Each is of one datagram that was sent, and there are no more than of those.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => self.note(&error),
                Err(_) => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kernel({:?})", self.io)
    }
}

/// Waits for room, again and again, with a future that `make` makes for each time.
pub(super) struct Poller<M> {
    make: M,
    /// Behind a lock that only its owner takes, since a future need not be `Sync`.
    waiting: Mutex<Option<BoxFuture<'static, io::Result<()>>>>,
}

impl<M: Fn() -> BoxFuture<'static, io::Result<()>>> Poller<M> {
    pub(super) fn new(make: M) -> Self {
        let waiting = Mutex::default();
        Poller { make, waiting }
    }
}

impl<M> UdpPoller for Poller<M>
where
    M: Fn() -> BoxFuture<'static, io::Result<()>> + Send + Sync + Unpin + 'static,
{
    fn poll_writable(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut waiting = lock(&self.waiting);
        let done = ready!(waiting.get_or_insert_with(&self.make).as_mut().poll(cx));
        *waiting = None;
        Poll::Ready(done)
    }
}

impl<M> fmt::Debug for Poller<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Poller")
    }
}
