//! How long one direction may wait.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::units::format_duration;

/// A bound for the time during which polls keep answering `Pending`.
#[derive(Debug)]
pub(super) struct Patience {
    most: Option<Duration>,
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Patience {
    /// At most this long. Without a time, or with one of zero, there is no bound.
    pub(super) fn new(most: Option<Duration>) -> Self {
        Patience {
            most: most.filter(|most| !most.is_zero()),
            timer: None,
            waiting: false,
        }
    }

    /// `polled`, or an error with the words of `trouble` once it has waited too long.
    pub(super) fn bound<V>(
        &mut self,
        cx: &mut Context<'_>,
        trouble: &str,
        polled: Poll<io::Result<V>>,
    ) -> Poll<io::Result<V>> {
        let Some(most) = self.most.filter(|_| polled.is_pending()) else {
            self.waiting = false;
            return polled;
        };
        if !self.waiting {
            // A time that the clock cannot express never comes.
            let Some(until) = Instant::now().checked_add(most) else {
                return polled;
            };
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(until),
                none => *none = Some(Box::pin(sleep_until(until))),
            }
            self.waiting = true;
        }
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
        }
        self.waiting = false;
        let words = format!("{trouble} for {}", format_duration(most));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, words)))
    }
}
