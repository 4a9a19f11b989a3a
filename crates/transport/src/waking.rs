//! Wakers that are kept behind a lock.
//!
//! To wake a task may run it, and to drop the last waker of a task may drop the task. Either may
//! use the same lock, so both are done once it is free.

use std::task::{Context, Waker};

/// Keeps the waker of the task in `place`. The caller drops the one that was there, once the lock
/// is free.
#[must_use = "dropped once the lock is free"]
pub(crate) fn wait(place: &mut Option<Waker>, cx: &Context<'_>) -> Option<Waker> {
    match place {
        Some(waker) if waker.will_wake(cx.waker()) => None,
        _ => place.replace(cx.waker().clone()),
    }
}

/// Wakes the tasks. The caller has released the lock.
pub(crate) fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}
