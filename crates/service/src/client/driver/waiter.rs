//! The callers that wait for answers.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;

use crate::client::call::Outcome;
use crate::client::error::CallError;

/// Tells whether a frame is the last answer to its request.
pub(in crate::client) type Last = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// The receiver of the answer.
pub(in crate::client) enum Waiter {
    /// Nobody: a notification.
    Nobody,
    One(oneshot::Sender<Result<Bytes, CallError>>),
    Many(Many),
}

/// The receiver of several answers.
pub(in crate::client) struct Many {
    frames: mpsc::Sender<Bytes>,
    outcome: Arc<Outcome>,
    pub(super) last: Last,
    /// It has got an answer, so the request cannot be sent again.
    begun: bool,
}

/// A frame for which a receiver has no room yet.
pub(super) struct Blocked {
    frames: mpsc::Sender<Bytes>,
    frame: Bytes,
}

impl Blocked {
    /// Waits for room, and gives whether the receiver is there still. Cancel-safe.
    pub(super) async fn room(&mut self) -> bool {
        match self.frames.reserve().await {
            Ok(place) => {
                place.send(std::mem::take(&mut self.frame));
                true
            }
            Err(_) => false,
        }
    }
}

impl Waiter {
    pub(in crate::client) fn many(
        frames: mpsc::Sender<Bytes>,
        outcome: Arc<Outcome>,
        last: Last,
    ) -> Self {
        Waiter::Many(Many {
            frames,
            outcome,
            last,
            begun: false,
        })
    }

    /// Whether its receiver has gone.
    pub(super) fn is_gone(&self) -> bool {
        match self {
            Waiter::Nobody => false,
            Waiter::One(waiter) => waiter.is_closed(),
            Waiter::Many(many) => many.frames.is_closed(),
        }
    }

    /// Whether the request may be sent again, if it is idempotent.
    pub(super) fn may_begin_anew(&self) -> bool {
        !matches!(self, Waiter::Many(many) if many.begun)
    }

    pub(super) fn fail(self, error: CallError) {
        // The receiver may have gone meanwhile.
        match self {
            Waiter::Nobody => {}
            Waiter::One(waiter) => drop(waiter.send(Err(error))),
            Waiter::Many(many) => drop(many.outcome.set(Err(error))),
        }
    }
}

impl Many {
    /// Gives the next answer. With the `last` one, the receiver sees the end behind it.
    pub(super) fn give(&mut self, frame: Bytes, last: bool) -> Option<Blocked> {
        self.begun = true;
        if last {
            let _ = self.outcome.set(Ok(()));
        }
        match self.frames.try_send(frame) {
            Ok(()) | Err(TrySendError::Closed(_)) => None,
            Err(TrySendError::Full(frame)) => Some(Blocked {
                frames: self.frames.clone(),
                frame,
            }),
        }
    }
}
