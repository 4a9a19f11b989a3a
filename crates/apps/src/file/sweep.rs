//! Abandoned part files, whose process was killed.

use std::collections::BTreeSet;
use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt, OpenOptions, OpenOptionsExt};

use super::name;
use super::root::NONBLOCK;

/// How many swept directories this process remembers.
const REMEMBERED: usize = 1024;

static SWEPT: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// Removes the part files in `dir` that are not locked, if this process has not done so yet. An
/// error is logged; the next process may succeed.
pub(super) fn once(dir: &Dir) {
    if is_new(dir) {
        now(dir);
    }
}

/// Does so in the directory of `path`.
pub(super) fn beside(path: &Path) {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if let Ok(dir) = Dir::open_ambient_dir(parent, ambient_authority()) {
        once(&dir);
    }
}

/// Does so even if it was done before.
pub(super) fn now(dir: &Dir) {
    if let Err(error) = sweep(dir) {
        tracing::info!("cannot look for what was left behind: {error}");
    }
}

fn is_new(dir: &Dir) -> bool {
    let Ok(found) = dir.dir_metadata() else {
        return true;
    };
    let mut swept = SWEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if swept.len() == REMEMBERED {
        swept.clear();
    }
    swept.insert((found.dev(), found.ino()))
}

fn sweep(dir: &Dir) -> io::Result<()> {
    for entry in dir.entries()? {
        let name = entry?.file_name();
        let Some(name) = name.to_str().filter(|name| name::is_own_temporary(name)) else {
            continue;
        };
        match remove_abandoned(dir, name) {
            Ok(true) => tracing::info!("removed {name}, which was left behind"),
            Ok(false) => {}
            Err(error) => tracing::info!("cannot remove {name}: {error}"),
        }
    }
    Ok(())
}

/// Where files cannot be locked, it cannot be known which part files are in use, and all stay.
fn remove_abandoned(dir: &Dir, name: &str) -> io::Result<bool> {
    if !dir.symlink_metadata(name)?.is_file() {
        return Ok(false);
    }
    // Opened for writing, since over NFS only a writer can take an exclusive lock.
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(NONBLOCK);
    let opened = dir.open_with(name, &options);
    let file = match opened {
        // The file was finished or removed meanwhile, or belongs to another user.
        Err(error) if is_not_ours(&error) => return Ok(false),
        opened => opened?.into_std(),
    };
    match file.try_lock() {
        // The lock is held until the file is gone, so that a process that creates it right now
        // notices.
        Ok(()) => dir.remove_file(name).map(|()| true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn is_not_ours(error: &io::Error) -> bool {
    use io::ErrorKind::{NotFound, PermissionDenied};
    matches!(error.kind(), NotFound | PermissionDenied)
}
