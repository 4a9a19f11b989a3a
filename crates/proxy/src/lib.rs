//! Behind a balancer, and through a proxy, as layers over the stream transports of socketry.
//!
//! * [`Behind`]: servers behind a balancer that sends a PROXY header before each connection,
//!   version 1 or 2. The peer of an accepted socket is the balancer's client, so limits by peer and
//!   logs are about the client.
//! * [`Announce`]: clients that send such a header, as a balancer does.
//!
//! * [`Via`]: clients that connect through proxies: SOCKS5, HTTP's CONNECT, and chains of them.
//!
//! ```
//! use socketry_proxy::{Behind, Forwarded};
//! use socketry_transport::{Half, Listener, Registry, SendExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Behind::new().register(Registry::standard())?;
//! // The addresses of the balancer. Anybody else who sends a header is refused.
//! let mut server = registry.listen("tcp://127.0.0.1:0?proxy_from=127.0.0.0/8").await?;
//!
//! // A balancer, as HAProxy with `send-proxy`:
//! let mut balancer = registry.connect(server.local()).await?;
//! balancer.send_all(b"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n").await?;
//!
//! let accepted = server.accept().await?;
//! assert_eq!(accepted.peer().to_string(), "tcp://192.0.2.1:56324");
//! let forwarded: &Forwarded = accepted.info().get().expect("behind a balancer");
//! assert_eq!(forwarded.balancer().peer(), balancer.local());
//! # Ok(()) }
//! ```
//!
//! # In a URL
//!
//! | key | of | meaning |
//! |---|---|---|
//! | `proxy_from=10.0.0.0/8,unix` | listening | connections from these networks, or from Unix sockets, begin with a PROXY header |
//! | `send_proxy=v1`, `v2`, `local` | connecting | the header that is sent: with the connection's own addresses, or `LOCAL` |
//! | `via=socks5://user@host:port` | connecting | a proxy on the way ([`Hop`] has the forms), or `direct`; several keys are a chain, in this order |
//!
//! # The order of layers
//!
//! A header comes before a TLS handshake, and TLS is spoken with the server and not with a proxy.
//! So these layers go below TLS: [`Behind::register`], [`Announce::register`] and [`Via::register`]
//! are called first, and `Tls::register` after them. With `Announce` over `Via`, the server gets
//! the header and no proxy does.
//!
//! # Whom to trust
//!
//! A header is a claim. Whoever can connect from a trusted source can be any client: list the
//! balancer's addresses and no more, and let nobody else on that machine or network connect.

#![forbid(unsafe_code)]

mod announce;
mod behind;
mod error;
mod header;
mod via;

use socketry_transport::{BoxTransport, Layer, Registry, Result};

pub use announce::{Announce, AnnounceTransport};
pub use behind::{Behind, BehindListener, BehindRecv, BehindTransport, Forwarded, Sources};
pub use error::ProxyError;
pub use header::{ClientTls, Fields, Header, LONGEST_V1, LONGEST_V2, Origin, Version, kind};
pub use via::{Hop, Passed, Via, ViaSend, ViaTransport};

/// `registry` with `layer` over its `tcp` and its `unix`, where it has those.
fn over_streams<L: Layer<BoxTransport> + Clone>(registry: Registry, layer: &L) -> Result<Registry> {
    let known = |scheme: &&str| registry.get(scheme).is_some();
    let schemes: Vec<_> = ["tcp", "unix"].into_iter().filter(known).collect();
    let over = |registry: Registry, scheme: &str| registry.layer(scheme, layer.clone());
    schemes.into_iter().try_fold(registry, over)
}

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
