//! A file on its way: a part file beside the place that it is for, which takes its name when it is
//! whole, and is removed if it never is.

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

/// How often a part file is created before it is given up, where another process removes it each
/// time.
const TRIES: usize = 8;
/// A part file is its owner's alone until it is whole, whatever mode it gets then.
const PRIVATE: u32 = 0o600;
/// How long the end of the program waits for part files that are still being created, kept or
/// removed.
const SETTLE: Duration = Duration::from_secs(5);

/// How this side stores what arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Storing {
    /// A file is on disk, and its name too, before anybody is told that it is stored.
    pub(super) sync: bool,
    /// A file that is there already is replaced.
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

/// A part file: removed when dropped, unless it got its name. The lock, by which [`sweep`] knows
/// that somebody writes it, is the file's own.
pub(super) struct Part {
    place: Place,
    name: String,
    storing: Storing,
    kept: bool,
    _held: Held,
}

impl Part {
    /// A new, empty part file for `place`. It blocks: `held` is made before a thread is asked to do
    /// it.
    ///
    /// # Errors
    /// If what is at `place` is not to be replaced, or nothing can be created beside it.
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

    /// Gives the file, which has to have `len` bytes, its attributes and its name, in place of what
    /// was there. It blocks.
    ///
    /// The order is what makes it safe to kill the machine at any time: the bytes are on disk
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
        // Whatever a file system said of the writes, this is what it has.
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
            // Some file systems have no such flag; a link does not replace either.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                dir.hard_link(&self.name, dir, to)?;
                // Both names are the file's now, and this one is in nobody's way.
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
            // Where even that fails, nobody is left to tell; the next one who stores something here
            // tries again.
            let _ = self.place.dir().remove_file(&self.name);
        }
    }
}

/// A new file under a temporary name, locked so that [`sweep`] leaves it.
fn create(dir: &Dir) -> io::Result<(String, File)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(PRIVATE);
    for _ in 0..TRIES {
        let name = name::temporary();
        let file = dir.open_with(&name, &options)?.into_std();
        match file.try_lock() {
            // Somebody who swept right then may have held the lock, and removed the file.
            Err(TryLockError::WouldBlock) => {}
            Ok(()) if !dir.exists(&name) => {}
            // Where nothing can be locked nothing is swept either.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok((name, file)),
        }
    }
    Err(io::Error::other(
        "its temporary file is removed over and over",
    ))
}

/// What was renamed in `dir` stays so though the power fails.
fn sync_directory(dir: &Dir) -> io::Result<()> {
    // A handle that only names the directory cannot be synced.
    let synced = dir.open(".").and_then(|dir| dir.sync_all());
    match synced {
        // Some file systems have no such thing; and who may not read a directory cannot ask for it.
        Err(error) if cannot_be_asked(&error) => Ok(()),
        synced => synced,
    }
}

fn cannot_be_asked(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported)
}

fn unsure(error: &io::Error) -> String {
    format!("it is stored, but its directory may not be on disk yet: {error}")
}

/// Somebody has, or is about to have, a part file. The program does not end before that is over,
/// but for [`SETTLE`].
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

/// Waits until nobody has a part file any more, up to 5 seconds: a thread may still be creating one
/// for a task that is gone, and it is removed as soon as it is there.
pub(crate) fn settle() {
    let left = LET_GO.wait_timeout_while(held(), SETTLE, |held| *held > 0);
    if left.is_ok_and(|(_, waited)| waited.timed_out()) {
        tracing::warn!("a part file may be left behind; the next transfer there removes it");
    }
}
