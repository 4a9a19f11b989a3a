//! The directories of a tree, opened one component after another, and never through a link.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

/// Directories that a tree may need while it is written: their owner may do everything there.
const OWNER: u32 = 0o700;
/// The mode of a new directory without an announced one, before the umask.
const ORDINARY: u32 = 0o777;

/// The directories below one. The one that was opened last stays open, since the entries of a
/// directory follow each other.
pub(super) struct Dirs {
    base: Arc<Dir>,
    last: (PathBuf, Arc<Dir>),
}

impl Dirs {
    pub(super) fn below(base: Arc<Dir>) -> Self {
        let last = (PathBuf::new(), Arc::clone(&base));
        Dirs { base, last }
    }

    pub(super) fn base(&self) -> &Arc<Dir> {
        &self.base
    }

    /// The directory at `path`, a relative path of plain names.
    ///
    /// # Errors
    /// If a component is missing, or is a link or anything else.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<Arc<Dir>> {
        self.find(path, |dir, name| open_dir(dir, name, OFlags::PATH))
    }

    /// The same, and makes the directories that are missing.
    pub(super) fn make(&mut self, path: &Path) -> io::Result<Arc<Dir>> {
        self.find(path, |dir, name| match open_dir(dir, name, OFlags::PATH) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_dir(dir, name, None)?;
                open_dir(dir, name, OFlags::PATH)
            }
            opened => opened,
        })
    }

    fn find(
        &mut self,
        path: &Path,
        step: impl Fn(&Dir, &OsStr) -> io::Result<Dir>,
    ) -> io::Result<Arc<Dir>> {
        if self.last.0 == path {
            return Ok(Arc::clone(&self.last.1));
        }
        let (mut dir, rest) = match path.strip_prefix(&self.last.0) {
            Ok(rest) => (Arc::clone(&self.last.1), rest),
            Err(_) => (Arc::clone(&self.base), path),
        };
        for name in rest {
            dir = Arc::new(step(&dir, name)?);
        }
        self.last = (path.to_owned(), Arc::clone(&dir));
        Ok(dir)
    }
}

/// Opens the directory `name`, one component, in `dir`. A link is no directory.
pub(super) fn open_dir(dir: &Dir, name: &OsStr, how: OFlags) -> io::Result<Dir> {
    let flags = how | OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    let opened = dir.open_with(name, &options).map_err(no_directory)?;
    Ok(Dir::from_std_file(opened.into_std()))
}

/// Makes a directory with the rights that are announced, and those that its owner needs to fill it.
pub(super) fn make_dir(dir: &Dir, name: &OsStr, mode: Option<u32>) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.mode(mode.unwrap_or(ORDINARY) & ORDINARY | OWNER);
    dir.create_dir_with(name, &builder)
}

fn no_directory(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::NotADirectory => io::Error::new(
            error.kind(),
            "a part of its path is a link, or no directory at all",
        ),
        _ => error,
    }
}
