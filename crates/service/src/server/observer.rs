//! What a server tells about its connections.

use std::fmt;
use std::time::Duration;

use socketry_codec::FrameError;
use socketry_transport::{Info, UpgradeFailure};

/// The reason for which a client was not served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The server has [as many connections](crate::Limits::connections) as it may have.
    Full,
    /// This peer has [as many connections](crate::Limits::per_peer) as it may have.
    PeerFull,
    /// This user has [as many connections](crate::Limits::per_user) as it may have.
    UserFull,
    /// The buffers of all connections have [as much memory](crate::Limits::buffers) as they may
    /// have.
    Memory,
    /// The system had no descriptor or memory for one more connection, for a fifth of a second. The
    /// listener has refused the client, with a descriptor that it keeps for that.
    System,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Full => "the server has as many connections as it may have",
            Refusal::PeerFull => "this peer has as many connections as it may have",
            Refusal::UserFull => "this user has as many connections as it may have",
            Refusal::Memory => "the connections have as much memory as they may have",
            Refusal::System => "the system has no descriptor or memory for one more connection",
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
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use socketry_service::Observer;
///
/// /// The program keeps a clone, to read the number.
/// #[derive(Clone, Default)]
/// struct Frames(Arc<AtomicUsize>);
///
/// impl Observer for Frames {
///     fn frames_received(&self, _: u64, count: usize) {
///         self.0.fetch_add(count, Ordering::Relaxed);
///     }
/// }
/// ```
pub trait Observer: Send + Sync + 'static {
    /// A client is served from now on.
    fn accepted(&self, id: u64, info: &Info) {
        let _ = (id, info);
    }

    /// A client was refused. Nothing is known about those that the listener refused
    /// ([`System`](Refusal::System)).
    fn refused(&self, info: Option<&Info>, why: Refusal) {
        let _ = (info, why);
    }

    /// A handshake of [`Server::upgrading`](crate::Server::upgrading) took `elapsed` and succeeded.
    fn upgraded(&self, info: &Info, elapsed: Duration) {
        let _ = (info, elapsed);
    }

    /// Such a handshake failed.
    fn upgrade_failed(&self, failure: &UpgradeFailure<'_>) {
        let _ = failure;
    }

    /// So many frames were given to the handler. Those that it takes together are told together.
    fn frames_received(&self, id: u64, count: usize) {
        let _ = (id, count);
    }

    /// So many frames were taken from the handler, and are written now or with others.
    fn frames_sent(&self, id: u64, count: usize) {
        let _ = (id, count);
    }

    /// The transport gave so many bytes.
    fn bytes_received(&self, id: u64, count: usize) {
        let _ = (id, count);
    }

    /// The transport took so many bytes.
    fn bytes_sent(&self, id: u64, count: usize) {
        let _ = (id, count);
    }

    /// A receive or a send gave this error to the handler. It may concern one frame only
    /// ([`FrameError::is_fatal`]).
    fn failed(&self, id: u64, error: &FrameError) {
        let _ = (id, error);
    }

    /// A request has come, and with it `waiting` requests of this connection wait for their
    /// answers.
    fn requested(&self, id: u64, waiting: usize) {
        let _ = (id, waiting);
    }

    /// A request waits no more: its answer was put behind those that are written, `latency` after
    /// the request came. `None` if its connection ended before that.
    fn answered(&self, id: u64, latency: Option<Duration>) {
        let _ = (id, latency);
    }

    /// A connection that was accepted has ended after `elapsed`.
    fn ended(&self, id: u64, info: &Info, how: &Ending<'_>, elapsed: Duration) {
        let _ = (id, info, how, elapsed);
    }
}
