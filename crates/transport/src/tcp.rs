//! `tcp://host:port`.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::accept::OsListener;
use crate::addr::Scheme;
use crate::connect::{connected, in_time, race, resolve};
use crate::options;
use crate::os::{Os, OsSocket};
use crate::{Endpoint, Error, Result, SocketOptions, Transport, addr};

/// TCP. Addresses are reused by default when listening, and `nodelay` is on.
#[derive(Clone, Debug, Default)]
pub struct TcpTransport {
    options: SocketOptions,
}

impl TcpTransport {
    /// With `options` for every socket; the query of an endpoint goes over them.
    pub fn new(options: SocketOptions) -> Self {
        TcpTransport { options }
    }

    fn options(&self, endpoint: &Endpoint) -> Result<SocketOptions> {
        let mut options = self.options.resolve(endpoint, options::TCP)?;
        options.nodelay.get_or_insert(true);
        Ok(options)
    }
}

fn socket_for(address: &SocketAddr) -> io::Result<Socket> {
    Socket::new(
        Domain::for_address(*address),
        Type::STREAM,
        Some(Protocol::TCP),
    )
}

#[async_trait]
impl Transport for TcpTransport {
    type Socket = OsSocket;
    type Listener = OsListener;

    fn keys(&self) -> &[&'static str] {
        options::TCP
    }

    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        Scheme::Tcp.check(to, "connect to")?;
        let options = self.options(to)?;
        in_time(to, &options, async {
            let addresses = resolve("connect to", to).await?;
            let attempt = |address| attempt(address, options.clone(), to.clone());
            let socket = race(addresses, attempt)
                .await
                .map_err(|error| Error::io("connect to", to, error))?;
            opened(socket).map_err(|error| Error::io("connect to", to, error))
        })
        .await
    }

    async fn listen(&self, at: &Endpoint) -> Result<OsListener> {
        Scheme::Tcp.check(at, "listen at")?;
        let mut options = self.options(at)?;
        options.reuse_address.get_or_insert(true);
        let mut failure = None;
        for address in resolve("listen at", at).await? {
            match listening(address, &options, at) {
                Ok(listener) => return Ok(listener),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(crate::ErrorKind::NotFound, "listen at", at)))
    }
}

async fn attempt(address: SocketAddr, options: SocketOptions, to: Endpoint) -> io::Result<Socket> {
    let socket = socket_for(&address)?;
    options.apply_before_bind(&socket, &to)?;
    connected(socket, &SockAddr::from(address)).await
}

fn opened(socket: Socket) -> io::Result<OsSocket> {
    let peer = addr::endpoint(Scheme::Tcp, &socket.peer_addr()?);
    Ok(OsSocket::new(Os::new(socket, Scheme::Tcp)?, peer))
}

/// A listening socket. Linux hands `nodelay`, `keepalive` and the buffer sizes on to the sockets that it accepts.
fn listening(address: SocketAddr, options: &SocketOptions, at: &Endpoint) -> Result<OsListener> {
    let failed = |error| Error::io("listen at", at, error);
    let socket = socket_for(&address).map_err(failed)?;
    options.apply_before_bind(&socket, at)?;
    socket.bind(&SockAddr::from(address)).map_err(failed)?;
    let backlog = options.backlog.unwrap_or(SocketOptions::DEFAULT_BACKLOG);
    socket
        .listen(i32::try_from(backlog).unwrap_or(i32::MAX))
        .map_err(failed)?;
    Ok(OsListener::new(
        Os::new(socket, Scheme::Tcp).map_err(failed)?,
        None,
    ))
}
