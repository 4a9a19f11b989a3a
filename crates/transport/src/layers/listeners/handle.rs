//! How other tasks change the listeners inside.

use std::fmt;
use std::sync::Arc;

use super::members::{ListenerId, Members};
use crate::contract::boxed::BoxListener;
use crate::contract::endpoint::Endpoint;
use crate::contract::transport::listener::Listener;

/// Adds listeners to a [`Listeners`](crate::Listeners) and removes them, from any task and while it
/// accepts. Clones are the same. As long as one is left, an empty `Listeners` waits.
pub struct ListenersHandle {
    members: Arc<Members>,
}

/// Nobody accepts any more: the [`Listeners`](crate::Listeners) was dropped. Holds the listener
/// that was to be added.
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

    /// Has sockets be accepted from `listener`, too.
    ///
    /// # Errors
    /// [`TooLate`], with the listener, if nobody accepts any more.
    pub fn add(&self, listener: impl Listener) -> Result<ListenerId, TooLate> {
        let listener = BoxListener::new(listener);
        self.members.add_if_open(listener).map_err(TooLate)
    }

    /// Removes the listener of that id and drops it, at once; `false` if there is none. Sockets
    /// that it brought live on.
    pub fn remove(&self, id: ListenerId) -> bool {
        self.members.remove(id).is_some()
    }

    /// Where each listener listens, in the order in which they were added.
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
