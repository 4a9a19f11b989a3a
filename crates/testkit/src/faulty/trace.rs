//! A record of faults, in order.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Fault;

/// A fault that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The number of the socket in its plan.
    pub socket: u64,
    /// Whether it was in the sending half.
    pub sending: bool,
    /// The fault.
    pub fault: Fault,
    /// How many bytes had passed in that direction before.
    pub at: u64,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doing = if self.sending { "sending" } else { "receiving" };
        let Event {
            socket, fault, at, ..
        } = self;
        write!(f, "socket {socket}, {doing}, byte {at}: {fault:?}")
    }
}

/// The faults of all sockets whose plan [has this trace](super::Faults::traced). Clones are the
/// same trace. It grows with every fault.
#[derive(Clone, Debug, Default)]
pub struct Trace(Arc<Mutex<Vec<Event>>>);

impl Trace {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The faults so far, oldest first.
    pub fn events(&self) -> Vec<Event> {
        self.all().clone()
    }

    /// How often `fault` happened.
    pub fn count(&self, fault: Fault) -> usize {
        let all = self.all();
        all.iter().filter(|event| event.fault == fault).count()
    }

    pub(super) fn push(&self, event: Event) {
        self.all().push(event);
    }

    fn all(&self) -> MutexGuard<'_, Vec<Event>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
