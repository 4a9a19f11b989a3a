//! Sockets by URL: TCP, UDP, Unix stream and datagram, and in-memory, behind one set of traits.
//!
//! ```text
//! Endpoint ─▶ Transport ─▶ Socket ─▶ two halves, each for one task
//! "tcp://…"   connect      bytes or
//!             listen       datagrams
//! ```
//!
//! [`connect`] and [`listen`] take a URL and give sockets of one erased type. A program that knows
//! its transport uses [`TcpTransport`] or another one directly, and gets sockets of their own type
//! through the same [`Transport`] trait. A third party's transport is one more implementation,
//! added to a [`Registry`].
//!
//! ```
//! use socketry_transport::{Listener, RecvExt, SendExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut server = socketry_transport::listen("tcp://127.0.0.1:0?backlog=16").await?;
//! let mut client = socketry_transport::connect(server.local()).await?;
//! let mut accepted = server.accept().await?;
//!
//! client.send_all(b"hello").await?;
//! let mut buf = [0; 16];
//! let (len, _) = accepted.recv(&mut buf).await?;
//! assert_eq!(&buf[..len], b"hello");
//! # Ok(()) }
//! ```
//!
//! # Choosing a transport
//!
//! | you want | URL | it carries | know that |
//! |---|---|---|---|
//! | two machines, and nothing may be lost | `tcp://host:port` | a stream | one lost packet keeps all that follow it waiting; a host name's addresses are tried in turns (RFC 8305) |
//! | one machine, and the file system says who may connect | `unix:///path` | a stream | `?mode=0600` sets who may; the file is removed when the listener is dropped |
//! | the same without a file | `unix://@name` | a stream | Linux only; every user of the machine may connect |
//! | short messages, broadcast, multicast, or the newest value only | `udp://host:port` | datagrams of at most 65,507 bytes | they may be lost, repeated, reordered, and sent under a forged address |
//! | whole messages on one machine | `unix-dgram:///path` | datagrams, of some 200 KiB on Linux | none is lost on the way, and they stay in order; no connection is ever closed, so a peer that is gone is noticed late |
//! | the same, and an end | `unix-seqpacket:///path` | messages in order, of some 200 KiB | Linux only; none is lost, and a peer that is gone is an end or a reset |
//! | a test, or two parts of one program | `mem://name` | a stream | no descriptor and no system call; it stays within this process |
//! | a program that this process starts | `exec:///path?arg=…` | a stream | `ExecTransport`, behind the feature `exec`; in no registry by itself |
//! | a board, a modem, or a machine at the end of a wire | `serial:///dev/ttyUSB0?baud=9600` | a stream | `SerialTransport`, behind the feature `serial`; no connection, no half-close, and bytes may be damaged; in no registry by itself |
//! | a socket that this process was started with | `fd://3`, `systemd://name`, `stdio://` | as that socket | a supervisor or service manager has made it, with its options; it is taken once |
//!
//! Over both kinds of datagrams, a listener gives a [`Session`] for each peer. It drops datagrams
//! for which the session's queue has no room ([`SessionLimits`]). A [`DatagramSocket`] serves all
//! peers with one socket instead. No transport here encrypts or authenticates: the
//! crates `socketry-tls` and `socketry-auth` are layers that do. For text in any encoding see
//! `TextSocket`; for frames, the crate `socketry-codec`.
//!
//! # The contract
//!
//! * [`Socket`] is the data path: poll methods that take `&mut self`, no allocation per call, and
//!   owned halves. A socket is a [stream, or carries messages or datagrams](Shape), and says which.
//! * Dropping a half tells the peer nothing; [`SendExt::finish`] is the half-close.
//! * A message or datagram arrives whole, or is reported as [cut](Received::Cut). One that is too
//!   long is refused, and not sent.
//! * All that a peer can make this crate hold is bounded: backlogs, tables, queues. When one is
//!   full, the new peer or datagram is refused.
//! * A failed connect is a value: [`Error::kind`].
//!
//! `socketry-codec` adds frames. Transports know no codec.
//!
//! # Features
//!
//! * `batch` (default): many UDP datagrams a call on Linux, through quinn-udp. Without it the same
//!   methods receive one.
//! * `exec`: `ExecTransport`, a child process's pipes as a socket.
//! * `serial`: `SerialTransport`, a serial line as a socket (Linux).
//! * `serde` (default): endpoints, options and encodings from configuration files.
//! * `text` (default): `Encoding` and `TextSocket`, through encoding_rs.
//!
//! The kernel's sockets need Unix: Linux is tested, macOS compiles. Abstract names, peer
//! credentials and device binding are Linux'.

