//! `udp://host:port`.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::contract::datagram::DatagramSocket;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::names::Resolve;
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::kernel::addr::Scheme;
use crate::kernel::bound::OsDatagram;
use crate::kernel::connect::in_time;
use crate::kernel::hint;
use crate::kernel::multicast;
use crate::kernel::names::{SystemResolver, resolve};
use crate::kernel::os::{self, Os, OsSocket, Place};
use crate::kernel::several::{self, NameListener};
use crate::options;
use crate::options::SocketOptions;
use crate::session::{SessionLimits, SessionListener};

/// UDP. Listening gives one socket for each peer address; [`bind`](UdpTransport::bind) gives the
/// socket itself.
///
/// On Linux, a socket that is bound to all addresses (`udp://0.0.0.0:9000`, `udp://[::]:9000`)
/// answers from the address that the peer asked. A peer that asks two addresses has a session with
/// each, and [`Half::local`](crate::Half::local) has the address of each.
///
/// To listen at a name is to listen at all its addresses, on one port. The limits of sessions apply
/// to each address. See [`NameListener`].
///
/// A socket receives only from the multicast groups that it joined itself (the option `join`). On
/// Linux this holds even if another socket of the machine has joined more.
#[derive(Clone, Debug)]
pub struct UdpTransport {
    options: SocketOptions,
    names: Arc<dyn Resolve>,
}

impl Default for UdpTransport {
    fn default() -> Self {
        UdpTransport::new(SocketOptions::default())
    }
}

impl UdpTransport {
    /// A transport with `options` for every socket. The query of an endpoint overrides them.
    pub fn new(options: SocketOptions) -> Self {
        UdpTransport {
            options,
            names: Arc::new(SystemResolver),
        }
    }

    /// The same, where `names` knows the addresses of hosts; by default the system does. It is
    /// asked when a socket is connected or bound, and never when a datagram is sent.
    #[must_use]
    pub fn resolver(mut self, names: impl Resolve) -> Self {
        self.names = Arc::new(names);
        self
    }

    /// A socket that is bound at `at` and not connected. At a name it has the first address that
    /// this machine can serve. If the name has others, a `tracing` event of level `WARN` tells that
    /// they are left out.
    ///
    /// # Errors
    /// As [`Transport::listen`].
    pub async fn bind(&self, at: &Endpoint) -> Result<OsDatagram> {
        Scheme::Udp.check(at, "listen at")?;
        let options = self.options.resolve(at, options::UDP)?;
        let addresses = resolve(&*self.names, "listen at", at).await?;
        several::at_one(at, &addresses, |address| bind(address, &options, at))
    }
}

fn bind(address: SocketAddr, options: &SocketOptions, at: &Endpoint) -> Result<OsDatagram> {
    let failed = |error| hint::failed("listen at", at, error);
    let socket = socket_for(&address).map_err(failed)?;
    options.apply_before_bind(&socket, at)?;
    multicast::only_joined(&socket, &address);
    socket.bind(&SockAddr::from(address)).map_err(failed)?;
    options.apply_after_bind(&socket, at)?;
    let (os, local) = Os::located(socket, Scheme::Udp).map_err(failed)?;
    Ok(OsDatagram::new(os, &local, None))
}

/// A socket whose peer is fixed. This needs only a route to the peer.
fn connected(address: SocketAddr, options: &SocketOptions, to: &Endpoint) -> Result<OsSocket> {
    let failed = |error| hint::failed("connect to", to, error);
    let socket = socket_for(&address).map_err(failed)?;
    options.apply_before_bind(&socket, to)?;
    socket.connect(&SockAddr::from(address)).map_err(failed)?;
    options.apply_after_bind(&socket, to)?;
    let peer = Place::Ip(address);
    let (os, local) = Os::located(socket, Scheme::Udp).map_err(failed)?;
    let local = Place::of(Scheme::Udp, &local);
    Ok(OsSocket::connected(os, local, peer))
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
    type Listener = NameListener<SessionListener<OsDatagram>>;

    fn keys(&self) -> Keys {
        options::UDP
    }

    /// Fixes the peer: datagrams of others do not arrive. It sends no datagram, so no peer can
    /// refuse it yet.
    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        Scheme::Udp.check(to, "connect to")?;
        let options = self.options.resolve(to, options::UDP)?;
        let addresses = in_time(to, &options, resolve(&*self.names, "connect to", to)).await?;
        let mut failure = None;
        for address in addresses {
            match connected(address, &options, to) {
                Ok(socket) => return Ok(socket),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::NotFound, "connect to", to)))
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        Scheme::Udp.check(at, "listen at")?;
        let options = self.options.resolve(at, options::UDP)?;
        let limits = SessionLimits::from(&options);
        let addresses = resolve(&*self.names, "listen at", at).await?;
        let bound = several::at_all(at, &addresses, |address, at| {
            let socket = bind(address, &options, at)?;
            let local = socket.local().clone();
            Ok((socket, local))
        })?;
        Ok(bound.map(|socket| SessionListener::new(socket, limits)))
    }
}
