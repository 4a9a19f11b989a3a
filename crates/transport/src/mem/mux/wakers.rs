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

    /// The task that polled `handle` waits no more: the handle is gone.
    pub(super) fn forget(&mut self, handle: u64) -> Option<Waker> {
        let at = self.0.iter().position(|(own, _)| *own == handle)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Wakes all: one of them may have been cancelled, and nobody knows which.
    pub(super) fn wake(&mut self) {
        for (_, waker) in self.0.drain(..) {
            waker.wake();
        }
    }
}
