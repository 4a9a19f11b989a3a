//! Reporting and counting the results of handshakes.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::contract::endpoint::Endpoint;

/// The reason for which a handshake gave no socket.
#[derive(Debug)]
#[non_exhaustive]
pub enum UpgradeTrouble {
    /// It failed, with this error.
    Failed(Box<dyn std::error::Error + Send + Sync>),
    /// It was not finished at its deadline.
    TimedOut,
    /// It panicked. The process's panic hook got the message.
    Panicked,
}

/// A handshake that gave no socket. It prints as one line.
#[derive(Debug)]
#[non_exhaustive]
pub struct UpgradeFailure<'a> {
    /// The peer's end.
    pub peer: &'a Endpoint,
    /// The reason for which there is no socket.
    pub trouble: UpgradeTrouble,
    /// How long the handshake had run.
    pub elapsed: Duration,
}

impl fmt::Display for UpgradeFailure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (peer, elapsed) = (self.peer.redacted(), self.elapsed);
        write!(f, "the handshake with {peer} ")?;
        match &self.trouble {
            UpgradeTrouble::Failed(error) => write!(f, "failed after {elapsed:?}: {error}"),
            UpgradeTrouble::TimedOut => write!(f, "was not finished within {elapsed:?}"),
            UpgradeTrouble::Panicked => write!(f, "panicked after {elapsed:?}"),
        }
    }
}

/// The numbers of finished handshakes of an [`Upgrading`](crate::Upgrading) since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpgradeStats {
    /// They gave a socket.
    pub succeeded: u64,
    /// They failed with an error.
    pub failed: u64,
    /// They were dropped at their deadline.
    pub timed_out: u64,
    /// They panicked.
    pub panicked: u64,
}

type Callback = Arc<dyn Fn(&UpgradeFailure<'_>) + Send + Sync>;

/// Counts, and calls the user's callback if there is one.
#[derive(Default)]
pub(super) struct Observer {
    counts: Arc<Counts>,
    callback: Option<Callback>,
}

#[derive(Default)]
struct Counts {
    succeeded: AtomicU64,
    failed: AtomicU64,
    timed_out: AtomicU64,
    panicked: AtomicU64,
}

impl Observer {
    /// The same counts with another callback.
    pub(super) fn with(
        &self,
        callback: impl Fn(&UpgradeFailure<'_>) + Send + Sync + 'static,
    ) -> Self {
        Observer {
            counts: Arc::clone(&self.counts),
            callback: Some(Arc::new(callback)),
        }
    }

    pub(super) fn succeeded(&self) {
        self.counts.succeeded.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn failed(&self, peer: &Endpoint, trouble: UpgradeTrouble, elapsed: Duration) {
        let count = match trouble {
            UpgradeTrouble::Failed(_) => &self.counts.failed,
            UpgradeTrouble::TimedOut => &self.counts.timed_out,
            UpgradeTrouble::Panicked => &self.counts.panicked,
        };
        count.fetch_add(1, Ordering::Relaxed);
        let failure = UpgradeFailure {
            peer,
            trouble,
            elapsed,
        };
        tracing::debug!("{failure}");
        if let Some(callback) = &self.callback {
            callback(&failure);
        }
    }

    pub(super) fn stats(&self) -> UpgradeStats {
        let counts = &self.counts;
        UpgradeStats {
            succeeded: counts.succeeded.load(Ordering::Relaxed),
            failed: counts.failed.load(Ordering::Relaxed),
            timed_out: counts.timed_out.load(Ordering::Relaxed),
            panicked: counts.panicked.load(Ordering::Relaxed),
        }
    }
}
