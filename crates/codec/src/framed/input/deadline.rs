//! How long a frame may take.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::limits::DEFAULT_FRAME_TIME;

/// How much longer a late frame may take when bytes arrive just then and nobody received when the
/// deadline came: they may be here only now because of that.
const GRACE: Duration = Duration::from_secs(1);
/// A task that looks so long after the deadline was not waiting when it came. A task that waits for
/// a frame is woken by the deadline, so no peer gains time by sending something in that moment.
const ABSENT: Duration = Duration::from_millis(100);

/// The time of the frame that has begun, if one has.
pub(super) struct Deadline {
    pub(super) limit: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Deadline {
            limit: Some(DEFAULT_FRAME_TIME),
            timer: None,
        }
    }

    /// The frame is whole, or given up.
    pub(super) fn clear(&mut self) {
        self.timer = None;
    }

    /// Nothing is there now, and perhaps bytes have `arrived` since that was so last. Ready, with the
    /// limit, once a frame that has `begun` is late.
    pub(super) fn poll_late(
        &mut self,
        cx: &mut Context<'_>,
        begun: bool,
        arrived: bool,
    ) -> Poll<Duration> {
        let Some(limit) = self.limit.filter(|_| begun) else {
            return Poll::Pending;
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        if arrived && timer.deadline().elapsed() > ABSENT {
            timer.set(sleep(GRACE));
            ready!(timer.as_mut().poll(cx));
        }
        Poll::Ready(limit)
    }
}
