//! The handle with which other tasks add and remove listeners.

use std::fmt;
use std::sync::Arc;

use super::members::{ListenerId, Members};
use crate::contract::boxed::BoxListener;
use crate::contract::endpoint::Endpoint;
use crate::contract::transport::listener::Listener;

/// Adds listeners to a [`Listeners`](crate::Listeners) and removes them, from any task and while it
/// accepts. A listener inside may use it, too. All clones are the same handle. As long as one is
/// left, an empty `Listeners` waits.
pub struct ListenersHandle {
    members: Arc<Members>,
}

/// The [`Listeners`](crate::Listeners) was dropped, and accepts no more. This holds the listener
/// that was not added.
#[derive(Debug)]
pub struct TooLate(pub BoxListener);

impl fmt::Display for TooLate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let local = self.0.local().redacted();
        write!(f, "nobody accepts any more, so {local} was not added")
    }
}

impl std::error::Error for TooLate {}

impl ListenersHandle {
    pub(super) fn new(members: &Arc<Members>) -> Self {
        members.count_handle();
        ListenersHandle {
            members: Arc::clone(members),
        }
    }

    /// Adds `listener`, from which sockets are accepted too.
    ///
    /// # Errors
    /// [`TooLate`], with the listener, if the `Listeners` was dropped.
    pub fn add(&self, listener: impl Listener) -> Result<ListenerId, TooLate> {
        let listener = BoxListener::new(listener);
        self.members.add_if_open(listener).map_err(TooLate)
    }

    /// Removes the listener with that id and drops it at once, also while no task accepts; `false`
    /// if there is none. A listener that is just being polled is dropped when its poll returns. Its
    /// accepted sockets go on.
    pub fn remove(&self, id: ListenerId) -> bool {
        self.members.remove(id)
    }

    /// The id and endpoint of each listener, in the order in which they were added.
    pub fn locals(&self) -> Vec<(ListenerId, Endpoint)> {
        self.members.locals()
    }
}

impl Clone for ListenersHandle {
    fn clone(&self) -> Self {
        ListenersHandle::new(&self.members)
    }
}

impl Drop for ListenersHandle {
    fn drop(&mut self) {
        self.members.drop_handle();
    }
}

impl fmt::Debug for ListenersHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ListenersHandle")
            .field(&self.members)
            .finish()
    }
}
