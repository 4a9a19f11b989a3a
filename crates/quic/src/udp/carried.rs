//! QUIC over any datagram socket whose peers are IP addresses.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use socketry_transport::{BoxFuture, DatagramSocket, PeerAddr, Received};
use tokio::io::ReadBuf;

use super::kernel::Poller;
use crate::lock;

/// The most errors that one receive passes over before other tasks run.
const ERRORS: usize = 16;

pub(super) struct Carried {
    socket: Arc<dyn DatagramSocket>,
    local: SocketAddr,
    /// The peer for whose datagram there was no room last.
    blocked: Mutex<Option<PeerAddr>>,
}

impl Carried {
    pub(super) fn new(socket: Arc<dyn DatagramSocket>, local: SocketAddr) -> Self {
        let blocked = Mutex::default();
        Carried {
            socket,
            local,
            blocked,
        }
    }

    /// Waits for room for what did not fit last.
    async fn writable(&self) -> io::Result<()> {
        let blocked = lock(&self.blocked).clone();
        match blocked {
            Some(peer) => self.socket.writable(&peer).await,
            None => Ok(()),
        }
    }
}

impl AsyncUdpSocket for Carried {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        let make = move || {
            let carried = Arc::clone(&self);
            Box::pin(async move { carried.writable().await }) as BoxFuture<'static, _>
        };
        Box::pin(Poller::new(make))
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let to = PeerAddr::Ip {
            address: transmit.destination,
            local: transmit.src_ip,
        };
        let parts = [IoSlice::new(transmit.contents)];
        match self.socket.try_send_to(&parts, &to) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                *lock(&self.blocked) = Some(to);
                Err(error)
            }
            // It is as if the network had lost it: QUIC sends its content again.
            Err(error) => {
                tracing::debug!(%error, "a datagram of QUIC failed");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buf), Some(meta)) = (bufs.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        for _ in 0..ERRORS {
            let mut buf = ReadBuf::new(buf);
            let (received, from) = match self.socket.poll_recv_from(cx, &mut buf) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(received)) => received,
                Poll::Ready(Err(error)) => {
                    tracing::debug!(%error, "a datagram of QUIC failed");
                    continue;
                }
            };
            let PeerAddr::Ip { address, local } = from else {
                continue;
            };
            // QUIC cannot read one that was cut, nor an empty one.
            let len = buf.filled().len();
            if received == Received::Data && len > 0 {
                *meta = RecvMeta {
                    addr: address,
                    len,
                    stride: len,
                    ecn: None,
                    dst_ip: local,
                };
                return Poll::Ready(Ok(1));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Carried({})", self.local)
    }
}
