//! `tcp://host:port`.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::names::Resolve;
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::contract::transport::listener::Listener;
use crate::kernel::accept::OsListener;
use crate::kernel::addr::Scheme;
use crate::kernel::connect::{begin, in_time, race, settled};
use crate::kernel::hint;
use crate::kernel::names::{SystemResolver, resolve};
use crate::kernel::os::{self, Os, OsSocket, Place};
use crate::kernel::several::{self, NameListener};
use crate::options;
use crate::options::SocketOptions;

/// TCP. Addresses are reused by default when listening, and `nodelay` is on.
///
/// To listen at a name is to listen at all its addresses, on one port: see [`NameListener`].
#[derive(Clone, Debug)]
pub struct TcpTransport {
    options: SocketOptions,
    names: Arc<dyn Resolve>,
}

impl Default for TcpTransport {
    fn default() -> Self {
        TcpTransport::new(SocketOptions::default())
    }
}

impl TcpTransport {
    /// A transport with `options` for every socket. The query of an endpoint overrides them.
    pub fn new(options: SocketOptions) -> Self {
        TcpTransport {
            options,
            names: Arc::new(SystemResolver),
        }
    }

    /// The same, where `names` knows the addresses of hosts; by default the system does.
    #[must_use]
    pub fn resolver(mut self, names: impl Resolve) -> Self {
        self.names = Arc::new(names);
        self
    }

    fn options(&self, endpoint: &Endpoint) -> Result<SocketOptions> {
        let mut options = self.options.resolve(endpoint, options::TCP)?;
        options.nodelay.get_or_insert(true);
        Ok(options)
    }
}

fn socket_for(address: &SocketAddr, protocol: Protocol) -> io::Result<Socket> {
    os::open(Domain::for_address(*address), Type::STREAM, Some(protocol))
}

/// A new socket of TCP, or of MPTCP, which the system may not have.
fn opened(
    address: &SocketAddr,
    options: &SocketOptions,
    at: &Endpoint,
    failed: impl Fn(io::Error) -> Error,
) -> Result<Socket> {
    if options.mptcp != Some(true) {
        return socket_for(address, Protocol::TCP).map_err(failed);
    }
    #[cfg(target_os = "linux")]
    return socket_for(address, Protocol::MPTCP).map_err(|error| match error.raw_os_error() {
        Some(code) if NO_MULTIPATH.contains(&code) => no_multipath(at).caused_by(error),
        _ => failed(error),
    });
    #[cfg(not(target_os = "linux"))]
    Err(no_multipath(at))
}

/// What Linux answers where MPTCP is not built in, or is switched off.
#[cfg(target_os = "linux")]
const NO_MULTIPATH: [i32; 3] = [
    libc::EPROTONOSUPPORT,
    libc::ENOPROTOOPT,
    // Linux before 5.6 looks for a protocol of this number.
    libc::EINVAL,
];

fn no_multipath(at: &Endpoint) -> Error {
    Error::new(ErrorKind::Unsupported, "set option mptcp on", at)
        .because("this system has no MPTCP, or has switched it off")
        .hint("Linux has it from 5.6 on: sysctl -w net.mptcp.enabled=1; or leave mptcp out")
}

#[async_trait]
impl Transport for TcpTransport {
    type Socket = OsSocket;
    type Listener = NameListener<OsListener>;

    fn keys(&self) -> Keys {
        options::TCP
    }

    async fn connect(&self, to: &Endpoint) -> Result<OsSocket> {
        Scheme::Tcp.check(to, "connect to")?;
        let options = self.options(to)?;
        let connecting = pin!(async {
            let addresses = resolve(&*self.names, "connect to", to).await?;
            let attempt = |address| attempt(prepared(address, &options, to), address);
            race(addresses, attempt)
                .await
                .map(|(os, ends)| {
                    let [local, peer] = ends.map(|end| Place::of(Scheme::Tcp, &end));
                    OsSocket::connected(noting(os, &options), local, peer)
                })
                .map_err(|error| hint::failed("connect to", to, error))
        });
        in_time(to, &options, connecting).await
    }

