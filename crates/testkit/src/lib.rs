//! The common part of tests of sockets, codecs and apps.
//!
//! * [`Places`]: an endpoint of every standard transport, in a directory of its own, so that one
//!   law can be run against each.
//! * [`Script`]: a socket that receives, accepts and refuses exactly what a test says, and records
//!   what is written.
//! * [`Faulty`]: a socket over any other that misbehaves on purpose, as a seed decides.
//! * [`FaultyMux`]: the same for connections with many streams.
//! * `scenario` (feature `apps`, a default): a short run of each app over any pairing.
//! * [`codec`]: the laws of a codec, to run against one of your own with [`codec_laws!`].
//! * [`connection`]: the laws of connections with many streams, with [`connection_laws!`].
//! * [`datagram`]: the laws of a datagram transport, to run against one of your own with
//!   [`datagram_laws!`].
//! * [`hub`]: the laws of one message to many over any transport, with [`hub_laws!`].
//! * [`message`]: the laws of a transport whose messages all arrive in order, with
//!   [`message_laws!`].
//! * [`names`]: the laws of resolvers of names, with [`names_laws!`].
//! * [`service`]: the laws of a server over any transport, with [`service_laws!`].
//! * [`stream`]: the laws of a stream transport, to run against one of your own with
//!   [`stream_laws!`].
//! * [`in_time`]: a deadline for a future that must not hang.
//!
//! The laws are here, and not in the crates that they bind, since they bind all transports, codecs
//! and apps alike.
#![forbid(unsafe_code)]

pub mod codec;
pub mod connection;
pub mod datagram;
pub mod faulty;
pub mod hub;
mod law;
pub mod message;
pub mod names;
mod places;
#[cfg(feature = "apps")]
pub mod scenario;
mod script;
pub mod service;
pub mod stream;

use std::future::Future;
use std::time::Duration;

pub use faulty::{Fault, Faults, Faulty, FaultyConnection, FaultyMux, FaultyTransport, Trace};
pub use law::{Law, Violation};
pub use places::Places;
pub use script::Script;

/// How long a step of a test may take: far more than it needs, so that it fails only if it hangs.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// The result of `wait`.
///
/// # Panics
/// With `what` in its message, if `wait` takes longer than [`DEADLINE`].
pub async fn in_time<T>(what: &str, wait: impl Future<Output = T>) -> T {
    match tokio::time::timeout(DEADLINE, wait).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: nothing happened within {DEADLINE:?}"),
    }
}

/// Runs the Rust code of the workspace's README as a doc test.
#[cfg(all(doctest, feature = "apps"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// Runs the guide's code as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/write-a-codec.md")]
struct WriteACodec;

/// Compiles the guide's Rust code, and runs what ends by itself.
#[cfg(all(doctest, target_os = "linux"))]
#[doc = include_str!("../../../docs/guide.md")]
struct Guide;

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct PackageReadme;

/// Runs the guide's Rust code as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/write-a-transport.md")]
struct WriteATransport;
