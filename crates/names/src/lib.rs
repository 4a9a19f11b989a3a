//! Names for the sockets of socketry: the servers of a service by SRV records, and a resolver that
//! asks DNS servers by itself.
//!
//! * [`Srv`]: a [layer](socketry_transport::Layer) whose URLs name a service. Its records say on
//!   which hosts and ports the servers are: `tcp+srv://_chat._tcp.example.org`.
//! * `Names` (feature `hickory`): a resolver, which has such records. The one of the system
//!   ([`SystemResolver`](socketry_transport::SystemResolver)) has none, since `getaddrinfo` has
//!   none. Any other [`Resolve`](socketry_transport::Resolve) will do.
//!
//! # How a server of a service is found
//!
//! * The records are ordered by their priority, and among those of one priority by chance, as their
//!   weights say (RFC 2782; [`ordered`]). They are tried in this order, at most 32 of them, until a
//!   connect succeeds. The addresses of one host are tried as the transport inside does.
//! * One time bounds all of it, with the question for the records: `connect_timeout`, 30 seconds by
//!   default. What is left is shared out among the servers that are left, so a silent one leaves
//!   time for the next. An error has the reasons of the first three.
//! * A connect over UDP sends nothing, so the first server is taken that has an address.
//! * Without records there is an error, and no connect to the domain itself, whose address RFC 2782
//!   would ask for: the port of that would be a guess.
//! * A record whose target is `.` says that there is no such service, which is an error too.
//! * The name is whole: search domains do not complete it, since the network that gives those would
//!   then say which service it is. A dot at its end changes nothing. Letters beyond ASCII are
//!   refused; such a name has a form in ASCII, `xn--…`. A URL with a port is refused.
//! * Options are those of the transport inside, and are handed to it.
//! * Through a proxy (`via=`) the records are asked for here, since proxies have none. The proxy
//!   gets the name of the host where it resolves names, and its address where this machine does.
//!
//! A server that listens has an address, and not a service: to listen is refused.
//!
//! # Which name a server has to prove
//!
//! Over TLS and QUIC it is the domain of the URL: `example.org` for
//! `tls+srv://_chat._tcp.example.org` (RFC 9525, section 6.1; XMPP does the same, RFC 6120, section
//! 13.7.2.1). The host comes from the DNS, which anybody on the way may have forged, so a
//! certificate for it proves nothing. Certificates for a service alone (SRV-ID, RFC 4985) are not
//! understood. `name=` in the URL names another, and `pin=` a key, as always.
//!
//! Without TLS, the DNS decides whom a client talks to, as it does for each host. An answer with a
//! private address is an answer like any other: a program that takes URLs from strangers checks
//! them itself.
//!
//! # Features
//!
//! * `hickory`: `Names`, through hickory-resolver. Off, since it brings 70 packages; the layer alone
//!   brings none.

#![forbid(unsafe_code)]

#[cfg(feature = "hickory")]
mod hickory;
mod order;
mod srv;
mod transport;
mod url;

#[cfg(feature = "hickory")]
pub use hickory::Names;
pub use order::ordered;
pub use srv::Srv;
pub use transport::SrvTransport;

/// Runs this package's README as a doc test.
#[cfg(all(doctest, feature = "hickory"))]
#[doc = include_str!("../README.md")]
struct Readme;