    async fn listen(&self, at: &Endpoint) -> Result<NameListener<OsListener>> {
        Scheme::Tcp.check(at, "listen at")?;
        let mut options = self.options(at)?;
        options.reuse_address.get_or_insert(true);
        let addresses = resolve(&*self.names, "listen at", at).await?;
        several::at_all(at, &addresses, |address, at| {
            let listener = listening(address, &options, at)?;
            let local = listener.local().clone();
            Ok((listener, local))
        })
    }
}

fn prepared(address: SocketAddr, options: &SocketOptions, to: &Endpoint) -> io::Result<Socket> {
    let failed = |error| hint::failed("connect to", to, error);
    let socket = opened(&address, options, to, failed)?;
    options.apply_before_bind(&socket, to)?;
    options.apply_before_connect(&socket, to)?;
    Ok(socket)
}

/// A connected socket that knows how it was opened.
fn noting(mut os: Os, options: &SocketOptions) -> Os {
    if options.fastopen == Some(true) {
        os = os.opening_fast();
    }
    if options.mptcp == Some(true) {
        os = os.over_multipath(Vec::new());
    }
    os
}

/// A connected socket, its local address, and the peer's address. The latter differs from `address`
/// if that is `0.0.0.0`.
async fn attempt(
    prepared: io::Result<Socket>,
    address: SocketAddr,
) -> io::Result<(Os, [SockAddr; 2])> {
    let socket = prepared?;
    let done = begin(&socket, &SockAddr::from(address))?;
    let os = settled(socket, Scheme::Tcp, done).await?;
    let peer = if address.ip().to_canonical().is_unspecified() {
        os.socket().peer_addr()?
    } else {
        SockAddr::from(address)
    };
    // To connect to a free port of this machine may connect the socket to itself (a simultaneous
    // open), if the system chooses that port for it. No server listens there.
    let local = os.socket().local_addr()?;
    if local == peer {
        return Err(io::Error::from_raw_os_error(libc::ECONNREFUSED));
    }
    Ok((os, [local, peer]))
}

/// A listening socket. Linux hands most options on to the sockets that it accepts.
fn listening(address: SocketAddr, options: &SocketOptions, at: &Endpoint) -> Result<OsListener> {
    let failed = |error| hint::failed("listen at", at, error);
    let socket = opened(&address, options, at, failed)?;
    options.apply_before_listen(&socket, at)?;
    socket.bind(&SockAddr::from(address)).map_err(failed)?;
    let backlog = options.backlog.unwrap_or(SocketOptions::DEFAULT_BACKLOG);
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    options.apply_to_backlog(&socket, backlog, at)?;
    socket.listen(backlog).map_err(failed)?;
    let (os, local) = Os::located(socket, Scheme::Tcp).map_err(failed)?;
    Ok(OsListener::new(os, &local, None).giving(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A listener whose queue is full, the sockets that fill it, and one that has to ask again,
    /// which it does after a second.
    fn crowded() -> (Socket, Vec<Socket>, Socket) {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = socket_for(&any, Protocol::TCP).unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut queued = Vec::new();
        loop {
            let socket = socket_for(&any, Protocol::TCP).unwrap();
            if !begin(&socket, &address).unwrap() {
                return (listener, queued, socket);
            }
            queued.push(socket);
            assert!(queued.len() < 100, "the queue has no end");
        }
    }

    #[tokio::test]
    async fn an_answer_that_comes_later_is_waited_for() {
        let (listener, queued, waiting) = crowded();
        for _ in &queued {
            os::accept(&listener).unwrap();
        }
        let os = settled(waiting, Scheme::Tcp, false).await.unwrap();
        assert_eq!(
            os.socket().peer_addr().unwrap().as_socket(),
            listener.local_addr().unwrap().as_socket()
        );
    }

    #[tokio::test]
    async fn so_is_a_refusal() {
        let (listener, queued, waiting) = crowded();
        drop((listener, queued));
        let error = settled(waiting, Scheme::Tcp, false).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// By chance it takes thousands of attempts at a free port; bound to that port, one.
    #[tokio::test]
    async fn a_socket_that_reached_itself_is_refused() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let socket = socket_for(&any, Protocol::TCP).unwrap();
        socket.bind(&any.into()).unwrap();
        let own = socket.local_addr().unwrap().as_socket().unwrap();
        let error = attempt(Ok(socket), own).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    }
}
