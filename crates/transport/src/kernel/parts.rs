//! Sockets from parts, as Python's `socket(family, type, proto, fileno)` makes them.

use std::io;
use std::os::fd::OwnedFd;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::kernel::accept::OsListener;
use crate::kernel::addr::Scheme;
use crate::kernel::bound::OsDatagram;
use crate::kernel::os::{Os, OsSocket, Place};

/// A socket that the caller made: with a family, type and protocol of its choice, or from a
/// descriptor that was inherited or passed. [`connected`](SocketParts::connected),
/// [`listening`](SocketParts::listening) and [`bound`](SocketParts::bound) turn it into a type of
/// this crate.
///
/// ```
/// use std::os::fd::OwnedFd;
/// use socketry_transport::{Half, SocketParts, Shape};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (ours, _theirs) = std::os::unix::net::UnixStream::pair()?;
/// let socket = SocketParts::from(OwnedFd::from(ours)).connected()?;
/// assert_eq!(socket.shape(), Shape::Stream);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct SocketParts(Socket);

impl SocketParts {
    /// A new socket, as `socket(2)` makes it. `family` is `libc::AF_INET`, say, `kind`
    /// `libc::SOCK_STREAM`, and `protocol` 0 for the usual one.
    ///
    /// # Errors
    /// The system's error: there may be no such socket, or it may not be allowed (raw sockets).
    pub fn new(family: i32, kind: i32, protocol: i32) -> io::Result<Self> {
        let protocol = (protocol != 0).then(|| Protocol::from(protocol));
        Socket::new(Domain::from(family), Type::from(kind), protocol).map(SocketParts)
    }

    /// The socket itself, to bind, connect, or set any option.
    pub fn as_socket(&self) -> &Socket {
        &self.0
    }

    /// A socket that is connected already.
    ///
    /// # Errors
    /// If it is not connected, or of a kind that is neither stream nor datagram. Needs a runtime.
    pub fn connected(self) -> io::Result<OsSocket> {
        let scheme = self.scheme()?;
        let peer = Place::of(scheme, &self.0.peer_addr()?);
        let (os, local) = self.os(scheme)?;
        Ok(OsSocket::connected(os, Place::of(scheme, &local), peer))
    }

    /// A stream socket that listens already. It does not remove its file: the program that made the
    /// socket does.
    ///
    /// # Errors
    /// If it does not listen. Needs a runtime.
    pub fn listening(self) -> io::Result<OsListener> {
        let scheme = self.scheme()?;
        if !listens(&self.0)? {
            return Err(unsuitable(
                "the socket does not listen; call listen(2) on it first",
            ));
        }
        let (os, local) = self.os(scheme)?;
        Ok(OsListener::new(os, &local, None))
    }

    /// A datagram socket that is bound already, for [`SessionListener`](crate::SessionListener) or
    /// direct use.
    ///
    /// # Errors
    /// If it is not a datagram socket. Needs a runtime.
    pub fn bound(self) -> io::Result<OsDatagram> {
        let scheme = self.scheme()?;
        if scheme.socket_type() != Type::DGRAM {
            return Err(unsuitable(
                "the socket is a stream; use connected() or listening()",
            ));
        }
        let (os, local) = self.os(scheme)?;
        Ok(OsDatagram::new(os, &local, None))
    }

    fn os(self, scheme: Scheme) -> io::Result<(Os, SockAddr)> {
        self.0.set_nonblocking(true)?;
        let (os, local) = Os::located(self.0, scheme)?;
        Ok((os.made_elsewhere(true), local))
    }

    fn scheme(&self) -> io::Result<Scheme> {
        match (self.0.local_addr()?.domain(), self.0.r#type()?) {
            (Domain::UNIX, Type::STREAM) => Ok(Scheme::Unix),
            (Domain::UNIX, Type::DGRAM) => Ok(Scheme::UnixDgram),
            (Domain::IPV4 | Domain::IPV6, Type::STREAM) => Ok(Scheme::Tcp),
            (Domain::IPV4 | Domain::IPV6, Type::DGRAM) => Ok(Scheme::Udp),
            (domain, kind) => Err(unsuitable(&format!(
                "{domain:?} sockets of type {kind:?} are neither IP nor Unix streams or datagrams"
            ))),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn listens(socket: &Socket) -> io::Result<bool> {
    socket.is_listener()
}

/// Other systems cannot tell: if the socket does not listen, accepting fails at once.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn listens(_: &Socket) -> io::Result<bool> {
    Ok(true)
}

fn unsuitable(words: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, words)
}

impl From<OwnedFd> for SocketParts {
    fn from(fd: OwnedFd) -> Self {
        SocketParts(Socket::from(fd))
    }
}

impl From<Socket> for SocketParts {
    fn from(socket: Socket) -> Self {
        SocketParts(socket)
    }
}
