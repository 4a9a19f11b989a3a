//! WebSocket (RFC 6455) over any stream socket of socketry.
//!
//! [`Ws`] is a layer: it takes any stream transport and gives one whose sockets carry messages, for
//! browsers and programs alike. In a registry it is `ws://host:port/path` over TCP, `wss://` over
//! TLS where the registry has that, and `ws+unix:///path` over Unix sockets ([`Ws::register`]).
//!
//! ```
//! use socketry_transport::{Listener, RecvExt, Registry, SendExt};
//! use socketry_ws::Ws;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Ws::new().register(Registry::standard())?;
//! let mut listener = registry.listen("ws://127.0.0.1:0/chat").await?;
//! let at = listener.local().clone();
//! let (client, server) = tokio::join!(registry.connect(at), listener.accept());
//! let (mut client, mut server) = (client?, server?);
//! client.send_all(b"hello").await?;
//! let mut buf = [0; 8];
//! assert_eq!(server.recv(&mut buf).await?.0, 5);
//! # Ok(()) }
//! ```
//!
//! # In a URL
//!
//! Path and query are the request's, as they are written: `%2F` stays. A client's query may have
//! any keys, but these are options and do not reach the server:
//!
//! | key | connecting | listening |
//! |---|---|---|
//! | `protocol=A,B` | the subprotocols on offer, best first | those that are taken; a client that offers none of them is refused |
//! | `origin=URL` | the header `Origin` | the origins whose pages are let in, separated by commas; `*` for all |
//! | `max_message=1MiB` | the longest message, to send and to receive; default [`MAX_MESSAGE`] | the same |
//! | `ping=45s`, `ping=off` | how often the peer is pinged; default [`PING`] | the same |
//! | `pong=20s` | how long it has for a sign of life then; default [`PONG`] | the same |
//! | `text=true` | messages are sent as text, which has to be UTF-8 | the same |
//! | `path=/PATH` | the request's path, where the URL has a socket's: `ws+unix` | as a path in the URL |
//! | `handshake_timeout=5s` | how long a handshake may take; default 10 seconds | the same |
//!
//! Keys of the transport inside (`nodelay`, `mode`, `pin`, …) stand beside these. A listener whose
//! URL has a path other than `/` serves that path alone. What clients asked for is in [`WsInfo`],
//! with the headers that [`Ws::keep_headers`] names.
//!
//! # Messages
//!
//! A socket carries messages, whole and in order, with an end. Text and binary messages are
//! received alike. Each end has a bound, and a message above the peer's makes it close with 1009.
//!
//! A message that is sent leaves with the next flush, with the next receive that waits, or when 64
//! KiB wait. So many messages before one flush are one write.
//!
//! # How it ends
//!
//! WebSocket has no half-close. `finish` sends a close frame (1000), after which nothing more is
//! sent; receiving goes on until the peer's close frame. A peer's close with 1000, 1001 or without
//! a code is an end; any other code is an error that names code and reason. The answer to a close
//! leaves by itself, behind all that was sent before. A connection that ends without a close frame
//! is an error (1006), so a socket that is dropped looks different from one that has finished. So
//! is a close inside of a message that came in pieces: its rest never comes.
//!
//! A close of this end asks for a sign of life as a ping does: a peer that stays silent is given up
//! as after a ping.
//!
//! After a violation of the peer this end says why (1002, 1007, 1009), reads on for at most 2
//! seconds and 16 MiB so that the peer can read that, and fails.
//!
//! # What a peer can cost
//!
//! A connection keeps the message that arrives, which has at most `max_message` bytes, and up to 64
//! KiB behind it; and of what is to be sent, up to 64 KiB and one message. The memory follows the
//! bytes that came, not the length that a header claims. A server counts a message that has not
//! arrived whole among its buffers, and gives it the time of a frame
//! ([`RecvHalf::upcoming`](socketry_transport::RecvHalf::upcoming)).
//!
//! A flush waits as long as a peer that lives reads nothing.
//! [`Deadlines`](socketry_transport::Deadlines) over this layer (`send_within=5s`) end that.
//!
//! # Pages
//!
//! A browser lets any page connect to any server, and says in `Origin` which page it was. By
//! default a server lets in pages that came from its own host and port, and no page that reaches a
//! loopback address by a name of the Internet. Clients without an `Origin` are no browsers. A plain
//! `GET /` gets the [`Page`] of the server, or the answer 426.
//!
//! # Compression
//!
//! There is none: permessage-deflate is neither offered nor accepted. A codec can compress
//! (`+zstd`, `+lz4`).
//!
//! # Features
//!
//! * `hyper`: `Ws::upgrade` takes a connection over from a server made of hyper, such as axum.

#![forbid(unsafe_code)]

mod close;
mod config;
mod error;
mod frame;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
#[cfg(feature = "hyper")]
mod hyper;
mod info;
mod origins;
mod session;
mod transport;
mod url;

pub use close::CloseCode;
pub use config::{MAX_MESSAGE, PING, PONG, Page, Ws};
pub use error::WsError;
#[cfg(feature = "hyper")]
pub use hyper::UpgradedSocket;
pub use info::WsInfo;
pub use session::{WsRecv, WsSend, WsSocket};
pub use transport::{WsListener, WsTransport};

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
