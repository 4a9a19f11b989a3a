//! Frames of the server that answer no request.

use std::fmt;

use bytes::Bytes;
use tokio::sync::broadcast::{self, error::RecvError};

/// A push up to this length is copied out of the receive buffer. Otherwise a few bytes that wait
/// here would keep all of that buffer in memory.
const COPIED: usize = 4096;

/// The frames that a server sends unasked, in order: a receiver of its own for each part of the
/// program that wants them.
///
/// Made by [`Client::pushes`](crate::Client::pushes). At most
/// [`ClientLimits::pushes`](crate::ClientLimits::pushes) frames wait. A receiver that falls behind
/// misses the oldest ones, is told how many, and never delays answers.
pub struct Pushes {
    frames: broadcast::Receiver<Bytes>,
    missed: u64,
}

impl Pushes {
    /// The next frame. `None` when the client has ended. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Bytes> {
        loop {
            match self.frames.recv().await {
                Ok(frame) => return Some(frame),
                Err(RecvError::Lagged(frames)) => self.missed += frames,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// How many frames this receiver has missed so far, since it fell behind.
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl fmt::Debug for Pushes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pushes")
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

/// The sending side. The driver has it, so that receivers see the end with the driver's.
#[derive(Clone)]
pub(super) struct Publisher(broadcast::Sender<Bytes>);

/// Makes receivers, as long as there is a [`Publisher`].
pub(super) struct Subscriptions(broadcast::WeakSender<Bytes>);

impl Publisher {
    /// With room for `most` frames.
    pub(super) fn new(most: usize) -> Self {
        // `broadcast` panics for 0, and above half of the largest number.
        Publisher(broadcast::Sender::new(most.clamp(1, 1 << 20)))
    }

    pub(super) fn subscriptions(&self) -> Subscriptions {
        Subscriptions(self.0.downgrade())
    }

    pub(super) fn publish(&self, frame: Bytes) {
        if self.0.receiver_count() == 0 {
            return;
        }
        let frame = match frame.len() {
            0..=COPIED => Bytes::copy_from_slice(&frame),
            _ => frame,
        };
        // Nobody listens any more: nobody misses it.
        let _ = self.0.send(frame);
    }
}

impl Subscriptions {
    pub(super) fn subscribe(&self) -> Pushes {
        let frames = match self.0.upgrade() {
            Some(frames) => frames.subscribe(),
            None => broadcast::channel(1).1,
        };
        Pushes { frames, missed: 0 }
    }
}
