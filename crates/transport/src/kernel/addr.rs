//! Conversion between the kernel's addresses and ours, and the kind of kernel socket of each
//! scheme.

use std::io;
use std::sync::Arc;

use socket2::{SockAddr, Type};

use crate::contract::datagram::PeerAddr;
use crate::contract::endpoint::{Address, Endpoint};
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::socket::Shape;
use crate::kernel::unix::address;

/// The most bytes that one UDP datagram carries over IPv4: 65,535 less 20 of IP and 8 of UDP header
/// (RFC 768, 791).
pub(crate) const UDP_MAX_V4: usize = 65_507;
/// The same over IPv6, where the length does not count the IP header (RFC 8200).
pub(crate) const UDP_MAX_V6: usize = 65_527;
/// The longest datagram or packet of a Unix peer that has Linux' default send buffer
/// (`net.core.wmem_default`), which may be larger than ours.
const UNIX_ROOM: usize = 212_992 - UNIX_OVERHEAD;
/// The bytes of a Unix socket's send buffer that the kernel takes for itself.
const UNIX_OVERHEAD: usize = 32;

/// The schemes whose sockets are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Tcp,
    Udp,
    Unix,
    UnixDgram,
    UnixSeqpacket,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scheme::Tcp => "tcp",
            Scheme::Udp => "udp",
            Scheme::Unix => "unix",
            Scheme::UnixDgram => "unix-dgram",
            Scheme::UnixSeqpacket => "unix-seqpacket",
        }
    }

    pub(crate) fn is_unix(self) -> bool {
        matches!(
            self,
            Scheme::Unix | Scheme::UnixDgram | Scheme::UnixSeqpacket
        )
    }

    pub(crate) fn socket_type(self) -> Type {
        match self {
            Scheme::Tcp | Scheme::Unix => Type::STREAM,
            Scheme::Udp | Scheme::UnixDgram => Type::DGRAM,
            Scheme::UnixSeqpacket => Type::SEQPACKET,
        }
    }

    /// The shape of `socket`, which is bound at `local`.
    pub(crate) fn shape(self, socket: &socket2::Socket, local: &SockAddr) -> io::Result<Shape> {
        Ok(match self {
            Scheme::Tcp | Scheme::Unix => Shape::Stream,
            Scheme::Udp => Shape::Datagram {
                max_len: if sends_v6_only(socket, local)? {
                    UDP_MAX_V6
                } else {
                    UDP_MAX_V4
                },
            },
            Scheme::UnixDgram => Shape::Datagram {
                max_len: longest_of_unix(socket)?,
            },
            Scheme::UnixSeqpacket => Shape::Message {
                max_len: longest_of_unix(socket)?,
            },
        })
    }

    /// The shape of a connection, `socket`.
    pub(crate) fn shape_of_connection(self, socket: &socket2::Socket) -> io::Result<Shape> {
        match self {
            Scheme::UnixSeqpacket => Ok(Shape::Message {
                max_len: longest_of_unix(socket)?,
            }),
            _ => Ok(Shape::Stream),
        }
    }

    /// The room in bytes that a buffer needs so that no message or datagram is cut, for a socket of
    /// this shape.
    pub(crate) fn recv_room(self, shape: Shape) -> usize {
        match (self, shape.max_len()) {
            (_, None) => 0,
            (Scheme::UnixDgram | Scheme::UnixSeqpacket, Some(max_len)) => max_len.max(UNIX_ROOM),
            (_, Some(_)) => UDP_MAX_V6,
        }
    }

    /// Refuses an `endpoint` of another scheme.
    pub(crate) fn check(self, endpoint: &Endpoint, action: &'static str) -> Result<()> {
        if endpoint.scheme() == self.name() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::InvalidEndpoint, action, endpoint)
            .because(format!(
                "this transport's scheme is '{}', not '{}'",
                self.name(),
                endpoint.scheme()
            ))
            .hint(
                "give it to the transport of that scheme, or to the registry, which has them all",
            ))
    }
}

/// The most bytes that one send of a Unix socket with boundaries takes.
fn longest_of_unix(socket: &socket2::Socket) -> io::Result<usize> {
    Ok(socket.send_buffer_size()?.saturating_sub(UNIX_OVERHEAD))
}

/// Whether a UDP socket sends IPv6 only. A socket that is bound to all addresses may send to IPv4
/// peers too.
fn sends_v6_only(socket: &socket2::Socket, local: &SockAddr) -> io::Result<bool> {
    Ok(match local.as_socket_ipv6() {
        None => false,
        Some(local) if local.ip().is_unspecified() => socket.only_v6()?,
        Some(local) => local.ip().to_ipv4_mapped().is_none(),
    })
}

/// The kernel's `address` as an endpoint.
pub(crate) fn endpoint(scheme: Scheme, address: &SockAddr) -> Endpoint {
    Endpoint::known(scheme.name(), &Address::from(&peer_addr(address)))
}

/// The endpoint of a socket that is not bound.
pub(crate) fn unnamed(scheme: Scheme) -> Endpoint {
    Endpoint::known(scheme.name(), &Address::Unnamed)
}

pub(crate) fn peer_addr(address: &SockAddr) -> PeerAddr {
    if let Some(ip) = address.as_socket() {
        PeerAddr::from(ip)
    } else if let Some(path) = address.as_pathname() {
        PeerAddr::Path(Arc::from(path))
    } else if let Some(name) = address.as_abstract_namespace() {
        PeerAddr::Abstract(Arc::from(name))
    } else {
        PeerAddr::Unnamed
    }
}

/// The kernel's address of a Unix endpoint.
pub(crate) fn unix_sockaddr(endpoint: &Endpoint, action: &'static str) -> Result<SockAddr> {
    let made = match (endpoint.socket_path(), endpoint.abstract_name()) {
        (Some(path), _) => address::of_path(&path),
        (_, Some(name)) => address::of_name(&name),
        (None, None) => {
            return Err(Error::new(ErrorKind::InvalidEndpoint, action, endpoint)
                .because("it names no socket")
                .hint("write a path as in unix:///run/app.sock, or a name as in unix://@app"));
        }
    };
    made.map_err(|error| {
        Error::new(ErrorKind::InvalidEndpoint, action, endpoint)
            .because(error)
            .hint("choose a shorter one, or a path that is relative to the working directory")
    })
}

/// The kernel's address of a datagram's receiver. `Unnamed` and third parties' names have none.
pub(crate) fn destination(to: &PeerAddr) -> io::Result<SockAddr> {
    match to {
        PeerAddr::Ip { address, .. } => Ok(SockAddr::from(*address)),
        PeerAddr::Path(path) => address::of_path(path),
        PeerAddr::Abstract(name) => address::of_name(name),
        PeerAddr::Name(_) | PeerAddr::Unnamed => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "that peer has no address to answer to; a Unix client must bind a name",
        )),
    }
}
