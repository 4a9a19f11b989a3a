//! Connecting, again and again: how long to wait before each attempt.

use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{BoxSocket, Endpoint, Error, ErrorKind, Registry, Result};
use tokio::time::{Instant, sleep_until, timeout};

use super::Shared;
use crate::client::error::Lost;
use crate::client::state::ClientState;
use crate::client::{ClientLimits, bound};

/// Dials one endpoint.
pub(in crate::client) struct Dialer {
    registry: Registry,
    endpoint: Endpoint,
    /// The attempts since the last good connection.
    failed: u32,
    /// Why the next attempt has to wait.
    wait: Option<Lost>,
}

/// What dialing came to.
pub(super) enum Dialed {
    Connected(BoxSocket),
    /// The client was closed meanwhile, or no attempt can ever succeed.
    Over(Lost),
}

impl Dialer {
    pub(in crate::client) fn new(registry: Registry, endpoint: Endpoint) -> Self {
        Dialer {
            registry,
            endpoint,
            failed: 0,
            wait: None,
        }
    }

    /// Dials until there is a connection. Each time is a new attempt from the beginning, with the
    /// name resolved again.
    pub(super) async fn dial(&mut self, shared: &Shared) -> Dialed {
        tokio::select! {
            biased;
            () = done(shared) => Dialed::Over(Lost::Closed),
            dialed = self.dial_until_connected(shared) => dialed,
        }
    }

    async fn dial_until_connected(&mut self, shared: &Shared) -> Dialed {
        loop {
            if let Some(why) = self.wait.take() {
                let until = Instant::now() + jitter(longest(&shared.limits, self.failed));
                tracing::debug!(to = %self.endpoint.redacted(), "dials again later: {why}");
                shared
                    .state
                    .send_replace(ClientState::Waiting { until, why });
                sleep_until(until).await;
            }
            let attempt = self.failed.saturating_add(1);
            shared
                .state
                .send_replace(ClientState::Connecting { attempt });
            match self.attempt(bound(shared.limits.connect)).await {
                Ok(socket) => return Dialed::Connected(socket),
                Err(error) => {
                    let hopeless = is_hopeless(error.kind());
                    let why = Lost::NotConnected(Arc::new(error));
                    if hopeless {
                        return Dialed::Over(why);
                    }
                    self.lost(why, false);
                }
            }
        }
    }

    async fn attempt(&self, within: Option<Duration>) -> Result<BoxSocket> {
        let connect = self.registry.connect(&self.endpoint);
        let Some(within) = within else {
            return connect.await;
        };
        timeout(within, connect).await.unwrap_or_else(|_| {
            let error = Error::new(ErrorKind::TimedOut, "connect to", &self.endpoint);
            Err(error.because(format!("there was no connection within {within:?}")))
        })
    }

    /// An attempt failed, or its connection was lost. After one that was `good` the waits begin
    /// anew, and there is none if the server ended it in order.
    pub(super) fn lost(&mut self, why: Lost, good: bool) {
        self.failed = if good {
            0
        } else {
            self.failed.saturating_add(1)
        };
        self.wait = (!good || !matches!(why, Lost::Ended)).then_some(why);
    }
}

/// Waits until the client was closed and no call waits.
async fn done(shared: &Shared) {
    while !shared.is_done(false) {
        shared.changed().await;
    }
}

/// Whether an attempt fails in the same way each time.
fn is_hopeless(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::InvalidEndpoint
            | ErrorKind::InvalidOption
            | ErrorKind::UnknownScheme
            | ErrorKind::Unsupported
    )
}

/// The longest wait after so many failures.
fn longest(limits: &ClientLimits, failed: u32) -> Duration {
    let doubled = 2u32.saturating_pow(failed.saturating_sub(1));
    let wait = limits.backoff_min.saturating_mul(doubled);
    wait.min(limits.backoff_max)
}

/// A random part of `longest`, from none to all: "full jitter". Clients that lost their server
/// together would otherwise come back together.
fn jitter(longest: Duration) -> Duration {
    let nanos = u64::try_from(longest.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(fastrand::u64(0..=nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_doubles_up_to_a_bound() {
        let limits = ClientLimits::default();
        let waits = [0, 1, 2, 3, 9, 10, 1000, u32::MAX].map(|failed| longest(&limits, failed));
        let millis = [100, 100, 200, 400, 25_600, 30_000, 30_000, 30_000];
        assert_eq!(waits, millis.map(Duration::from_millis));
    }

    #[test]
    fn jitter_is_spread_over_the_whole_wait() {
        let longest = Duration::from_secs(1);
        let waits: Vec<_> = (0..1000).map(|_| jitter(longest)).collect();
        assert!(waits.iter().all(|wait| *wait <= longest));
        assert!(waits.iter().any(|wait| *wait < longest / 10));
        assert!(waits.iter().any(|wait| *wait > longest / 10 * 9));
        assert_eq!(jitter(Duration::ZERO), Duration::ZERO);
        assert!(jitter(Duration::MAX) <= Duration::MAX);
    }
}
