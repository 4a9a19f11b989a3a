//! The wakers of the tasks that wait for the same event at several handles.

use std::task::{Context, Waker};

/// At most one waker for each handle.
#[derive(Debug, Default)]
pub(super) struct Wakers(Vec<(u64, Waker)>);

impl Wakers {
    /// Keeps the waker of the task that polls `handle`. The caller drops the one that was there,
    /// once the lock is free.
    #[must_use = "dropped once the lock is free"]
    pub(super) fn wait(&mut self, handle: u64, cx: &Context<'_>) -> Option<Waker> {
        let waker = cx.waker();
        match self.0.iter_mut().find(|(own, _)| *own == handle) {
            Some((_, kept)) if kept.will_wake(waker) => None,
            Some((_, kept)) => Some(std::mem::replace(kept, waker.clone())),
            None => {
                self.0.push((handle, waker.clone()));
                None
            }
        }
    }

    /// The task that polled `handle` waits no more: the handle is gone. The caller drops its waker
    /// once the lock is free.
    #[must_use = "dropped once the lock is free"]
    pub(super) fn forget(&mut self, handle: u64) -> Option<Waker> {
        let at = self.0.iter().position(|(own, _)| *own == handle)?;
        Some(self.0.swap_remove(at).1)
    }

    /// All wakers: any one task may have been cancelled, so all are woken. The caller wakes them
    /// once the lock is free.
    #[must_use = "woken once the lock is free"]
    pub(super) fn take(&mut self) -> impl Iterator<Item = Waker> + use<> {
        std::mem::take(&mut self.0)
            .into_iter()
            .map(|(_, waker)| waker)
    }
}
