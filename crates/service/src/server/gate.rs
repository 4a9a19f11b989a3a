//! How long a connection waits for its client, and that it hears of the stop.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use socketry_codec::{Waiting, Watch};
use socketry_transport::units::format_duration;
use tokio::time::{Instant, Sleep, sleep_until};

use super::stop::Stopper;
use super::tie::Tie;
use crate::Limits;
use crate::limits::bound;

/// Ends a receive at the stop, and fails it at the deadline of the first frame or of the silence
/// after another.
pub(super) struct Gate {
    stop: Stopper,
    tie: Arc<Tie>,
    /// How long the first frame may take, until it has arrived.
    first: Option<Duration>,
    /// The same while the server stops.
    at_stop: Option<Duration>,
    between: Option<Duration>,
    /// When the wait for the next frame began: at the accept, or when the socket was empty.
    since: Instant,
    /// The first frame has arrived.
    known: bool,
    /// Requests were being answered at the last call.
    busy: bool,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Gate {
    pub(super) fn new(limits: &Limits, stop: &Stopper, tie: &Arc<Tie>) -> Self {
        Gate {
            stop: stop.clone(),
            tie: Arc::clone(tie),
            first: bound(limits.first_frame),
            at_stop: bound(limits.first_frame_at_stop),
            between: bound(limits.between_frames),
            since: Instant::now(),
            known: false,
            busy: false,
            timer: None,
        }
    }

    /// The deadline of this wait, and the time that it allows.
    fn deadline(&mut self, waiting: Waiting) -> Option<(Instant, Duration)> {
        let whole = waiting.arrived && !waiting.begun;
        self.known |= whole;
        let busy = self.tie.is_busy();
        if std::mem::replace(&mut self.busy, busy) || busy || whole {
            self.since = Instant::now();
        }
        let limit = match self.known {
            false => self.first,
            // The time of a frame bounds it.
            true if waiting.begun => None,
            true => self.between,
        };
        let limit = limit?;
        // A time that the clock cannot express never comes.
        Some((self.since.checked_add(limit)?, limit))
    }

    /// Ready when the stop ends this wait: at once, unless a newcomer may send its first frame yet.
    fn poll_stopped(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.known {
            return Poll::Ready(());
        }
        let until = self.at_stop.and_then(|time| self.since.checked_add(time));
        match until {
            Some(until) => self.poll_passed(cx, until),
            None => Poll::Pending,
        }
    }

    /// Ready when `deadline` has passed. The timer is moved only when it fires, since most of the
    /// deadlines are moved on before they pass.
    fn poll_passed(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        let timer = match &mut self.timer {
            Some(timer) => timer,
            none => none.insert(Box::pin(sleep_until(deadline))),
        };
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if timer.deadline() >= deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl Watch for Gate {
    fn poll_wait(&mut self, cx: &mut Context<'_>, waiting: Waiting) -> Poll<io::Result<()>> {
        self.tie.register(cx.waker());
        // Read after the waker is there, or the stop could come between the two.
        let stopping = self.stop.is_stopping();
        let deadline = self.deadline(waiting);
        if stopping && !waiting.begun && self.poll_stopped(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let Some((deadline, limit)) = deadline else {
            return Poll::Pending;
        };
        self.poll_passed(cx, deadline).map(|()| {
            let time = format_duration(limit);
            let words = match self.known {
                true => format!("the client sent no frame for {time}"),
                false => format!("the client finished no frame within {time} of its connecting"),
            };
            Err(io::Error::new(io::ErrorKind::TimedOut, words))
        })
    }
}
