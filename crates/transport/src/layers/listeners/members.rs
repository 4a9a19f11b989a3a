//! The listeners inside, which take turns.

use std::fmt;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
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
/// A listener is taken out while it is polled, and the lock is free then: it may use a handle, and
/// other tasks need not wait for it.
#[derive(Default)]
pub(super) struct Members {
    state: Mutex<State>,
    /// The endpoint of the listener that was added first, even after its removal.
    first: OnceLock<Endpoint>,
}

#[derive(Default)]
struct State {
    /// In the order in which they were added.
    listeners: Vec<Member>,
    /// The index of the listener to ask next.
    next: usize,
    next_id: u64,
    handles: usize,
    /// The task that accepts has gone.
    closed: bool,
    accepting: Option<Waker>,
}

struct Member {
    by: AcceptedBy,
    /// `None` while it is polled.
    listener: Option<BoxListener>,
}

impl Members {
    fn locked(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; should that change, the list is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn first(&self) -> Option<&Endpoint> {
        self.first.get()
    }

    pub(super) fn add(&self, listener: BoxListener) -> ListenerId {
        let local = listener.local().clone();
        self.first.get_or_init(|| local.clone());
        let (id, accepting) = self.locked().add(listener, local);
        wake(accepting);
        id
    }

    /// As [`add`](Members::add). Gives the listener back if the task that accepts has gone.
    pub(super) fn add_if_open(&self, listener: BoxListener) -> Result<ListenerId, BoxListener> {
        let local = listener.local().clone();
        let mut state = self.locked();
        if state.closed {
            return Err(listener);
        }
        self.first.get_or_init(|| local.clone());
        let (id, accepting) = state.add(listener, local);
        drop(state);
        wake(accepting);
        Ok(id)
    }

    /// Removes the listener of that id. One that is being polled is dropped when its poll returns.
    pub(super) fn remove(&self, id: ListenerId) -> bool {
        let removed = self.locked().remove(id);
        removed.is_some()
    }

    pub(super) fn locals(&self) -> Vec<(ListenerId, Endpoint)> {
        let state = self.locked();
        let locals = state.listeners.iter();
        locals.map(|m| (m.by.id, m.by.local.clone())).collect()
    }

    pub(super) fn refusals(&self) -> u64 {
        let state = self.locked();
        let listeners = state.listeners.iter().filter_map(|m| m.listener.as_ref());
        listeners.map(Listener::refusals).sum()
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
        for _ in 0..self.begin(cx) {
            let Some(mut turned) = self.take_next() else {
                break;
            };
            let Some(Poll::Ready(accepted)) = turned.listener.as_mut().map(|l| l.poll_accept(cx))
            else {
                continue;
            };
            let by = turned.by.clone();
            return Poll::Ready(match accepted {
                Ok(socket) => Turn::Accepted(socket, by),
                Err(error) => {
                    self.remove(by.id);
                    Turn::Failed(ListenerFailure { by, error })
                }
            });
        }
        let state = self.locked();
        match state.listeners.is_empty() && state.handles == 0 {
            true => Poll::Ready(Turn::Ended),
            false => Poll::Pending,
        }
    }

    /// Keeps the waker of the task that accepts, before listeners are polled: one may be added
    /// meanwhile. Gives the number of listeners.
    fn begin(&self, cx: &Context<'_>) -> usize {
        let mut state = self.locked();
        let replaced = match &state.accepting {
            Some(waker) if waker.will_wake(cx.waker()) => None,
            _ => state.accepting.replace(cx.waker().clone()),
        };
        let count = state.listeners.len();
        drop(state);
        drop(replaced);
        count
    }

    /// Takes out the listener that has the turn.
    fn take_next(&self) -> Option<Turned<'_>> {
        let mut state = self.locked();
        let at = state.next.checked_rem(state.listeners.len())?;
        state.next = at + 1;
        let member = &mut state.listeners[at];
        Some(Turned {
            members: self,
            by: member.by.clone(),
            listener: member.listener.take(),
        })
    }
}

/// A listener that is being polled. It returns to its place when this is dropped, also by a panic,
/// unless it was removed.
struct Turned<'a> {
    members: &'a Members,
    by: AcceptedBy,
    listener: Option<BoxListener>,
}

impl Drop for Turned<'_> {
    fn drop(&mut self) {
        let mut state = self.members.locked();
        if let Some(at) = state.place(self.by.id) {
            state.listeners[at].listener = self.listener.take();
        }
    }
}

impl State {
    /// Adds a listener. The caller wakes the task that accepts once the lock is free.
    fn add(&mut self, listener: BoxListener, local: Endpoint) -> (ListenerId, Option<Waker>) {
        let id = ListenerId(self.next_id);
        self.next_id += 1;
        self.listeners.push(Member {
            by: AcceptedBy { id, local },
            listener: Some(listener),
        });
        (id, self.accepting.take())
    }

    fn place(&self, id: ListenerId) -> Option<usize> {
        self.listeners.iter().position(|member| member.by.id == id)
    }

    /// The next turn stays with the same listener. The caller drops the removed one once the lock
    /// is free.
    fn remove(&mut self, id: ListenerId) -> Option<Member> {
        let at = self.place(id)?;
        if at < self.next {
            self.next -= 1;
        }
        Some(self.listeners.remove(at))
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
