//! Sessions: the peers of one unconnected socket, as one socket each.
//!
//! A server that accepts needs a socket for each peer, but all datagrams arrive at one socket. So
//! one task, the pump, receives there. It sorts the datagrams into a bounded table of sessions, one
//! for each address. The sessions send their answers through the shared socket directly.
//!
//! [`SessionLimits`] bounds everything that a peer can make grow. If the table or the backlog is
//! full, a new peer is refused. If a queue is full, the newest datagram is dropped, as a network
//! would drop it. Both are counted. A session is never evicted for a new peer, so new peers cannot
//! displace those that have a session.

mod peer;
mod pump;
mod socket;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::contract::datagram::DatagramSocket;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::listener::Listener;
use crate::options::SocketOptions;
use pump::Pump;
pub use socket::{Session, SessionRecv, SessionSend};
use table::Hub;

/// The resources that the peers of a [`SessionListener`] may use.
///
/// In the worst case each peer fills its queue. That is `max_peers` × `queue_bytes`, 256 MiB by
/// default. Lower either where anyone can reach the socket and memory is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// The most sessions at once, at least 1; default 1,024. Further peers are refused until one
    /// has gone.
    pub max_peers: usize,
    /// How long a session lasts while no datagram arrives or is sent; default 5 minutes. It ends at
    /// most 1/32 of that later. The time begins when the session is accepted.
    pub idle: Duration,
    /// The most datagrams that wait in one session to be received, at least 1; default 64. Further
    /// ones are dropped.
    pub queue: usize,
    /// The most bytes that wait in one session to be received; default 256 KiB. One datagram alone
    /// always fits.
    pub queue_bytes: usize,
    /// The most sessions that wait to be accepted, at least 1; default 1,024. Further peers are
    /// refused.
    pub backlog: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        SessionLimits {
            max_peers: SocketOptions::DEFAULT_MAX_PEERS,
            idle: SocketOptions::DEFAULT_PEER_IDLE,
            queue: SocketOptions::DEFAULT_PEER_QUEUE,
            queue_bytes: SocketOptions::DEFAULT_PEER_QUEUE_BYTES,
            backlog: 1024,
        }
    }
}

impl From<&SocketOptions> for SessionLimits {
    fn from(options: &SocketOptions) -> Self {
        let default = SessionLimits::default();
        let backlog = options
            .backlog
            .and_then(|backlog| usize::try_from(backlog).ok());
        SessionLimits {
            max_peers: options.max_peers.unwrap_or(default.max_peers),
            idle: options.peer_idle.unwrap_or(default.idle),
            queue: options.peer_queue.unwrap_or(default.queue),
            queue_bytes: options.peer_queue_bytes.unwrap_or(default.queue_bytes),
            backlog: backlog.unwrap_or(default.backlog),
        }
    }
}

/// The number of datagrams that a [`SessionListener`] could not deliver since it began, and of its
/// errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStats {
    /// Dropped because the session's queue was full, or the session had just ended or stopped
    /// receiving.
    pub dropped_datagrams: u64,
    /// From new peers for which the table or the backlog had no room, or whose address the scheme
    /// cannot express.
    pub refused_peers: u64,
    /// From senders without an address, which cannot be told apart or answered. A Unix client has
    /// an address if it binds.
    pub unnamed: u64,
    /// Errors of the shared socket while receiving.
    pub errors: u64,
}

/// Turns the peers of a bound datagram socket into one [`Session`] each.
///
/// A datagram from a new address makes a session, which waits to be accepted. Later datagrams from
/// that address go to that session. It ends when both its halves are dropped, or after
/// [`idle`](SessionLimits::idle) without traffic. The next datagram from its address then makes a
/// new session.
///
/// Sessions outlive their listener. Dropping it also drops the sessions that were not accepted yet,
/// and refuses new peers. The shared socket is closed when the last session has been dropped too.
pub struct SessionListener<D: DatagramSocket> {
    socket: Arc<D>,
    hub: Arc<Hub>,
}

impl<D: DatagramSocket> SessionListener<D> {
    /// Listens on `socket`. No other code may receive from it, but may send through a clone of the
    /// `Arc`.
    ///
    /// # Panics
    /// Outside of a tokio runtime with time enabled: the task that receives is spawned there. When
    /// that runtime shuts down, the sessions end and [`accept`](Listener::accept) fails.
    pub fn new(socket: impl Into<Arc<D>>, limits: SessionLimits) -> Self {
        let socket = socket.into();
        let here = (socket.max_len(), socket.local().clone());
        let hub = Arc::new(Hub::new(limits, here));
        tokio::spawn(Pump::new(Arc::clone(&socket), Arc::clone(&hub)).run());
        SessionListener { socket, hub }
    }

    /// The counts of datagrams that could not be delivered so far.
    pub fn stats(&self) -> SessionStats {
        self.hub.stats()
    }
}

impl<D: DatagramSocket> Listener for SessionListener<D> {
    type Socket = Session<D>;

    fn local(&self) -> &Endpoint {
        self.socket.local()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Session<D>>> {
        match ready!(self.hub.poll_next(cx)) {
            Some(peer) => Poll::Ready(Ok(Session::of(&self.socket, &self.hub, peer))),
            None => Poll::Ready(Err(Error::new(
                ErrorKind::Closed,
                "accept at",
                self.socket.local(),
            )
            .because("the runtime that received for it has shut down"))),
        }
    }
}

impl<D: DatagramSocket> Drop for SessionListener<D> {
    fn drop(&mut self) {
        self.hub.stop_listening();
    }
}

impl<D: DatagramSocket> fmt::Debug for SessionListener<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionListener({})", self.socket.local().redacted())
    }
}
