//! Datagrams without a connection: one socket that answers many peers.

pub(crate) mod batch;

use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::endpoint::{Address, Endpoint};
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::socket::Received;

/// The sender of a datagram, which is also the address for an answer. It is cheap to clone, compare
/// and hash.
///
/// Comparing and hashing ignore the address of this machine that the peer asked: a peer that asks
/// another one is the same peer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PeerAddr {
    /// An IP address and a port; [`PeerAddr::from`] makes it.
    Ip {
        /// The address of the peer.
        address: SocketAddr,
        /// The address of this machine that the peer asked. It is known where the socket is bound
        /// to all addresses (`0.0.0.0`, `[::]`) and the system tells it (Linux). An answer through
        /// that socket leaves from there. `None` lets the system choose, as for a datagram to a
        /// group or to the broadcast address. The system also chooses where a peer that is not on
        /// the link (its address has no zone) asked a link-local IPv6 address.
        local: Option<IpAddr>,
    },
    /// A socket in the file system.
    Path(Arc<std::path::Path>),
    /// A name in Linux' abstract space, without the NUL before it.
    Abstract(Arc<[u8]>),
    /// The name that a third party's transport gives to its peer.
    Name(Arc<str>),
    /// A Unix socket that is not bound: it cannot be answered.
    Unnamed,
}

impl PeerAddr {
    /// This address as an endpoint of `scheme`. [`PeerAddr::try_from`] makes the same address of
    /// that endpoint, with one exception: a relative path in a third party's scheme reads as a
    /// name.
    ///
    /// # Errors
    /// If `scheme` is not a scheme, or is one of this crate that has no such addresses.
    pub fn endpoint(&self, scheme: &str) -> Result<Endpoint> {
        Endpoint::new(scheme, self)
    }

    /// The peer at `address`, which asked `local`.
    pub(crate) fn asking(address: SocketAddr, local: Option<IpAddr>) -> Self {
        let local = local.filter(|local| {
            let canonical = local.to_canonical();
            !canonical.is_multicast() && canonical != IpAddr::V4(Ipv4Addr::BROADCAST)
        });
        PeerAddr::Ip { address, local }
    }

    /// The address of this machine that the peer asked, if it is known.
    pub fn local(&self) -> Option<IpAddr> {
        match self {
            PeerAddr::Ip { local, .. } => *local,
            _ => None,
        }
    }
}

impl PartialEq for PeerAddr {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (PeerAddr::Ip { address, .. }, PeerAddr::Ip { address: other, .. }) => address == other,
            (PeerAddr::Path(path), PeerAddr::Path(other)) => path == other,
            (PeerAddr::Abstract(name), PeerAddr::Abstract(other)) => name == other,
            (PeerAddr::Name(name), PeerAddr::Name(other)) => name == other,
            (PeerAddr::Unnamed, PeerAddr::Unnamed) => true,
            _ => false,
        }
    }
}

impl Eq for PeerAddr {}

impl Hash for PeerAddr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            PeerAddr::Ip { address, .. } => address.hash(state),
            PeerAddr::Path(path) => path.hash(state),
            PeerAddr::Abstract(name) => name.hash(state),
            PeerAddr::Name(name) => name.hash(state),
            PeerAddr::Unnamed => {}
        }
    }
}

impl From<&PeerAddr> for Address {
    fn from(peer: &PeerAddr) -> Self {
        match peer {
            PeerAddr::Ip { address, .. } => Address::from(*address),
            PeerAddr::Path(path) => Address::Path(PathBuf::from(&**path)),
            PeerAddr::Abstract(name) => Address::Abstract(name.to_vec()),
            PeerAddr::Name(name) => Address::Name(name.to_string()),
            PeerAddr::Unnamed => Address::Unnamed,
        }
    }
}

impl TryFrom<&Endpoint> for PeerAddr {
    type Error = Error;

