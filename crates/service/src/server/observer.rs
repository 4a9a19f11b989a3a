//! What a server tells about its connections.

use std::fmt;
use std::time::Duration;

use socketry_transport::Info;

/// The reason for which a client was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The server has [as many connections](crate::Limits::connections) as it may have.
    Full,
    /// This peer has [as many connections](crate::Limits::per_peer) as it may have.
    PeerFull,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Full => "the server has as many connections as it may have",
            Refusal::PeerFull => "this peer has as many connections as it may have",
        })
    }
}

/// How a connection ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Ending<'a> {
    /// The handler was done, and the connection was closed in order.
    Done,
    /// The handler gave an error, and the connection was reset.
    Failed(&'a (dyn std::error::Error + Send + Sync + 'static)),
    /// The handler panicked, and the connection was reset. The process's panic hook has the words.
    Panicked,
    /// It was still busy at the end of the [grace time](crate::Limits::grace), or the server was
    /// dropped.
    Cut,
}

impl fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Done => f.write_str("done"),
            Ending::Failed(error) => write!(f, "failed: {error}"),
            Ending::Panicked => f.write_str("the handler panicked"),
            Ending::Cut => f.write_str("cut while it was busy"),
        }
    }
}

/// Hears of each connection of a [`Server`](crate::Server). Each method does nothing by default.
///
/// The methods run in the server's tasks: they must not block. `id` is the same in all calls about
/// one connection, and never used again by this server.
pub trait Observer: Send + Sync + 'static {
    /// A client is served from now on.
    fn accepted(&self, id: u64, info: &Info) {
        let _ = (id, info);
    }

    /// A client was refused.
    fn refused(&self, info: &Info, why: Refusal) {
        let _ = (info, why);
    }

    /// A connection that was accepted has ended after `elapsed`.
    fn ended(&self, id: u64, info: &Info, how: &Ending<'_>, elapsed: Duration) {
        let _ = (id, info, how, elapsed);
    }
}
