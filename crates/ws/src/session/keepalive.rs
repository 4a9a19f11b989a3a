//! Pings, and the time in which the peer has to give a sign of life.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// Says when a ping is due, and when the peer is late.
pub(super) struct Keepalive {
    /// The time from one ping to the next.
    every: Option<Duration>,
    /// The time that the peer has after a ping.
    patience: Duration,
    /// When the next ping is due.
    next: Instant,
    timer: Option<Pin<Box<Sleep>>>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The timer runs to the next ping.
    Quiet,
    /// It runs to the end of the peer's time.
    Asked,
    /// The same, and the peer gave one.
    Answered,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A ping is to be sent.
    Ping,
    /// The peer gave no sign of life for this time after a ping.
    Late(Duration),
}

impl Keepalive {
    pub(super) fn new(every: Option<Duration>, patience: Duration) -> Self {
        Keepalive {
            every,
            patience,
            next: later(every.unwrap_or_default()),
            timer: None,
            state: State::Quiet,
        }
    }

    /// The peer lives. A pong may stand behind many other bytes, so any bytes are a sign of life.
    pub(super) fn heard(&mut self) {
        if self.state == State::Asked {
            self.state = State::Answered;
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Due> {
        let Some(every) = self.every else {
            return Poll::Pending;
        };
        loop {
            let next = self.next;
            let timer = self
                .timer
                .get_or_insert_with(|| Box::pin(sleep_until(next)));
            ready!(timer.as_mut().poll(cx));
            match self.state {
                State::Quiet => {
                    self.state = State::Asked;
                    self.next = later(every);
                    timer.as_mut().reset(later(self.patience));
                    return Poll::Ready(Due::Ping);
                }
                State::Answered => {
                    self.state = State::Quiet;
                    timer.as_mut().reset(self.next);
                }
                State::Asked => return Poll::Ready(Due::Late(self.patience)),
            }
        }
    }
}

fn later(time: Duration) -> Instant {
    let now = Instant::now();
    // A time beyond all that the clock counts is a century.
    now.checked_add(time)
        .unwrap_or_else(|| now + Duration::from_secs(100 * 365 * 86_400))
}
