//! A record of faults, in order.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Fault;

/// A fault that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The number of the connection in its plan, if the socket is one of a connection of many.
    pub connection: Option<u64>,
    /// The number of the socket in its plan, or of a [handle](Event::handle).
    pub socket: u64,
    /// Whether a handle of the connection opened or accepted a stream. It then counts as sending
    /// or receiving, and [`at`](Event::at) is a number of streams.
    pub handle: bool,
    /// Whether it was in the sending half.
    pub sending: bool,
    /// The fault.
    pub fault: Fault,
    /// How many bytes had passed in that direction before.
    pub at: u64,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event {
            socket, fault, at, ..
        } = self;
        if let Some(connection) = self.connection {
            write!(f, "connection {connection}, ")?;
        }
        match (self.handle, self.sending) {
            (false, true) => write!(f, "socket {socket}, sending, byte {at}: {fault:?}"),
            (false, false) => write!(f, "socket {socket}, receiving, byte {at}: {fault:?}"),
            (true, true) => write!(f, "handle {socket}, opening stream {at}: {fault:?}"),
            (true, false) => write!(f, "handle {socket}, accepting stream {at}: {fault:?}"),
        }
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