    /// The address of an endpoint that needs no resolver.
    fn try_from(endpoint: &Endpoint) -> Result<Self> {
        match endpoint.address() {
            Some(Address::Ip(address)) => Ok(PeerAddr::from(address)),
            Some(Address::Path(path)) => Ok(PeerAddr::Path(path.into())),
            Some(Address::Abstract(name)) => Ok(PeerAddr::Abstract(name.into())),
            Some(Address::Name(name)) => Ok(PeerAddr::Name(name.into())),
            Some(Address::Unnamed) => Ok(PeerAddr::Unnamed),
            Some(Address::Host(..)) => {
                Err(is_no_address(endpoint, "a host name is no address yet")
                    .hint("resolve it first, or write an IP address"))
            }
            None => Err(is_no_address(endpoint, "it is no peer's address")),
        }
    }
}

fn is_no_address(endpoint: &Endpoint, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidEndpoint, "send to", endpoint).because(reason)
}

impl From<SocketAddr> for PeerAddr {
    fn from(address: SocketAddr) -> Self {
        PeerAddr::Ip {
            address,
            local: None,
        }
    }
}

impl fmt::Display for PeerAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeerAddr::Ip { address, .. } => write!(f, "{address}"),
            PeerAddr::Path(path) => write!(f, "{}", path.display().to_string().escape_debug()),
            PeerAddr::Abstract(name) => write!(f, "@{}", name.escape_ascii()),
            PeerAddr::Name(name) => write!(f, "{}", name.escape_debug()),
            PeerAddr::Unnamed => f.write_str("(unnamed)"),
        }
    }
}

