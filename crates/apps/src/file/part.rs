//! Part files. A part file lies beside its destination and gets the final name once it is whole.
//! Otherwise it is removed.

use std::fs::{File, TryLockError};
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::{RenameFlags, renameat_with};
use rustix::io::Errno;

use super::attributes::Attributes;
use super::place::Place;
use super::{name, sweep};
use crate::AppError;

/// How many times a part file is created if another process keeps removing it.
const TRIES: usize = 8;
/// A part file belongs to its owner alone until it is whole, whatever its final mode is.
const PRIVATE: u32 = 0o600;
/// How long the program waits at its end for part files that are still being created, kept or
/// removed.
const SETTLE: Duration = Duration::from_secs(5);

/// How this side stores files.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storing {
    /// Whether a file and its name are on disk before it is reported as stored.
    pub(super) sync: bool,
    /// Whether an existing file is replaced.
    pub(super) replace: bool,
}

impl Default for Storing {
    fn default() -> Self {
        Storing {
            sync: true,
            replace: true,
        }
    }
}

/// A part file. It is removed when dropped, unless it got its final name. The file itself holds the
/// lock by which [`sweep`] knows that it is being written.
pub(super) struct Part {
    place: Place,
    name: String,
    storing: Storing,
    kept: bool,
    _held: Held,
}

impl Part {
    /// Creates an empty part file for `place`. It blocks, so the caller makes `held` before it
    /// hands this to a thread.
    ///
    /// # Errors
    /// If the file at `place` must not be replaced, or nothing can be created beside it.
    pub(super) fn create(
        place: Place,
        storing: Storing,
        held: Held,
    ) -> Result<(Self, File), AppError> {
        place.takes_a_file(storing.replace)?;
        sweep::once(place.dir());
        let (name, file) = create(place.dir())
            .map_err(|error| place.problem(format_args!("cannot be created: {error}")))?;
        let part = Part {
            place,
            name,
            storing,
            kept: false,
            _held: held,
        };
        Ok((part, file))
    }

    /// Checks that the file has `len` bytes, then gives it its attributes and its final name. An
    /// existing file is replaced. It blocks.
    ///
    /// The order makes it safe against a crash of the machine at any time: the bytes are on disk
    /// before the name is, and the name is before this returns.
    pub(super) fn keep(mut self, file: &File, len: u64, with: Attributes) -> Result<(), AppError> {
        self.place.takes_a_file(self.storing.replace)?;
        self.complete(file, len, with)
            .and_then(|()| self.rename())
            .map_err(|error| self.place.not_stored(&error))?;
        self.kept = true;
        if self.storing.sync {
            let synced = sync_directory(self.place.dir());
            synced.map_err(|error| self.place.problem(unsure(&error)))?;
        }
        Ok(())
    }

    fn complete(&self, file: &File, len: u64, with: Attributes) -> io::Result<()> {
        with.give(file, self.place.existing().as_ref())?;
        if self.storing.sync {
            file.sync_all()?;
        }
        // The length that the file system has, whatever it answered to the writes.
        match file.metadata()?.len() {
            stored if stored == len => Ok(()),
            stored => Err(io::Error::other(format!(
                "the file system has {stored} of {len} bytes"
            ))),
        }
    }

    fn rename(&self) -> io::Result<()> {
        let (dir, to) = (self.place.dir(), self.place.name());
        if self.storing.replace {
            return dir.rename(&self.name, dir, to);
        }
        match renameat_with(dir, &self.name, dir, to, RenameFlags::NOREPLACE) {
            // Some file systems do not know this flag. A hard link does not replace a file either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                dir.hard_link(&self.name, dir, to)?;
                // The file has both names now, and the temporary one may stay.
                drop(dir.remove_file(&self.name));
                Ok(())
            }
            renamed => Ok(renamed?),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.kept {
            // If removing fails, there is nowhere to report it. The next process that stores a file
            // here removes it.
            let _ = self.place.dir().remove_file(&self.name);
        }
    }
}

/// Creates a file under a temporary name, locked so that [`sweep`] leaves it.
fn create(dir: &Dir) -> io::Result<(String, File)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(PRIVATE);
    for _ in 0..TRIES {
        let name = name::temporary();
        let file = dir.open_with(&name, &options)?.into_std();
        match file.try_lock() {
            // Another process that sweeps may have held the lock, and removed the file.
            Err(TryLockError::WouldBlock) => {}
            Ok(()) if !dir.exists(&name) => {}
            // Where files cannot be locked, none are swept either.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok((name, file)),
        }
    }
    Err(io::Error::other(
        "its temporary file is removed over and over",
    ))
}

/// Writes the directory to disk, so that a renamed file keeps its name if the power fails.
pub(super) fn sync_directory(dir: &Dir) -> io::Result<()> {
    // A handle that only names the directory (`O_PATH`) cannot be synced.
    let synced = dir.open(".").and_then(|dir| dir.sync_all());
    match synced {
        // Some file systems cannot sync a directory, and a process that may not read it cannot ask
        // for that.
        Err(error) if cannot_be_asked(&error) => Ok(()),
        synced => synced,
    }
}

fn cannot_be_asked(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}

pub(super) fn unsure(error: &io::Error) -> String {
    format!("it is stored, but its directory may not be on disk yet: {error}")
}

/// Says that a part file exists or is about to. The program does not end before that is over, or
/// before [`SETTLE`] has passed.
pub(super) struct Held(());

static HELD: Mutex<usize> = Mutex::new(0);
static LET_GO: Condvar = Condvar::new();

fn held() -> MutexGuard<'static, usize> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Held {
    pub(super) fn new() -> Self {
        *held() += 1;
        Held(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        *held() -= 1;
        LET_GO.notify_all();
    }
}

/// Waits until no part file exists any more, for 5 seconds at most. A thread may still be creating
/// one for a task that is gone; it removes the file right away.
pub(crate) fn settle() {
    let left = LET_GO.wait_timeout_while(held(), SETTLE, |held| *held > 0);
    if left.is_ok_and(|(_, waited)| waited.timed_out()) {
        tracing::warn!("a part file may be left behind; the next transfer there removes it");
    }
}
