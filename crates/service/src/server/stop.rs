//! The stop of a server: asked by one task, heard by all.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

/// How far a server has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    Running,
    /// No client is accepted any more, and those that are idle end.
    Stopping,
    /// All connections are cut.
    Cutting,
}

/// Stops a [`Server`](crate::Server), from any task. All clones stop the same server.
///
/// The first [`stop`](Stopper::stop) ends it in order, the second at once, which suits the two
/// signals of an impatient operator.
#[derive(Clone)]
pub struct Stopper(Arc<watch::Sender<Phase>>);

impl Stopper {
    pub(crate) fn new() -> Self {
        Stopper(Arc::new(watch::Sender::new(Phase::Running)))
    }

    /// Asks the server to stop: it accepts no more, ends idle connections, and gives busy ones the
    /// [grace time](crate::Limits::grace). Called again, it cuts them.
    pub fn stop(&self) {
        self.0.send_modify(|phase| {
            *phase = match phase {
                Phase::Running => Phase::Stopping,
                _ => Phase::Cutting,
            }
        });
    }

    /// Stops it unless it is stopping already.
    pub(crate) fn begin(&self) {
        self.0
            .send_modify(|phase| *phase = (*phase).max(Phase::Stopping));
    }

    /// Whether the server was asked to stop.
    pub fn is_stopping(&self) -> bool {
        *self.0.borrow() >= Phase::Stopping
    }

    /// Waits until the server is asked to stop. Cancel-safe.
    pub async fn stopping(&self) {
        self.reached(Phase::Stopping).await;
    }

    pub(crate) async fn reached(&self, phase: Phase) {
        let mut changes = self.0.subscribe();
        // The sender lives as long as `self`.
        let _ = changes.wait_for(|now| *now >= phase).await;
    }
}

impl fmt::Debug for Stopper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stopper({:?})", *self.0.borrow())
    }
}
