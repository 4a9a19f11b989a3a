//! Reaps orphans, where the kernel makes them children of this program, for instance as process 1
//! of a container. No other process waits for them then.

use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use process_wrap::tokio::ChildWrapper;
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, child_subreaper, getpid, waitid};
use tokio::signal::unix::{SignalKind, signal};

use super::proc::children;

/// The processes that a [`Job`](super::process::Job) waits for. It is set only if orphans are
/// reaped.
static AWAITED: OnceLock<Mutex<Vec<Pid>>> = OnceLock::new();

/// Starts a task that reaps orphans as long as the runtime lives, if the kernel makes them children
/// of this program. For programs only: in a library, a child that is unknown here may belong to
/// another part of the program.
pub(crate) fn adopt() {
    let heir = getpid().is_init() || child_subreaper().is_ok_and(|heir| heir.is_some());
    if !heir {
        return;
    }
    let Ok(mut changes) = signal(SignalKind::child()) else {
        return;
    };
    AWAITED.get_or_init(Mutex::default);
    tokio::spawn(async move {
        loop {
            reap();
            changes.recv().await;
        }
    });
}

/// Starts a process that its caller waits for, so that it is not taken for an orphan.
pub(super) fn awaited(
    start: impl FnOnce() -> io::Result<Box<dyn ChildWrapper>>,
) -> io::Result<(Pid, Box<dyn ChildWrapper>)> {
    // Held until the id is known, so that the process is not reaped before that.
    let mut awaited = AWAITED.get().map(locked);
    let child = start()?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let id = id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    if let Some(awaited) = &mut awaited {
        awaited.push(id);
    }
    Ok((id, child))
}

/// Waits for every child that has ended and that no `Job` waits for.
fn reap() {
    let Some(mut awaited) = AWAITED.get().map(locked) else {
        return;
    };
    // A process that its `Job` has reaped is no child any more, and an orphan may get its id.
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    awaited.retain(|&id| !waitid(WaitId::Pid(id), look).is_err_and(|error| error == Errno::CHILD));
    for orphan in children(getpid()) {
        if !awaited.contains(&orphan) {
            let _ = waitid(
                WaitId::Pid(orphan),
                WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
            );
        }
    }
}

fn locked(awaited: &Mutex<Vec<Pid>>) -> MutexGuard<'_, Vec<Pid>> {
    awaited.lock().unwrap_or_else(PoisonError::into_inner)
}
