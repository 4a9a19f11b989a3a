//! The child process: its end, and the end of its group.

#![expect(
    unsafe_code,
    reason = "no safe call kills a process group; see the block"
)]

use std::fmt;
use std::io;
use std::pin::pin;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, ready};

use tokio::process::Child;

/// A child that leads a process group, which ends with it.
#[derive(Debug)]
pub(super) struct Process {
    id: Option<u32>,
    child: Mutex<Child>,
    told: Arc<Mutex<Option<ExitStatus>>>,
}

/// The program of an [`ExecTransport`](super::ExecTransport): in the [`Info`](crate::Info) of its
/// socket.
#[derive(Clone)]
pub struct ChildProcess {
    id: Option<u32>,
    told: Arc<Mutex<Option<ExitStatus>>>,
    process: Weak<Process>,
}

/// The error at the end of a program that did not exit with success: inside of the
/// [`io::Error`] of a receive.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the program has ended with {0}")]
pub struct Exited(pub ExitStatus);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Process {
    pub(super) fn new(child: Child) -> Self {
        Process {
            id: child.id(),
            child: Mutex::new(child),
            told: Arc::default(),
        }
    }

    /// Waits until the program has exited, and reaps it.
    pub(super) fn poll_exited(&self, cx: &mut Context<'_>) -> Poll<io::Result<ExitStatus>> {
        if let Some(status) = *locked(&self.told) {
            return Poll::Ready(Ok(status));
        }
        let mut child = locked(&self.child);
        let status = ready!(pin!(child.wait()).poll(cx))?;
        *locked(&self.told) = Some(status);
        Poll::Ready(Ok(status))
    }

    /// Kills the group, if the program was not reaped yet: until then no other group has its id.
    pub(super) fn kill(&self) {
        let child = locked(&self.child);
        let Some(id) = child.id().and_then(|id| i32::try_from(id).ok()) else {
            return;
        };
        // SAFETY: the call takes two integers. The group is that of a child that is not reaped
        // while the lock is held.
        let _ = unsafe { libc::killpg(id, libc::SIGKILL) };
    }
}

/// Nobody receives its output any more. The runtime reaps it.
impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Mostly it has ended by now.
        if let Ok(Some(status)) = locked(&self.child).try_wait() {
            *locked(&self.told) = Some(status);
        }
    }
}

impl ChildProcess {
    pub(super) fn of(process: &Arc<Process>) -> Self {
        ChildProcess {
            id: process.id,
            told: Arc::clone(&process.told),
            process: Arc::downgrade(process),
        }
    }

    /// The id of the process, which is that of its group.
    pub fn id(&self) -> Option<u32> {
        self.id
    }

    /// How it ended; `None` before that was received at the end of its output.
    pub fn status(&self) -> Option<ExitStatus> {
        *locked(&self.told)
    }

    /// Kills its group, as an abort of the socket does. Does nothing once it has ended.
    pub fn kill(&self) {
        if let Some(process) = self.process.upgrade() {
            process.kill();
        }
    }
}

impl fmt::Debug for ChildProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, status) = (self.id, self.status());
        write!(f, "ChildProcess({id:?}, {status:?})")
    }
}
