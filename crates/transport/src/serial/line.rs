//! What both halves of a socket share: the device, until one of them aborts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use tokio::io::unix::AsyncFd;

use super::device::Device;
use crate::contract::socket::info::Info;
use crate::waking::{wait, wake};

/// Which half waits.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Recv,
    Send,
}

#[derive(Debug)]
pub(super) struct Line {
    info: Info,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Nothing is there after an abort.
    device: Option<Arc<AsyncFd<Device>>>,
    /// The tasks that an abort wakes, by their side: the runtime does not wake them for a device
    /// that is taken away.
    waiting: [Option<Waker>; 2],
}

impl Line {
    pub(super) fn new(device: AsyncFd<Device>, info: Info) -> Self {
        let device = Some(Arc::new(device));
        let waiting = [None, None];
        Line {
            info,
            state: Mutex::new(State { device, waiting }),
        }
    }

    pub(super) fn info(&self) -> &Info {
        &self.info
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device, for one poll of this side. `None` after an abort, which wakes the task.
    pub(super) fn device(&self, side: Side, cx: &Context<'_>) -> Option<Arc<AsyncFd<Device>>> {
        let mut state = self.locked();
        let device = state.device.clone()?;
        let before = wait(&mut state.waiting[side as usize], cx);
        drop(state);
        drop(before);
        Some(device)
    }

    /// Closes the device as soon as no poll uses it, with all bytes that it has.
    pub(super) fn abort(&self) {
        let mut state = self.locked();
        let device = state.device.take();
        let waiting = state.waiting.each_mut().map(Option::take);
        drop(state);
        if let Some(device) = device {
            device.get_ref().forget_bytes();
        }
        wake(waiting.into_iter().flatten());
    }
}
