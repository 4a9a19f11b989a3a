//! A small file that has no name before it is whole: it is made without one, and linked to its
//! name when it is on disk. So a killed process leaves nothing of it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, openat};
use rustix::io::Errno;

use crate::AppError;
use crate::file::attributes::{Attributes, ORDINARY, RIGHTS};
use crate::file::name;
use crate::file::place::Place;

/// A whole file that waits for its name.
pub(super) struct Unnamed {
    dir: Arc<Dir>,
    name: OsString,
    place: Place,
    pub(super) file: File,
    len: u64,
}

/// What came of an attempt to make one.
pub(super) enum Made {
    Waits(Unnamed),
    /// The file system has no files without names.
    Unknown,
    /// This process has too many files open.
    Full,
}

/// Whether files without names can be made and linked here at all.
pub(super) fn are_linked() -> bool {
    Path::new("/proc/self/fd").exists()
}

impl Unnamed {
    /// Writes `bytes` to a new file in `dir`, and gives it its attributes.
    ///
    /// # Errors
    /// If what is at `place` must not be replaced, or the bytes cannot be written.
    pub(super) fn write(
        dir: &Arc<Dir>,
        name: &OsStr,
        shown: &str,
        (bytes, with, replace): (&[u8], Attributes, bool),
    ) -> Result<Made, AppError> {
        let place = Place::new(Arc::clone(dir), name.to_owned(), shown);
        let existing = match replace {
            true => {
                place.takes_a_file(true)?;
                place.existing()
            }
            // Linking tells.
            false => None,
        };
        // The kernel takes the umask off.
        let mode = with.mode.unwrap_or(ORDINARY) & RIGHTS;
        let file = match create(dir, mode) {
            Ok(file) => file,
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => {
                return Ok(Made::Unknown);
            }
            Err(Errno::MFILE | Errno::NFILE) => return Ok(Made::Full),
            Err(error) => return Err(place.not_stored(&error.into())),
        };
        let given = (&file).write_all(bytes).and_then(|()| match with.mtime {
            _ if existing.is_some() || with.exact => with.give(&file, existing.as_ref()),
            Some(mtime) => file.set_modified(mtime),
            None => Ok(()),
        });
        given.map_err(|error| place.not_stored(&error))?;
        Ok(Made::Waits(Unnamed {
            dir: Arc::clone(dir),
            name: name.to_owned(),
            place,
            file,
            len: bytes.len() as u64,
        }))
    }

    /// The device that it is on. An error if the file system has not all of its bytes.
    pub(super) fn compared(&self) -> Result<u64, AppError> {
        let found = self.file.metadata();
        let found = found.map_err(|error| self.place.not_stored(&error))?;
        match found.len() == self.len {
            true => Ok(found.dev()),
            false => Err(self.place.not_stored(&io::Error::other(format!(
                "the file system has {} of {} bytes",
                found.len(),
                self.len
            )))),
        }
    }

    pub(super) fn sync(&self) -> Result<(), AppError> {
        let synced = self.file.sync_all();
        synced.map_err(|error| self.place.not_stored(&error))
    }

    /// Gives the file its name.
    pub(super) fn keep(self, replace: bool) -> Result<Arc<Dir>, AppError> {
        let kept = match self.link_to(&self.name) {
            Err(Errno::EXIST) if replace => self.replace(),
            linked => linked.map_err(io::Error::from),
        };
        kept.map_err(|error| self.place.not_stored(&error))?;
        Ok(self.dir)
    }

    fn link_to(&self, name: &OsStr) -> Result<(), Errno> {
        let own = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        linkat(CWD, own, &*self.dir, name, AtFlags::SYMLINK_FOLLOW)
    }

    fn replace(&self) -> io::Result<()> {
        self.place.takes_a_file(true).map_err(io::Error::other)?;
        let temporary = name::temporary();
        self.link_to(temporary.as_ref())?;
        let renamed = self.dir.rename(&temporary, &self.dir, &self.name);
        renamed.inspect_err(|_| drop(self.dir.remove_file(&temporary)))
    }
}

fn create(dir: &Dir, mode: u32) -> Result<File, Errno> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file: OwnedFd = openat(dir, ".", flags, Mode::from_raw_mode(mode))?;
    Ok(file.into())
}
