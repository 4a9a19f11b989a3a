//! Which readers are to be looked at, and the waker of each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

use super::writer::Writer;

/// The readers that the pump is to look at.
#[derive(Default)]
pub(super) struct Ready {
    work: Mutex<Work>,
    pub(super) pump: AtomicWaker,
}

/// What is new for the pump.
#[derive(Default)]
pub(super) struct Work {
    pub(super) keys: Vec<usize>,
    pub(super) newcomers: Vec<Writer>,
}

impl Ready {
    pub(super) fn push(&self, keys: &mut Vec<usize>) {
        self.lock().keys.append(keys);
        self.pump.wake();
    }

    /// The caller wakes the pump.
    pub(super) fn admit(&self, writer: Writer) {
        self.lock().newcomers.push(writer);
    }

    /// Exchanges what is new for `work`, which is empty.
    pub(super) fn swap(&self, work: &mut Work) {
        std::mem::swap(&mut *self.lock(), work);
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The waker of one reader's socket.
pub(super) struct Bell {
    key: usize,
    /// Whether the pump knows already.
    rung: AtomicBool,
    ready: Arc<Ready>,
}

impl Bell {
    pub(super) fn new(key: usize, ready: &Arc<Ready>) -> Arc<Self> {
        Arc::new(Bell {
            key,
            rung: AtomicBool::new(false),
            ready: Arc::clone(ready),
        })
    }

    /// The pump looks at the reader now.
    pub(super) fn answer(&self) {
        self.rung.store(false, Ordering::Release);
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.ready.lock().keys.push(self.key);
            self.ready.pump.wake();
        }
    }
}

/// A bell, and a context for it.
pub(super) fn waker(bell: &Arc<Bell>) -> Waker {
    Waker::from(Arc::clone(bell))
}
