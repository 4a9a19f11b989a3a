//! `udp://host:port`.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::kernel::addr;
use crate::kernel::addr::Scheme;
use crate::kernel::bound::OsDatagram;
use crate::kernel::connect::{in_time, resolve};
use crate::kernel::hint;
use crate::kernel::multicast;
use crate::kernel::os::{self, Os, OsSocket};
use crate::options;
use crate::options::SocketOptions;
use crate::session::{SessionLimits, SessionListener};

/// UDP. Listening gives one socket for each peer address; [`bind`](UdpTransport::bind) gives the
/// socket itself.
///
/// On Linux, a socket that is bound to all addresses (`udp://0.0.0.0:9000`, `udp://[::]:9000`)
/// answers from the address that was asked. A peer that asks two of them has a session with each,
/// and [`Half::local`](crate::Half::local) says with which.
///
/// Of multicast groups, a socket hears those that it joined itself (the option `join`), on Linux also
/// where another socket of the machine has joined more.
#[derive(Clone, Debug, Default)]
pub struct UdpTransport {
    options: SocketOptions,
}

impl UdpTransport {
    /// With `options` for every socket; the query of an endpoint goes over them.
    pub fn new(options: SocketOptions) -> Self {
        UdpTransport { options }
    }

    /// A socket that is bound at `at` and connected to nobody.
    ///
    /// # Errors
    /// As [`Transport::listen`].
    pub async fn bind(&self, at: &Endpoint) -> Result<OsDatagram> {
        Scheme::Udp.check(at, "listen at")?;
        bind(at, &self.options.resolve(at, options::UDP)?).await
    }
}

async fn bind(at: &Endpoint, options: &SocketOptions) -> Result<OsDatagram> {
    let address = first(resolve("listen at", at).await?, at)?;
    let failed = |error| hint::failed("listen at", at, error);
    let socket = socket_for(&address).map_err(failed)?;
    options.apply_before_bind(&socket, at)?;
    multicast::only_joined(&socket, &address);
    socket.bind(&SockAddr::from(address)).map_err(failed)?;
    options.apply_after_bind(&socket, at)?;
    let (os, local) = Os::located(socket, Scheme::Udp).map_err(failed)?;
    Ok(OsDatagram::new(os, local, None))
}

/// A socket whose peer is fixed: a route to it is all that this needs.
fn connected(address: SocketAddr, options: &SocketOptions, to: &Endpoint) -> Result<OsSocket> {
    let failed = |error| hint::failed("connect to", to, error);
    let socket = socket_for(&address).map_err(failed)?;
    options.apply_before_bind(&socket, to)?;
    socket.connect(&SockAddr::from(address)).map_err(failed)?;
    options.apply_after_bind(&socket, to)?;
    let peer = addr::endpoint(Scheme::Udp, &SockAddr::from(address));
    let (os, local) = Os::located(socket, Scheme::Udp).map_err(failed)?;
    Ok(OsSocket::connected(os, local, peer))
}

fn first(addresses: Vec<SocketAddr>, endpoint: &Endpoint) -> Result<SocketAddr> {
    let none = || Error::new(ErrorKind::NotFound, "use", endpoint);
    addresses.into_iter().next().ok_or_else(none)
}

fn socket_for(address: &SocketAddr) -> io::Result<Socket> {
    os::open(
        Domain::for_address(*address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )
}

#[async_trait]
impl Transport for UdpTransport {
    type Socket = OsSocket;
    type Listener = SessionListener<OsDatagram>;

    fn keys(&self) -> Keys {
        options::UDP
    }

    /// Fixes the peer: datagrams of others do not arrive. Nothing is sent, so nothing can be
    /// refused yet.
    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        Scheme::Udp.check(to, "connect to")?;
        let options = self.options.resolve(to, options::UDP)?;
        let addresses = in_time(to, &options, resolve("connect to", to)).await?;
        let mut failure = None;
        for address in addresses {
            match connected(address, &options, to) {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "connect to", to)))
    }

    async fn listen(&self, at: &Endpoint) -> Result<SessionListener<OsDatagram>> {
        Scheme::Udp.check(at, "listen at")?;
        let options = self.options.resolve(at, options::UDP)?;
        let limits = SessionLimits::from(&options);
        Ok(SessionListener::new(bind(at, &options).await?, limits))
    }
}
