//! The last moments of a connection: what is still said, and what is still read.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

/// How long a connection that ends tries to have its close frame leave, and reads what the peer
/// still sends: 2 seconds.
const TIME: Duration = Duration::from_secs(2);
/// How many bytes it reads then, at most: 16 MiB.
const BYTES: usize = 16 << 20;

/// The bounds of an end.
///
/// A socket that is dropped with unread bytes makes the kernel send a reset, which destroys the
/// close frame that the peer has not read. So after a violation the rest is read and thrown away.
pub(super) struct Farewell {
    timer: Pin<Box<Sleep>>,
    left: usize,
    /// Whether the peer may still send, so that reading goes on.
    pub(super) drains: bool,
}

impl Farewell {
    pub(super) fn new(drains: bool) -> Self {
        Farewell {
            timer: Box::pin(sleep(TIME)),
            left: BYTES,
            drains,
        }
    }

    /// So many bytes were thrown away.
    pub(super) fn drained(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
        self.drains &= self.left > 0;
    }

    /// Ready when the time is over.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.timer.as_mut().poll(cx)
    }
}
