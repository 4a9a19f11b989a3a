//! Whether the server is still there: a probe when it is silent, and the end when it stays so.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use socketry_codec::{Waiting, Watch};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::client::ClientLimits;

/// The timer of one connection's probes.
pub(super) struct Pulse {
    interval: Duration,
    timeout: Duration,
    arrivals: Arc<Arrivals>,
    /// The probe that was sent: the last arrival before it, and its time.
    probed: Option<(u64, Instant)>,
    timer: Pin<Box<Sleep>>,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// Send a probe.
    Probe,
    /// Give the connection up: nothing has arrived for this long.
    Dead(Duration),
}

/// When bytes arrived last.
struct Arrivals {
    begun: Instant,
    /// In microseconds from the beginning.
    last: AtomicU64,
}

/// Notes arrivals. A receive asks it each time that it has to wait.
struct Noting(Arc<Arrivals>);

impl Watch for Noting {
    fn poll_wait(&mut self, _: &mut Context<'_>, waiting: Waiting) -> Poll<io::Result<()>> {
        if waiting.arrived {
            self.0.note();
        }
        Poll::Pending
    }
}

impl Arrivals {
    fn note(&self) {
        let micros = self.begun.elapsed().as_micros();
        let micros = u64::try_from(micros).unwrap_or(u64::MAX);
        self.last.store(micros, Ordering::Relaxed);
    }
}

impl Pulse {
    pub(super) fn new(limits: &ClientLimits) -> Self {
        let begun = Instant::now();
        Pulse {
            interval: limits.probe_interval,
            timeout: limits.probe_timeout,
            arrivals: Arc::new(Arrivals {
                begun,
                last: AtomicU64::new(0),
            }),
            probed: None,
            timer: Box::pin(sleep_until(begun + limits.probe_interval)),
        }
    }

    /// The part that sees the bytes arrive.
    pub(super) fn watch(&self) -> impl Watch + 'static {
        Noting(Arc::clone(&self.arrivals))
    }

    /// Waits until something is to be done. Cancel-safe.
    pub(super) async fn beat(&mut self) -> Beat {
        loop {
            let last = self.arrivals.last.load(Ordering::Relaxed);
            if self.probed.is_some_and(|(before, _)| before != last) {
                self.probed = None;
            }
            let arrived = self.arrivals.begun + Duration::from_micros(last);
            let until = match self.probed {
                None => arrived + self.interval,
                // The answer has its time, also if this was polled late.
                Some((_, probed)) => probed + self.timeout,
            };
            let now = Instant::now();
            if now >= until {
                return match self.probed.replace((last, now)) {
                    None => Beat::Probe,
                    Some(_) => Beat::Dead(now - arrived),
                };
            }
            if self.timer.deadline() != until {
                self.timer.as_mut().reset(until);
            }
            self.timer.as_mut().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::sleep;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_probed_and_then_given_up() {
        let begun = Instant::now();
        let mut pulse = Pulse::new(&ClientLimits::default());
        assert_eq!(pulse.beat().await, Beat::Probe);
        assert_eq!(begun.elapsed(), 30 * SECOND);
        assert_eq!(pulse.beat().await, Beat::Dead(40 * SECOND));
        assert_eq!(begun.elapsed(), 40 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_is_late_has_its_time_too() {
        let begun = Instant::now();
        let mut pulse = Pulse::new(&ClientLimits::default());
        sleep(100 * SECOND).await;
        assert_eq!(pulse.beat().await, Beat::Probe);
        assert_eq!(begun.elapsed(), 100 * SECOND);
        assert_eq!(pulse.beat().await, Beat::Dead(110 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn each_byte_of_the_server_gives_it_more_time() {
        let begun = Instant::now();
        let mut pulse = Pulse::new(&ClientLimits::default());
        assert_eq!(pulse.beat().await, Beat::Probe);
        sleep(9 * SECOND).await;
        pulse.arrivals.note();
        assert_eq!(pulse.beat().await, Beat::Probe);
        assert_eq!(begun.elapsed(), (39 + 30) * SECOND);
        assert_eq!(pulse.beat().await, Beat::Dead(40 * SECOND));
    }
}
