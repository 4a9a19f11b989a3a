//! What the tasks of a server and of one connection tell each other.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use socketry_codec::{FrameError, Meter};

use super::budget::Budget;
use super::observer::Observer;

/// Shared by a server and one of its connections, and the meter of that connection's frames.
pub(super) struct Tie {
    pub(super) id: u64,
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) budget: Arc<Budget>,
    waker: AtomicWaker,
    /// Requests of the client are being answered, so its silence is no fault.
    busy: AtomicBool,
}

impl Tie {
    pub(super) fn new(id: u64, observer: Option<Arc<dyn Observer>>, budget: Arc<Budget>) -> Self {
        Tie {
            id,
            observer,
            budget,
            waker: AtomicWaker::new(),
            busy: AtomicBool::new(false),
        }
    }

    /// Wakes the connection's task, so that it hears of the stop.
    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Says whether requests are being answered. Called by the task that receives.
    pub(super) fn set_busy(&self, busy: bool) {
        self.busy.store(busy, Ordering::Relaxed);
    }

    pub(super) fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Relaxed)
    }

    /// Calls the observer, if there is one.
    #[inline]
    pub(super) fn tell(&self, tell: impl FnOnce(&dyn Observer, u64)) {
        if let Some(observer) = &self.observer {
            tell(&**observer, self.id);
        }
    }
}

impl Meter for Tie {
    fn counts_frames(&self) -> bool {
        self.observer.is_some()
    }

    fn frames_received(&self, count: usize) {
        self.tell(|observer, id| observer.frames_received(id, count));
    }

    fn frames_sent(&self, count: usize) {
        self.tell(|observer, id| observer.frames_sent(id, count));
    }

    fn failed(&self, error: &FrameError) {
        self.tell(|observer, id| observer.failed(id, error));
    }

    fn buffer(&self, before: usize, after: usize) -> io::Result<()> {
        self.budget.resize(before, after)
    }
}
