//! Why a connection was lost, and why a call has no answer.

use std::sync::Arc;
use std::time::Duration;

use socketry_codec::{Cause, CodecError, FrameError};
use socketry_transport::Error;

/// The reason for which a client has no connection, or has lost one.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Lost {
    /// It could not connect.
    #[error(transparent)]
    NotConnected(Arc<Error>),
    /// The server ended the connection in order.
    #[error("the server ended the connection")]
    Ended,
    /// The transport failed, or the server sent bytes after which no frame can be found.
    #[error(transparent)]
    Failed(FrameError),
    /// The server sent nothing for this long, not even an answer to the probe.
    #[error("the server sent nothing for {0:?}, not even an answer to the probe")]
    Silent(Duration),
    /// Answers that are matched by their order need a stream: a datagram may be lost.
    #[error(
        "answers that come in order need a stream, and this socket carries datagrams; \
         give requests an id, with ClientBuilder::correlate"
    )]
    Unordered,
    /// The client was closed, or its runtime was shut down.
    #[error("the client was closed")]
    Closed,
}

/// The reason for which a call has no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// As many requests wait as [may](crate::ClientLimits::waiting_requests). It was not sent.
    #[error("{0} requests wait already, as many as may")]
    Full(usize),
    /// The requests hold as many bytes as they [may](crate::ClientLimits::waiting_bytes). It was
    /// not sent.
    #[error("the requests that wait or are in flight hold {0} bytes, and no more fit")]
    TooManyBytes(usize),
    /// There was no answer in time.
    #[error(
        "no answer within {after:?}{}",
        if *.sent { "; it may have been done" } else { ", and the request was not sent" }
    )]
    TimedOut {
        /// How long the call waited.
        after: Duration,
        /// Whether the request may have been sent.
        sent: bool,
    },
    /// The connection was lost after bytes of the request were given to the transport, and the
    /// request is not [idempotent](crate::Call::idempotent).
    #[error("the connection was lost before the answer; the request may have been done: {0}")]
    MaybeDone(Lost),
    /// The codec cannot carry the request, or it has no place for an id. It was not sent.
    #[error("the request cannot be sent: {0}")]
    Refused(CodecError),
    /// The answer arrived, and is not a frame. The connection goes on.
    #[error("the answer is not a frame: {0}")]
    BadAnswer(FrameError),
    /// The answer is no value of the type that was asked for ([`TypedClient`](crate::TypedClient)).
    /// The connection goes on.
    #[error("the answer is not such a value: {0}")]
    BadValue(Cause),
    /// The client was closed, or can never connect. The request was not sent.
    #[error("the request was not sent: {0}")]
    Closed(Lost),
}

impl CallError {
    /// Whether the server may have done what the request asked for. If not, the same request can be
    /// called again without harm.
    pub fn may_be_done(&self) -> bool {
        match self {
            CallError::TimedOut { sent, .. } => *sent,
            CallError::MaybeDone(_) | CallError::BadAnswer(_) | CallError::BadValue(_) => true,
            _ => false,
        }
    }
}
