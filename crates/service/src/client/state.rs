//! What a client tells about its connection.

use socketry_transport::Endpoint;
use tokio::time::Instant;

use super::error::Lost;

/// The state of a client's connection, as [`Client::state`](crate::Client::state) tells it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientState {
    /// It connects.
    #[non_exhaustive]
    Connecting {
        /// 1 for the first attempt, and for the first one after a connection that was good.
        attempt: u32,
    },
    /// It is connected.
    #[non_exhaustive]
    Connected {
        /// The server.
        peer: Endpoint,
    },
    /// It waits before the next attempt.
    #[non_exhaustive]
    Waiting {
        /// When that begins.
        until: Instant,
        /// Why the last one failed, or its connection was lost.
        why: Lost,
    },
    /// It has ended for good.
    #[non_exhaustive]
    Closed {
        /// The reason: [`Lost::Closed`], or an error that no further attempt can mend, such as an
        /// option that the transport does not know.
        why: Lost,
    },
}

impl ClientState {
    /// Whether it is connected.
    pub fn is_connected(&self) -> bool {
        matches!(self, ClientState::Connected { .. })
    }

    /// Whether it has ended for good.
    pub fn is_closed(&self) -> bool {
        matches!(self, ClientState::Closed { .. })
    }
}
