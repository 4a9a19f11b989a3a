//! The listeners inside, which take turns.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::contract::boxed::{BoxListener, BoxSocket};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::Error;
use crate::contract::transport::listener::Listener;

/// The id of a listener in a [`Listeners`](crate::Listeners). An id is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(u64);

/// As `#0`.
impl fmt::Display for ListenerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The listener that accepted a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedBy {
    /// The id that [`add`](crate::Listeners::add) gave.
    pub id: ListenerId,
    /// The endpoint of that listener.
    pub local: Endpoint,
}

/// A listener that failed, and is removed. It prints as one line.
#[derive(Debug)]
#[non_exhaustive]
pub struct ListenerFailure {
    /// The listener.
    pub by: AcceptedBy,
    /// The reason for which it accepts no more.
    pub error: Error,
}

impl fmt::Display for ListenerFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, local) = (self.by.id, self.by.local.redacted());
        write!(f, "listener {id} at {local} is removed: {}", self.error)
    }
}

/// The result of asking all listeners once.
pub(super) enum Turn {
    Accepted(BoxSocket, AcceptedBy),
    Failed(ListenerFailure),
    /// No listener, and no handle that could add one.
    Ended,
}

/// Shared by the one task that accepts and the handles.
///
/// The lock is held while listeners are polled, which is short. So `remove` closes a listener at
/// once, even while no task accepts, and a listener must not use the handle in its own poll.
#[derive(Default)]
pub(super) struct Members(Mutex<State>);

#[derive(Default)]
struct State {
    /// In the order in which they were added.
    listeners: Vec<(ListenerId, BoxListener)>,
    /// The index of the listener to ask next.
    next: usize,
    next_id: u64,
    handles: usize,
    /// The task that accepts has gone.
    closed: bool,
    accepting: Option<Waker>,
}

impl Members {
    fn locked(&self) -> MutexGuard<'_, State> {
        // A panic in the poll of a listener leaves the list consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, listener: BoxListener) -> ListenerId {
        let (id, accepting) = self.locked().add(listener);
        wake(accepting);
        id
    }

    /// As [`add`](Members::add). Gives the listener back if the task that accepts has gone.
    pub(super) fn add_if_open(&self, listener: BoxListener) -> Result<ListenerId, BoxListener> {
        let mut state = self.locked();
        if state.closed {
            return Err(listener);
        }
        let (id, accepting) = state.add(listener);
        drop(state);
        wake(accepting);
        Ok(id)
    }

    pub(super) fn remove(&self, id: ListenerId) -> Option<BoxListener> {
        let mut state = self.locked();
        let at = state.listeners.iter().position(|(own, _)| *own == id)?;
        Some(state.take(at).1)
    }

    pub(super) fn locals(&self) -> Vec<(ListenerId, Endpoint)> {
        let state = self.locked();
        let locals = state.listeners.iter();
        locals.map(|(id, l)| (*id, l.local().clone())).collect()
    }

    pub(super) fn count_handle(&self) {
        self.locked().handles += 1;
    }

    pub(super) fn drop_handle(&self) {
        let mut state = self.locked();
        state.handles -= 1;
        let last = state.handles == 0;
        let accepting = state.accepting.take_if(|_| last);
        drop(state);
        wake(accepting);
    }

    /// The task that accepts has gone: drops every listener.
    pub(super) fn close(&self) {
        let mut state = self.locked();
        state.closed = true;
        let listeners = std::mem::take(&mut state.listeners);
        drop(state);
        drop(listeners);
    }

    /// Asks each listener once, beginning after the one that had the last turn.
    pub(super) fn poll_turn(&self, cx: &mut Context<'_>) -> Poll<Turn> {
        let mut state = self.locked();
        for _ in 0..state.listeners.len() {
            let at = state.next % state.listeners.len();
            state.next = at + 1;
            let (id, listener) = &mut state.listeners[at];
            let Poll::Ready(accepted) = listener.poll_accept(cx) else {
                continue;
            };
            let by = AcceptedBy {
                id: *id,
                local: listener.local().clone(),
            };
            return Poll::Ready(match accepted {
                Ok(socket) => Turn::Accepted(socket, by),
                Err(error) => {
                    let failed = state.take(at);
                    drop(state);
                    drop(failed);
                    Turn::Failed(ListenerFailure { by, error })
                }
            });
        }
        if state.listeners.is_empty() && state.handles == 0 {
            return Poll::Ready(Turn::Ended);
        }
        state.accepting = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl State {
    /// Adds a listener. The caller wakes the task that accepts once the lock is free.
    fn add(&mut self, listener: BoxListener) -> (ListenerId, Option<Waker>) {
        let id = ListenerId(self.next_id);
        self.next_id += 1;
        self.listeners.push((id, listener));
        (id, self.accepting.take())
    }

    /// Removes the listener at this index. The next turn stays with the same listener.
    fn take(&mut self, at: usize) -> (ListenerId, BoxListener) {
        if at < self.next {
            self.next -= 1;
        }
        self.listeners.remove(at)
    }
}

/// Wakes without the lock: a waker may run the task, or drop it with a handle that it holds.
fn wake(accepting: Option<Waker>) {
    if let Some(accepting) = accepting {
        accepting.wake();
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let locals = self.locals();
        let shown = locals
            .iter()
            .map(|(id, local)| (id.0, local.redacted().to_string()));
        f.debug_map().entries(shown).finish()
    }
}
