//! The tasks that wait for one thing through several handles.

use std::task::{Context, Waker};

/// At most one waker for each handle.
#[derive(Debug, Default)]
pub(super) struct Wakers(Vec<(u64, Waker)>);

impl Wakers {
    /// The task that polled `handle` last is woken next time.
    pub(super) fn wait(&mut self, handle: u64, cx: &Context<'_>) {
        match self.0.iter_mut().find(|(own, _)| *own == handle) {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => self.0.push((handle, cx.waker().clone())),
        }
    }

    /// Wakes all: one of them may have been cancelled, and nobody knows which.
    pub(super) fn wake(&mut self) {
        for (_, waker) in self.0.drain(..) {
            waker.wake();
        }
    }
}
