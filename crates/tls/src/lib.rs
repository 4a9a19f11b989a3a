//! TLS over any stream socket of socketry.
//!
//! [`Tls`] is a layer: it takes any stream transport and gives one whose sockets are encrypted and
//! whose servers prove their identity. In a registry it is `tls://host:port` over TCP, and
//! `tls+unix:///path` over Unix sockets ([`Tls::register`]).
//!
//! ```
//! use socketry_tls::{Identity, Tls, Trust};
//! use socketry_transport::{Listener, RecvExt, Registry, SendExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A key and a certificate made on the spot. Clients know the server by the pin of its key.
//! let identity = Identity::made(["localhost"])?;
//! let server = Tls::new().identity(identity.clone()).register(Registry::standard())?;
//! let client = Tls::new().trust(Trust::pin(identity.pin()?)).register(Registry::standard())?;
//!
//! let mut listener = server.listen("tls://127.0.0.1:0").await?;
//! let at = listener.local().clone();
//! let (client, server) = tokio::join!(client.connect(at), listener.accept());
//! let (mut client, mut server) = (client?, server?);
//! client.send_all(b"hello").await?;
//! let mut buf = [0; 8];
//! assert_eq!(server.recv(&mut buf).await?.0, 5);
//! # Ok(()) }
//! ```
//!
//! # In a URL
//!
//! | key | connecting | listening |
//! |---|---|---|
//! | `pin=sha256:…` | the server has exactly this key; several are separated by commas | each client has one of these keys |
//! | `ca=FILE` | the server's certificate is signed by an authority in this PEM file, and by no other | each client's is |
//! | `cert=FILE&key=FILE` | this end's certificate and key, for servers that ask | the server's; `cert=A,B&key=C,D` for several names (SNI) |
//! | `identity=DIR` | as `cert` and `key`, from a directory in which they are made if it has none | the same |
//! | `name=NAME` | the name in the server's certificate; default: the host, or `localhost` where there is none | |
//! | `clients=required`, `clients=optional` | | whether a client without a certificate is let in, with `ca` or `pin`; default `required` |
//! | `alpn=A,B` | the protocols on offer, best first; default [`ALPN`] | the same |
//! | `close_notify=required` | an end without one is an error | the same |
//! | `key_log=true` | the secrets of each connection go into the file that `SSLKEYLOGFILE` names | the same |
//! | `handshake_timeout=5s` | how long a handshake may take; default 10 seconds | the same |
//!
//! Keys of the transport inside (`nodelay`, `mode`, …) stand beside these. What the URL says comes
//! before what [`Tls`] says.
//!
//! # Whom a client trusts
//!
//! The authorities of the system, unless `ca` or `pin` says otherwise. A pin stands for a key and
//! for nothing else: neither names nor dates are looked at, and the pinned certificate never
//! becomes an authority that could sign for others. `ca` and `pin` exclude each other.
//!
//! # How a stream ends
//!
//! `finish` sends TLS' `close_notify` and half-closes the socket inside; the other direction goes
//! on. An end of the socket inside without a `close_notify` is an end too, since many peers never
//! send one (CPython's `close`). A codec with frame boundaries finds what is cut inside a frame.
//! A stream without frame boundaries cannot: there, `close_notify=required` makes it an error, and
//! [`TlsInfo::ended_in_order`] tells. A cut inside of a TLS record is an error always.
//!
//! Dropping a socket sends no `close_notify`, so that a peer which looks can tell a server that
//! finished from one that died.
//!
//! # Resumption
//!
//! A server sends no session tickets, unless [`Tls::resumption`] says so. Tickets that a client
//! never reads make the kernel answer that client's close with a reset, which destroys what it sent
//! last. With peers that send tickets, close in order: [`close`](socketry_transport::close) reads
//! to the peer's end before it drops the socket.
//!
//! # Inside of another protocol
//!
//! QUIC carries the handshake of TLS in its own packets (RFC 9001). [`Tls::client_within`] and
//! [`Tls::server_within`] read the same URLs for it, [`keys_within`] are its keys, and
//! [`TlsInfo::within`] tells of such a connection. `socketry-quic` is made of these.
//!
//! # Features
//!
//! * `ring` (default): cryptography by ring, which builds in seconds with a C compiler alone.
//! * `aws-lc-rs`: by aws-lc-rs in its place: post-quantum key exchange, and a larger build.

#![forbid(unsafe_code)]

mod config;
mod error;
mod identity;
mod info;
mod pin;
mod provider;
mod session;
mod transport;
mod trust;
mod within;

pub use config::{ALPN, Tls};
pub use error::TlsError;
pub use identity::Identity;
pub use info::{Exporter, TlsInfo};
pub use pin::{BadPin, Pin};
/// The library below: for [`TlsError::rustls`], and for the configurations that [`Tls`] makes.
pub use rustls;
pub use session::{TlsRecv, TlsSend, TlsSocket};
pub use transport::{TlsListener, TlsTransport};
pub use trust::Trust;
pub use within::{ClientWithin, ServerWithin, Within, keys_within};

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
