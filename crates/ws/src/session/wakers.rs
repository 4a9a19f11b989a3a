//! The tasks that wait for the sending side.

use std::sync::Arc;
use std::task::{Wake, Waker};

use futures_util::task::AtomicWaker;

/// Both tasks may wait for the sending side: the one that sends, and the one that receives and has
/// to answer. The socket inside knows one waker. This is it, and it wakes both.
#[derive(Default)]
pub(super) struct Wakers {
    receiver: AtomicWaker,
    sender: AtomicWaker,
}

/// Which of the two tasks polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    Receiver,
    Sender,
}

impl Wakers {
    /// The task of this call is woken from now on.
    pub(super) fn register(&self, task: Task, waker: &Waker) {
        match task {
            Task::Receiver => self.receiver.register(waker),
            Task::Sender => self.sender.register(waker),
        }
    }

    /// Wakes the task that sends: nothing more can be sent. It may not be called under the lock of
    /// the sending side.
    pub(super) fn wake_sender(&self) {
        self.sender.wake();
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.sender.wake();
        self.receiver.wake();
    }
}
