//! The place where a file is stored: a name in an open directory.

use std::ffi::{OsStr, OsString};
use std::io;
use std::sync::Arc;

use cap_std::fs::{Dir, Metadata, MetadataExt};
use rustix::fs::FileType;

use crate::{AppError, Shown};

/// The error if the destination exists. Only clients that have the option `--force` ask not to
/// replace.
const THERE: &str = "it exists already, and is left as it is; --force replaces it";

/// A name in a directory. Neither leads anywhere else.
#[derive(Clone)]
pub(super) struct Place {
    dir: Arc<Dir>,
    name: OsString,
    /// Its name in errors, as the user or the peer gave it.
    shown: String,
}

impl Place {
    pub(super) fn new(dir: Arc<Dir>, name: OsString, shown: impl Into<String>) -> Self {
        Place {
            dir,
            name,
            shown: shown.into(),
        }
    }

    pub(super) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// The file that is there now.
    pub(super) fn existing(&self) -> Option<Metadata> {
        self.dir.symlink_metadata(&self.name).ok()
    }

    /// An error unless a regular file can be stored here. Files of other kinds are never replaced.
    pub(super) fn takes_a_file(&self, replace: bool) -> Result<(), AppError> {
        let Some(there) = self.existing() else {
            return Ok(());
        };
        match FileType::from_raw_mode(there.mode()) {
            // A link that appeared since the place was found is replaced, and not followed.
            FileType::RegularFile | FileType::Symlink if replace => Ok(()),
            FileType::RegularFile | FileType::Symlink => Err(self.problem(THERE)),
            other => Err(self.problem(format_args!("it is {}", a_kind(other)))),
        }
    }

    pub(super) fn problem(&self, why: impl std::fmt::Display) -> AppError {
        problem(&self.shown, why)
    }

    /// An error that came while the bytes were stored.
    pub(super) fn not_stored(&self, error: &io::Error) -> AppError {
        match error.kind() {
            io::ErrorKind::AlreadyExists => self.problem(THERE),
            _ => not_stored(&self.shown, error),
        }
    }
}

/// An error about `path`, as the user or the peer calls it. It does not tell where the root lies.
pub(super) fn problem(path: &str, why: impl std::fmt::Display) -> AppError {
    AppError::failed(format_args!("{:.300}: {why}", Shown(path).to_string()))
}

/// An error about storing the file `shown`.
pub(super) fn not_stored(shown: &str, error: &io::Error) -> AppError {
    problem(
        shown,
        format_args!("it could not be stored, and nothing of it is kept: {error}"),
    )
}

/// The name of a file kind that is not regular.
pub(super) fn a_kind(of: FileType) -> &'static str {
    match of {
        FileType::Directory => "a directory",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice => "a character device",
        FileType::BlockDevice => "a block device",
        _ => "not a regular file",
    }
}
