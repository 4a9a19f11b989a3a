//! Sockets from parts, as Python's `socket(family, type, proto, fileno)` makes them.

use std::io;
use std::os::fd::OwnedFd;

use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use crate::kernel::accept::OsListener;
use crate::kernel::addr::Scheme;
use crate::kernel::apply;
use crate::kernel::bound::OsDatagram;
#[cfg(target_os = "linux")]
use crate::kernel::os::refuse_descriptors;
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
pub struct SocketParts {
    socket: Socket,
    /// The most passed descriptors that wait to be taken.
    descriptors: Option<usize>,
}

impl SocketParts {
    /// A new socket, as `socket(2)` makes it. `family` is `libc::AF_INET`, say, `kind`
    /// `libc::SOCK_STREAM`, and `protocol` 0 for the usual one.
    ///
    /// # Errors
    /// The system's error: there may be no such socket, or it may not be allowed (raw sockets).
    pub fn new(family: i32, kind: i32, protocol: i32) -> io::Result<Self> {
        let protocol = (protocol != 0).then(|| Protocol::from(protocol));
        Socket::new(Domain::from(family), Type::from(kind), protocol).map(SocketParts::from)
    }

    /// The socket itself, to bind, connect, or set any option.
    pub fn as_socket(&self) -> &Socket {
        &self.socket
    }

    /// Passes descriptors over this Unix socket, as the option `descriptors` does: `most` that a
    /// peer passed may wait to be taken. With 0 this end can send descriptors, and takes none. Of a
    /// listener, the accepted sockets pass them. Other sockets are then refused.
    ///
    /// ```
    /// use std::os::fd::{AsFd, OwnedFd};
    /// use std::os::unix::net::UnixStream;
    /// use socketry_transport::{Descriptors, Half, RecvExt, SendExt, SocketParts};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (ours, theirs) = UnixStream::pair()?;
    /// let parts = [ours, theirs].map(|end| SocketParts::from(OwnedFd::from(end)).descriptors(4));
    /// let [ours, theirs] = parts.map(SocketParts::connected);
    /// let (mut ours, mut theirs) = (ours?, theirs?);
    ///
    /// let passed = ours.info().get::<Descriptors>().expect("it passes descriptors");
    /// passed.attach(tempfile::tempfile()?)?;
    /// ours.send_all(b"x").await?;
    /// theirs.recv(&mut [0; 8]).await?;
    /// let came = theirs.info().get::<Descriptors>().expect("it passes descriptors");
    /// assert_eq!(came.take(1)?.len(), 1);
    /// # Ok(()) }
    /// ```
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn descriptors(self, most: usize) -> Self {
        SocketParts {
            descriptors: Some(most),
            ..self
        }
    }

    /// A socket that is connected already.
    ///
    /// # Errors
    /// If it is not connected, or of a kind that this crate does not know. Needs a runtime.
    pub fn connected(self) -> io::Result<OsSocket> {
        let scheme = self.scheme()?;
        let peer = Place::of(scheme, &self.socket.peer_addr()?);
        let multipath = apply::is_multipath(&SockRef::from(&self.socket));
        let (os, local) = self.os(scheme)?;
        let os = match multipath {
            true => os.over_multipath(Vec::new()),
            false => os,
        };
        Ok(OsSocket::connected(os, Place::of(scheme, &local), peer))
    }

    /// A socket of streams or packets that listens already. It does not remove its file: the
    /// program that made the socket does.
    ///
    /// # Errors
    /// If it does not listen. Needs a runtime.
    pub fn listening(self) -> io::Result<OsListener> {
        let scheme = self.scheme()?;
        if !listens(&self.socket)? {
            return Err(unsuitable(
                "the socket does not listen; call listen(2) on it first",
            ));
        }
        let descriptors = self.descriptors;
        let (os, local) = self.os(scheme)?;
        Ok(OsListener::new(os, &local, None).passing_at_most(descriptors))
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
                "the socket is a stream or carries packets; use connected() or listening()",
            ));
        }
        let (os, local) = self.os(scheme)?;
        Ok(OsDatagram::new(os, &local, None))
    }

    fn os(self, scheme: Scheme) -> io::Result<(Os, SockAddr)> {
        if self.descriptors.is_some() && !scheme.is_unix() {
            return Err(unsuitable("only Unix sockets pass descriptors"));
        }
        #[cfg(target_os = "linux")]
        if self.descriptors == Some(0) {
            refuse_descriptors(&self.socket);
        }
        self.socket.set_nonblocking(true)?;
        let (os, local) = Os::located(self.socket, scheme)?;
        let os = os.made_elsewhere(true).passing_at_most(self.descriptors);
        Ok((os, local))
    }

    fn scheme(&self) -> io::Result<Scheme> {
        match (self.socket.local_addr()?.domain(), self.socket.r#type()?) {
            (Domain::UNIX, Type::STREAM) => Ok(Scheme::Unix),
            (Domain::UNIX, Type::DGRAM) => Ok(Scheme::UnixDgram),
            (Domain::UNIX, Type::SEQPACKET) => Ok(Scheme::UnixSeqpacket),
            (Domain::IPV4 | Domain::IPV6, Type::STREAM) => Ok(Scheme::Tcp),
            (Domain::IPV4 | Domain::IPV6, Type::DGRAM) => Ok(Scheme::Udp),
            (domain, kind) => Err(unsuitable(&format!(
                "{domain:?} sockets of type {kind:?} are neither streams nor datagrams over IP, nor \
                 streams, packets or datagrams of Unix"
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
        SocketParts::from(Socket::from(fd))
    }
}

impl From<Socket> for SocketParts {
    fn from(socket: Socket) -> Self {
        SocketParts {
            socket,
            descriptors: None,
        }
    }
}
