//! The time that a frame may take.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Sleep, sleep};

use crate::limits::DEFAULT_FRAME_TIME;

/// The additional time of a late frame if no task received at its deadline, and bytes have arrived
/// since: they may be late only because of that.
const GRACE: Duration = Duration::from_secs(1);
/// A task that polls this long after the deadline was not waiting at the deadline. A task that
/// waits for a frame is woken by the deadline, so no peer gains time by sending bytes at that
/// moment.
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

    /// Called when the socket has no bytes. `arrived` is whether bytes have arrived since the last
    /// such call. Ready, with the limit, once a frame that has `begun` is late.
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
