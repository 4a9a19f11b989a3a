//! QUIC (RFC 9000) for socketry: connections of many streams, each a socket.
//!
//! [`Quic`] makes connections and accepts them
//! ([`MuxTransport`](socketry_transport::MuxTransport)). In a registry it is `quic://host:port`
//! ([`Quic::register`]), where each socket is one stream on a connection of its own. It has the
//! certificates, pins, names and protocols (ALPN) of [`tls://`](socketry_tls).
//!
//! ```
//! use socketry_quic::Quic;
//! use socketry_tls::{Identity, Tls, Trust};
//! use socketry_transport::{Connection, MuxListener, MuxTransport, RecvExt, SendExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let identity = Identity::made(["localhost"])?;
//! let server = Quic::new().tls(Tls::new().identity(identity.clone()));
//! let client = Quic::new().tls(Tls::new().trust(Trust::pin(identity.pin()?)));
//!
//! let mut listener = server.listen(&"quic://127.0.0.1:0".parse()?).await?;
//! let at = listener.local().clone();
//! let (client, server) = tokio::join!(client.connect(&at), listener.accept());
//! let (mut client, mut server) = (client?, server?);
//!
//! let mut question = client.open().await?;
//! question.send_all(b"hello").await?;
//! let mut heard = server.accept().await?.ok_or("the connection ended")?;
//! let mut buf = [0; 8];
//! assert_eq!(heard.recv(&mut buf).await?.0, 5);
//! # Ok(()) }
//! ```
//!
//! # In a URL
//!
//! The keys of `tls://`, but for `close_notify` (each QUIC stream has an end of its own), and:
//!
//! | key | default | meaning |
//! |---|---|---|
//! | `streams=N` | 100 | the streams that the peer may have open at once |
//! | `stream_window=BYTES` | 1,250,000 | the bytes of one stream that wait to be read |
//! | `window=BYTES` | 10,000,000 | the bytes of all streams together that wait to be read |
//! | `send_window=BYTES` | 10,000,000 | the bytes of all streams together that this end keeps until the peer has them |
//! | `datagrams=BYTES`, `datagrams=off` | 1,000,000 | the bytes of datagrams that wait to be received, and of those that wait to be sent; whether there are datagrams at all |
//! | `congestion=cubic`, `reno`, `bbr` | `cubic` | how the rate follows the network ([`Congestion`]) |
//! | `idle_timeout=TIME`, `off` | 30 s | how long the peer may be silent; the smaller one of the two ends counts |
//! | `keep_alive=TIME`, `off` | 10 s | how long this end is silent before it asks whether the peer is there; at most a third of `idle_timeout` |
//! | `finish_timeout=TIME` | 30 s | how long the peer may take to get the last bytes of a stream |
//! | `migration=true`, `false` | `true` | listening: whether a client may change its address |
//! | `retry_above=N` | 256 | listening: with more handshakes than this at once, a client has to prove its address first |
//! | `backlog=N` | 1,024 | listening: the connections that wait to be accepted |
//! | `connect_timeout=TIME` | 30 s | connecting: with the resolution of the name |
//! | `recv_buffer`, `send_buffer`, `ttl`, `only_v6`, `mark`, `interface`, `bind_device` | the system's | the UDP socket, as for `udp://` |
//!
//! # How a stream ends
//!
//! * `finish` waits until the peer's QUIC has all bytes and the end, for at most `finish_timeout`.
//!   The end alone would be lost if the connection were closed at once.
//! * A stream that is dropped ends in order: a task waits in its place. The connection is closed
//!   when its last handle, stream and such task are gone. A program that ends its runtime does not
//!   wait for tasks: it calls `finish`, or [`close`](socketry_transport::close).
//! * A stream that is dropped when a send had taken only a part of its bytes is reset: it was cut,
//!   and must not look whole. An end is no proof of completeness otherwise: that is the codec's.
//! * `abort` resets the stream with its code, in both directions. The peer's reader gets a
//!   [`StreamReset`](socketry_transport::StreamReset), and so does its writer; where the code is 0,
//!   a writer gets `BrokenPipe`, as it does when the peer has dropped the stream.
//! * A close of the connection is an error at each stream that was not finished, with code and
//!   reason ([`Closed`](socketry_transport::Closed)).
//!
//! # What a peer can cost
//!
//! All that a peer sends is bounded, by the keys above. An address that has not proved itself gets
//! at most three times the bytes that came from it (RFC 9000 §8.1). Beyond `retry_above` it gets
//! one small packet that it has to answer. Handshakes run beside one another; their number and time
//! are those of [`Tls`](socketry_tls::Tls), and beyond them newcomers are refused. No data is taken
//! before the handshake is complete (0-RTT): an attacker could repeat it.
//!
//! A client that comes again gives a token of its last visit, and has no need to prove its address.
//! The tokens are kept by the [`Quic`], for each server.
//!
//! # Features
//!
//! * `ring` (default), `aws-lc-rs`: the cryptography, as of [`socketry_tls`].

#![forbid(unsafe_code)]

mod client;
mod config;
mod connection;
mod error;
mod listener;
mod stream;
mod tokens;
mod udp;

pub use config::{Congestion, Quic, QuicLimits};
pub use connection::QuicConnection;
pub use listener::{QuicListener, QuicStats};
/// The library below.
pub use quinn;
pub use stream::{QuicRecv, QuicSend, QuicStream};

use std::sync::{Mutex, MutexGuard, PoisonError};

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