/// A future that a trait object can give.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A bound socket that is not connected.
///
/// Its methods take `&self`, because many tasks answer through one socket. Only one task may
/// receive at a time: only the last one to poll is woken.
///
/// # Implementing
///
/// A socket that receives the datagrams that it sends. [`SessionListener`](crate::SessionListener)
/// makes a listener of it, with a socket for each peer.
///
/// ```
/// use std::io::{self, IoSlice};
/// use std::sync::{Mutex, PoisonError};
/// use std::task::{Context, Poll, ready};
///
/// use socketry_transport::{
///     BoxFuture, Cut, DatagramSocket, Endpoint, PeerAddr, Received, recv_from, send_to,
/// };
/// use tokio::io::ReadBuf;
/// use tokio::sync::mpsc;
///
/// type Datagram = (Vec<u8>, PeerAddr);
///
/// struct Echo(Endpoint, mpsc::Sender<Datagram>, Mutex<mpsc::Receiver<Datagram>>);
///
/// impl DatagramSocket for Echo {
///     fn local(&self) -> &Endpoint {
///         &self.0
///     }
///     fn max_len(&self) -> usize {
///         1200
///     }
///     fn poll_recv_from(
///         &self,
///         cx: &mut Context<'_>,
///         buf: &mut ReadBuf<'_>,
///     ) -> Poll<io::Result<(Received, PeerAddr)>> {
///         let mut queue = self.2.lock().unwrap_or_else(PoisonError::into_inner);
///         let datagram = ready!(queue.poll_recv(cx));
///         let (bytes, from) = datagram.ok_or(io::ErrorKind::BrokenPipe)?;
///         Poll::Ready(Ok((Received::whole(&bytes, buf), from)))
///     }
///     fn try_send_to(&self, parts: &[IoSlice<'_>], to: &PeerAddr) -> io::Result<usize> {
///         let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_vec()).collect();
///         let len = bytes.len();
///         if len > self.max_len() {
///             let words = format!("{len} bytes are above the 1200 of a datagram");
///             return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
///         }
///         let sent = self.1.try_send((bytes, to.clone()));
///         sent.map(|()| len).map_err(|_full| io::ErrorKind::WouldBlock.into())
///     }
///     fn writable<'a>(&'a self, _: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>> {
///         Box::pin(async { self.1.reserve().await.map(drop).map_err(io::Error::other) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (sender, receiver) = mpsc::channel(64);
/// let echo = Echo("echo://here".parse()?, sender, Mutex::new(receiver));
/// let to = PeerAddr::Name("bob".into());
/// send_to(&echo, b"hello", &to).await?;
/// let cut = Cut { room: 4, len: Some(5) };
/// assert_eq!(recv_from(&echo, &mut [0; 4]).await?, (4, Received::Cut(cut), to));
/// # Ok(()) }
/// ```
///
/// Common mistakes of implementers:
/// * A datagram is sent whole, or not at all. One that is too long is refused with an error that
///   says how long it is and how long it may be. One that does not fit into the buffer is
///   [`Received::Cut`], as [`Received::whole`] makes it.
/// * An empty datagram is a datagram, and not an end: such a socket has no end.
/// * Sending never waits: `WouldBlock` says that there is no room.
///   [`writable`](DatagramSocket::writable) resolves when there may be room, for many tasks at
///   once.
/// * The scheme must be able to write each peer as an endpoint: the peer of a session is
///   `scheme://` and the text of its [`PeerAddr`]. A peer that is [`Unnamed`](PeerAddr::Unnamed)
///   has no session.
/// * An error concerns one datagram. If the same error comes at each call, sessions pause before
///   they call again.
pub trait DatagramSocket: Send + Sync + 'static {
    /// Where it is bound, with the real port.
    fn local(&self) -> &Endpoint;

    /// The most bytes that one datagram carries.
    fn max_len(&self) -> usize;

    /// The room in bytes that a buffer needs so that no datagram is cut. The default is
    /// [`max_len`](DatagramSocket::max_len). It is more where a peer may send longer datagrams than
    /// this socket.
    fn recv_room(&self) -> usize {
        self.max_len()
    }

    /// Receives one datagram into `buf` and gives its sender. An answer of [`Received::Cut`] names
    /// the sender too.
    ///
    /// # Errors
    /// As the system reports them; they concern one datagram, and the socket goes on.
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>>;

    /// Appends at least one datagram, and as many more as have arrived and one call can take, each
    /// with its sender. The default receives one.
    ///
    /// # Errors
    /// As [`poll_recv_from`](DatagramSocket::poll_recv_from).
    fn poll_recv_batch(&self, cx: &mut Context<'_>, batch: &mut Batch) -> Poll<io::Result<()>> {
        batch.poll_one_from(self.recv_room(), |buf| self.poll_recv_from(cx, buf))
    }

    /// Sends all `parts` as one datagram to `to`, now or not at all.
    ///
    /// # Errors
    /// `WouldBlock` where there is no room: wait for [`writable`](DatagramSocket::writable).
    /// `InvalidInput` above [`max_len`](DatagramSocket::max_len), or for an address of another
    /// family.
    fn try_send_to(&self, parts: &[IoSlice<'_>], to: &PeerAddr) -> io::Result<usize>;

    /// Sends `bytes` as datagrams of `size` bytes each (the last may be shorter) and gives the
    /// number of bytes that were sent, always whole datagrams. The default sends the first one.
    ///
    /// # Errors
    /// As [`try_send_to`](DatagramSocket::try_send_to).
    fn try_send_run(&self, bytes: &[u8], size: usize, to: &PeerAddr) -> io::Result<usize> {
        let first = &bytes[..size.min(bytes.len())];
        self.try_send_to(&[IoSlice::new(first)], to)
    }

    /// Waits until there may be room for a datagram to `to`. It is a future and not a poll method,
    /// since many tasks wait at once.
    fn writable<'a>(&'a self, to: &'a PeerAddr) -> BoxFuture<'a, io::Result<()>>;
}

/// Sends one datagram, waiting for room. Cancel-safe: it is sent whole or not at all.
///
/// # Errors
/// As [`DatagramSocket::try_send_to`], except `WouldBlock`.
pub async fn send_to<D: DatagramSocket + ?Sized>(
    socket: &D,
    bytes: &[u8],
    to: &PeerAddr,
) -> io::Result<usize> {
    loop {
        match socket.try_send_to(&[IoSlice::new(bytes)], to) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => socket.writable(to).await?,
            done => return done,
        }
    }
}

/// Receives one datagram. Gives its length, whether it was cut, and its sender. Cancel-safe.
///
/// # Errors
/// As [`DatagramSocket::poll_recv_from`].
pub async fn recv_from<D: DatagramSocket + ?Sized>(
    socket: &D,
    buf: &mut [u8],
) -> io::Result<(usize, Received, PeerAddr)> {
    let mut buf = ReadBuf::new(buf);
    let (received, from) = std::future::poll_fn(|cx| socket.poll_recv_from(cx, &mut buf)).await?;
    Ok((buf.filled().len(), received, from))
}
