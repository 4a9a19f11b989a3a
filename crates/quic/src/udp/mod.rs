//! The datagram socket below a connection: the kernel's UDP socket, or any other.

mod carried;
mod kernel;

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::sync::Arc;

use quinn::{AsyncUdpSocket, EndpointConfig, ServerConfig, TokioRuntime};
use socketry_transport::{
    DatagramSocket, Endpoint, Error, ErrorKind, Result, Transport, UdpTransport,
};
use tokio::sync::Notify;

use crate::config::{Quic, udp};
use carried::Carried;
use kernel::Kernel;

/// A socket below QUIC, and where it is.
pub(crate) struct Below {
    socket: Arc<dyn AsyncUdpSocket>,
    pub(crate) local: SocketAddr,
    refused: Arc<Notify>,
}

impl Below {
    fn kernel(socket: UdpSocket, at: &Endpoint, action: &'static str) -> Result<Self> {
        let failed = |error| Error::io(action, at, error);
        let refused = Arc::<Notify>::default();
        let kernel = Kernel::new(socket, Arc::clone(&refused)).map_err(failed)?;
        Ok(Below {
            local: kernel.local_addr().map_err(failed)?,
            socket: Arc::new(kernel),
            refused,
        })
    }

    fn carried(socket: Arc<dyn DatagramSocket>) -> Result<Self> {
        let local = socket.local().clone();
        let at = local.socket_addr().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "carry QUIC over", &local)
                .because("its address is no IP address")
        })?;
        Ok(Below {
            local: at,
            socket: Arc::new(Carried::new(socket, at)),
            refused: Arc::default(),
        })
    }

    /// The endpoint of the library below, which answers clients if it has a `server`.
    pub(crate) fn endpoint(&self, server: Option<ServerConfig>) -> io::Result<quinn::Endpoint> {
        quinn::Endpoint::new_with_abstract_socket(
            EndpointConfig::default(),
            server,
            Arc::clone(&self.socket),
            Arc::new(TokioRuntime),
        )
    }

    /// Resolves when the system says that nobody listens at the peer's address.
    pub(crate) async fn refused(&self) {
        self.refused.notified().await;
    }
}

/// A socket for a connection to `peer`, with the options of `to`. One of the kernel is connected:
/// so it learns that nobody listens, and gets datagrams of the peer alone.
pub(crate) async fn towards(quic: &Quic, to: &Endpoint, peer: SocketAddr) -> Result<Below> {
    if let Some(bind) = quic.binding() {
        let any: SocketAddr = match peer {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        return Below::carried(bind(Endpoint::new(to.scheme(), any)?).await?);
    }
    let socket = UdpTransport::default().connect(&udp(to, peer)?).await;
    let socket = socket.map_err(|error| named(error, "connect to", to))?;
    Below::kernel(own(&socket, to, "connect to")?, to, "connect to")
}

/// A socket that is bound to `address`, with the options of `at`.
pub(crate) async fn bound(quic: &Quic, at: &Endpoint, address: SocketAddr) -> Result<Below> {
    if let Some(bind) = quic.binding() {
        return Below::carried(bind(Endpoint::new(at.scheme(), address)?).await?);
    }
    let socket = UdpTransport::default().bind(&udp(at, address)?).await;
    let socket = socket.map_err(|error| named(error, "listen at", at))?;
    Below::kernel(own(&socket, at, "listen at")?, at, "listen at")
}

/// The kernel's socket itself, for the library below.
fn own(socket: &impl AsFd, at: &Endpoint, action: &'static str) -> Result<UdpSocket> {
    let cloned = socket.as_fd().try_clone_to_owned();
    let cloned = cloned.map_err(|error| Error::io(action, at, error))?;
    Ok(UdpSocket::from(cloned))
}

/// An error of the socket below, as one of the URL that the user wrote.
fn named(error: Error, action: &'static str, at: &Endpoint) -> Error {
    let place = at.clone().without_query();
    let kind = error.kind();
    let Some(held) = error.into_inner() else {
        return Error::new(kind, action, &place);
    };
    match held.downcast::<io::Error>() {
        Ok(system) => Error::io(action, &place, *system),
        Err(held) => Error::new(kind, action, &place).caused_by(held),
    }
}
