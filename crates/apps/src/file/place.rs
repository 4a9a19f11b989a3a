//! The place that a file is stored at: a name in a directory that is open.

use std::ffi::{OsStr, OsString};
use std::io;
use std::sync::Arc;

use cap_std::fs::{Dir, Metadata, MetadataExt};
use rustix::fs::FileType;

use crate::{AppError, Shown};

/// Why a file is not stored where another one is. Only clients that can say `--force` ask for that.
const THERE: &str = "it exists already, and is left as it is; --force replaces it";

/// A name in a directory, neither of which leads anywhere else.
#[derive(Clone)]
pub(super) struct Place {
    dir: Arc<Dir>,
    name: OsString,
    /// What errors call it: what the user, or the peer, has called it.
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

    /// What is there.
    pub(super) fn existing(&self) -> Option<Metadata> {
        self.dir.symlink_metadata(&self.name).ok()
    }

    /// An error unless a regular file can be put here: what else there is, is somebody's, and is
    /// never replaced.
    pub(super) fn takes_a_file(&self, replace: bool) -> Result<(), AppError> {
        let Some(there) = self.existing() else {
            return Ok(());
        };
        match FileType::from_raw_mode(there.mode()) {
            // One that came since the place was found: it is replaced, and not followed.
            FileType::RegularFile | FileType::Symlink if replace => Ok(()),
            FileType::RegularFile | FileType::Symlink => Err(self.problem(THERE)),
            other => Err(self.problem(format_args!("it is {}", a_kind(other)))),
        }
    }

    pub(super) fn problem(&self, why: impl std::fmt::Display) -> AppError {
        problem(&self.shown, why)
    }

    /// An error that came while its bytes were stored.
    pub(super) fn not_stored(&self, error: &io::Error) -> AppError {
        match error.kind() {
            io::ErrorKind::AlreadyExists => self.problem(THERE),
            _ => not_stored(&self.shown, error),
        }
    }
}

/// An error about what the user or the peer called `path`: nothing of where the root lies.
pub(super) fn problem(path: &str, why: impl std::fmt::Display) -> AppError {
    AppError::failed(format_args!("{:.300}: {why}", Shown(path).to_string()))
}

/// Which file, what was being done with it, and what is left of it.
pub(super) fn not_stored(shown: &str, error: &io::Error) -> AppError {
    problem(
        shown,
        format_args!("it could not be stored, and nothing of it is kept: {error}"),
    )
}

/// What a file that is no regular one is called.
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
