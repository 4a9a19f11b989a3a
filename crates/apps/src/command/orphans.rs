//! Orphans, where the kernel gives them to this program: as process 1 of a container, say. Nobody
//! else waits for them.

use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use process_wrap::tokio::ChildWrapper;
use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, child_subreaper, getpid, waitid};
use tokio::signal::unix::{SignalKind, signal};

use super::proc::children;

/// The processes that their [`Job`](super::process::Job)s wait for. It is there only where orphans
/// are buried.
static AWAITED: OnceLock<Mutex<Vec<Pid>>> = OnceLock::new();

/// Begins to wait for orphans as long as the runtime lives, if this program is whom the kernel
/// gives them to. For programs only: in somebody else's, a process that is nobody's here may be
/// his.
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
            bury();
            changes.recv().await;
        }
    });
}

/// Starts a process that is no orphan: whoever starts it waits for it.
pub(super) fn awaited(
    start: impl FnOnce() -> io::Result<Box<dyn ChildWrapper>>,
) -> io::Result<(Pid, Box<dyn ChildWrapper>)> {
    // Held until its id is known, so that nobody buries it before.
    let mut awaited = AWAITED.get().map(locked);
    let child = start()?;
    let id = child.id().and_then(|id| i32::try_from(id).ok());
    let id = id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
    if let Some(awaited) = &mut awaited {
        awaited.push(id);
    }
    Ok((id, child))
}

/// Waits for every child that has ended and is nobody's.
fn bury() {
    let Some(mut awaited) = AWAITED.get().map(locked) else {
        return;
    };
    // Who has been waited for is no child any more, and his id may become an orphan's.
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