#![cfg_attr(
    not(unix),
    allow(dead_code, unused_imports, reason = "the kernel's sockets use them")
)]

mod adapters;
mod contract;
#[cfg(all(unix, feature = "exec"))]
mod exec;
#[cfg(unix)]
mod kernel;
mod layers;
mod mem;
mod options;
#[cfg(all(target_os = "linux", feature = "serial"))]
mod serial;
mod session;
mod standard;
#[cfg(feature = "text")]
mod text;
pub mod units;
mod waking;

pub use adapters::{Closing, FromIo, IntoIo, IoRecv, IoSend};
pub use async_trait::async_trait;
pub use contract::boxed::{BoxListener, BoxRecv, BoxSend, BoxSocket, BoxTransport, erase};
pub use contract::connection::boxed::{BoxConnection, BoxMux, BoxMuxListener, erase_mux};
pub use contract::connection::closed::{Closed, StreamReset};
pub use contract::connection::transport::{AcceptConnection, MuxListener, MuxTransport};
pub use contract::connection::{AcceptStream, Connection, Open};
pub use contract::datagram::batch::{Batch, Datagram};
pub use contract::datagram::{BoxFuture, DatagramSocket, PeerAddr, recv_from, send_to};
pub use contract::endpoint::{Address, Endpoint, EndpointParts};
pub use contract::error::{Error, ErrorKind, Result, os_code};
pub use contract::names::{Resolve, Service};
pub use contract::socket::ext::{RecvExt, SendExt, close, poll_recv_into};
pub use contract::socket::info::Info;
pub use contract::socket::joined::Joined;
pub use contract::socket::prefixed::{Prefixed, prefix};
pub use contract::socket::relabelled::{Relabelled, relabel};
pub use contract::socket::{
    Aborted, Credentials, Cut, Half, Received, RecvHalf, SendHalf, Shape, Socket, Upcoming,
};
pub use contract::transport::Transport;
pub use contract::transport::keys::Keys;
pub use contract::transport::layer::{Layer, Stack};
pub use contract::transport::listener::{Accept, Listener};
pub use contract::transport::registry::Registry;
#[cfg(all(unix, feature = "exec"))]
pub use exec::{ChildProcess, ExecRecv, ExecSend, ExecSocket, ExecTransport, Exited, NoListener};
#[cfg(unix)]
pub use kernel::{
    accept::OsListener,
    bound::OsDatagram,
    inherited::{FdTransport, StdioTransport, SystemdTransport},
    names::{SystemResolver, resolve},
    os::{OsRecv, OsSend, OsSocket},
    parts::SocketParts,
    several::NameListener,
    tcp::TcpTransport,
    udp::UdpTransport,
    unix::{UnixDgramTransport, UnixSeqpacketTransport, UnixTransport},
};
#[cfg(target_os = "linux")]
pub use kernel::{
    os::{Descriptors, Mptcp, PeerProcess},
    takeover::{Successor, Takeover},
    unix::descriptors::WithDescriptors,
};
pub use layers::deadlines::{
    DeadlineListener, DeadlineRecv, DeadlineSend, DeadlineSocket, Deadlined, Deadlines,
};
pub use layers::listeners::{
    AcceptedBy, ListenerFailure, ListenerId, Listeners, ListenersHandle, TooLate,
};
pub use layers::streams::{StreamListener, Streams};
pub use layers::upgrading::{
    ListenerExt, UpgradeFailure, UpgradeLimits, UpgradeStats, UpgradeTrouble, Upgrading,
};
pub use mem::mux::{MemConnection, MemMux, MemMuxListener};
pub use mem::{MemListener, MemRecv, MemSend, MemSocket, MemTransport};
pub use options::{MulticastGroup, SocketOptions};
#[cfg(all(target_os = "linux", feature = "serial"))]
pub use serial::{
    SerialAccept, SerialFlow, SerialListener, SerialParity, SerialRecv, SerialSend, SerialSettings,
    SerialSocket, SerialTransport,
};
pub use session::{
    Session, SessionLimits, SessionListener, SessionRecv, SessionSend, SessionStats,
};
pub use standard::{connect, listen};
#[cfg(feature = "text")]
pub use text::{Encoding, TextDecoder, TextEncoder, TextError, TextPolicy, TextSocket};

/// Runs this package's README as a doc test.
#[cfg(all(doctest, unix))]
#[doc = include_str!("../README.md")]
struct Readme;
