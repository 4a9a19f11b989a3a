//! Sockets by URL: TCP, UDP, Unix stream and datagram, and in-memory, behind one set of traits.
//!
//! ```text
//! Endpoint ─▶ Transport ─▶ Socket ─▶ two halves, each for one task
//! "tcp://…"   connect      bytes or
//!             listen       datagrams
//! ```
//!
//! [`connect`] and [`listen`] take a URL and give sockets of one erased type. A program that knows its transport
//! uses [`TcpTransport`] and its sisters, which give sockets of a type of their own through the same [`Transport`] trait.
//! Somebody else's transport is one more implementation, put into a [`Registry`].
//!
//! ```
//! use socketry_transport::{Listener, RecvExt, SendExt};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
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
//! # The contract
//!
//! * [`Socket`] is the data path: poll methods that take `&mut self`, no allocation per call, and owned halves. A socket
//!   is a [stream or carries datagrams](Shape), and says which.
//! * Dropping a half tells the peer nothing; [`SendExt::finish`] is the half-close.
//! * A datagram arrives whole, or is reported as [cut](Received::Cut). One above the most that fits is refused, and
//!   nothing of it is sent.
//! * What a peer can make this crate hold is bounded: backlogs, tables, queues. A full one refuses the newcomer.
//! * A failed connect is a value: [`Error::kind`].
//!
//! Frames are made of all this by `socketry-codec`; transports know no codec.
//!
//! Unix only (epoll and kqueue); abstract names, peer credentials and device binding are Linux'.

mod accept;
mod addr;
mod batch;
mod bound;
mod boxed;
mod connect;
mod credentials;
mod datagram;
mod endpoint;
mod error;
mod ext;
mod hint;
mod joined;
mod mem;
mod options;
mod os;
mod parts;
mod registry;
mod session;
mod socket;
mod stream_io;
mod tcp;
mod text;
mod transport;
mod udp;
pub mod units;
mod unix;
mod unix_file;

pub use accept::OsListener;
pub use async_trait::async_trait;
pub use batch::{Batch, Datagram};
pub use bound::OsDatagram;
pub use boxed::{BoxListener, BoxRecv, BoxSend, BoxSocket, BoxTransport, erase};
pub use datagram::{BoxFuture, DatagramSocket, PeerAddr, recv_from, send_to};
pub use endpoint::{Address, Endpoint};
pub use error::{Error, ErrorKind, Result};
pub use ext::{RecvExt, SendExt, close, poll_recv_into};
pub use joined::Joined;
pub use mem::{MemListener, MemSocket, MemTransport};
pub use options::{MulticastGroup, SocketOptions};
pub use os::{OsRecv, OsSend, OsSocket};
pub use parts::SocketParts;
pub use registry::{Registry, connect, listen};
pub use session::{
    Session, SessionLimits, SessionListener, SessionRecv, SessionSend, SessionStats,
};
pub use socket::{Credentials, Half, Received, RecvHalf, SendHalf, Shape, Socket};
pub use stream_io::{IoHalf, IoSocket, SocketIo};
pub use tcp::TcpTransport;
pub use text::{Encoding, TextDecoder, TextEncoder, TextError, TextSocket, Undecodable};
pub use transport::{Accept, Listener, Transport};
pub use udp::UdpTransport;
pub use unix::{UnixDgramTransport, UnixTransport};
