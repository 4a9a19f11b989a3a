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

/// Who sent a datagram, and where an answer goes: cheap to clone, compare and hash.
///
/// Which address of ours a peer asked is no part of who it is: comparing and hashing pass over it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum PeerAddr {
    /// An IP address and a port; [`PeerAddr::from`] makes it.
    Ip {
        /// Where the peer is.
        address: SocketAddr,
        /// The address of this machine that the peer asked, where the socket is bound to all of
        /// them (`0.0.0.0`, `[::]`) and the system tells it (Linux): an answer through that socket
        /// leaves from there. `None` lets the system choose, as it does for what was sent to a
        /// group or to everybody.
        local: Option<IpAddr>,
    },
    /// A socket in the file system.
    Path(Arc<std::path::Path>),
    /// A name in Linux' abstract space, without the NUL before it.
    Abstract(Arc<[u8]>),
    /// What a third party's transport calls its peers.
    Name(Arc<str>),
    /// A Unix socket that nobody bound: it cannot be answered.
    Unnamed,
}

impl PeerAddr {
    /// The same as an endpoint of `scheme`. [`PeerAddr::try_from`] gives it back, unless the scheme
    /// is a third party's and the path a relative one, which reads as a name.
    ///
    /// # Errors
    /// If `scheme` is none, or is one of ours and has no such addresses.
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

    /// The address of this machine that the peer asked, where that is known.
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

    /// Where an endpoint is, if that needs no resolver.
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

/// A bound socket that is connected to nobody.
///
/// It takes `&self`, because many tasks answer through one socket. Receiving belongs to one task at
/// a time: only the last one to poll is woken.
///
/// # Implementing
///
/// A socket that hears what it sends. [`SessionListener`](crate::SessionListener) makes a listener
/// of it, with a socket for each peer.
///
/// ```
/// use std::io::{self, IoSlice};
/// use std::sync::{Mutex, PoisonError};
/// use std::task::{Context, Poll, ready};
///
/// use socketry_transport::{
///     BoxFuture, DatagramSocket, Endpoint, PeerAddr, Received, recv_from, send_to,
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
///         let fits = bytes.len().min(buf.remaining());
///         buf.put_slice(&bytes[..fits]);
///         let whole = fits == bytes.len();
///         Poll::Ready(Ok((if whole { Received::Data } else { Received::Cut }, from)))
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
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (sender, receiver) = mpsc::channel(64);
/// let echo = Echo("echo://here".parse()?, sender, Mutex::new(receiver));
/// let to = PeerAddr::Name("bob".into());
/// send_to(&echo, b"hello", &to).await?;
/// assert_eq!(recv_from(&echo, &mut [0; 4]).await?, (4, Received::Cut, to));
/// # Ok(()) }
/// ```
///
/// Authors get wrong:
/// * A datagram goes whole, or not at all. One that is too long is refused in words that say how
///   long it is and how long it may be; one that does not fit the buffer is [`Received::Cut`].
/// * An empty datagram is one, and no end: such a socket has none.
/// * Sending never waits: `WouldBlock` says that there is no room, and
///   [`writable`](DatagramSocket::writable) resolves when there may be some, for many tasks at
///   once.
/// * A scheme whose endpoints can be written: a session's peer is `scheme://` and what the
///   [`PeerAddr`] says. A peer that is [`Unnamed`](PeerAddr::Unnamed) has no session.
/// * An error concerns one datagram. One that comes again at each call is paused for, by sessions.
pub trait DatagramSocket: Send + Sync + 'static {
    /// Where it is bound, with the real port.
    fn local(&self) -> &Endpoint;

    /// The most bytes that one datagram carries.
    fn max_len(&self) -> usize;

    /// The room in bytes that a buffer needs so that no datagram is cut. By default
    /// [`max_len`](DatagramSocket::max_len); more where a peer may send longer ones than this
    /// socket.
    fn recv_room(&self) -> usize {
        self.max_len()
    }

    /// Receives one datagram into `buf` and says who sent it. An answer of [`Received::Cut`] names
    /// the sender too.
    ///
    /// # Errors
    /// As the system reports them; they concern one datagram, and the socket goes on.
    fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<(Received, PeerAddr)>>;

    /// Appends as many datagrams as are there, and at least one, each with its sender. The default
    /// receives one.
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

    /// Sends `bytes` as datagrams of `size` bytes each (the last may be shorter) and says how many
    /// bytes went, always whole datagrams. The default sends the first.
    ///
    /// # Errors
    /// As [`try_send_to`](DatagramSocket::try_send_to).
    fn try_send_run(&self, bytes: &[u8], size: usize, to: &PeerAddr) -> io::Result<usize> {
        let first = &bytes[..size.min(bytes.len())];
        self.try_send_to(&[IoSlice::new(first)], to)
    }

    /// Waits until a datagram to `to` may fit. A future and not a poll, since many tasks wait at
    /// once.
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

/// Receives one datagram and says how long it is, whether it was cut, and who sent it. Cancel-safe.
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
