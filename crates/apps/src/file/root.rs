//! The jail: a directory, and what may be done in it. Names are resolved by handle, so that nothing that happens to the
//! tree meanwhile leads outside of it.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, MetadataExt, OpenOptions, OpenOptionsExt};

use super::listing::{Entry, Kind, Stat};
use super::{MAX_ENTRIES, name};
use crate::{AppError, Shown};

/// The directory that is served, or that a download goes to.
#[derive(Clone)]
pub(super) struct Root {
    dir: Arc<Dir>,
    path: Arc<Path>,
}

/// A file on its way: removed when dropped, unless it got its final name.
pub(super) struct Temporary {
    root: Root,
    name: String,
    wanted: String,
    kept: bool,
}

/// What a file is to have besides its bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Attributes {
    pub(super) mtime: Option<SystemTime>,
    pub(super) mode: Option<u32>,
}

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path: PathBuf = path.canonicalize()?;
        Ok(Root {
            dir: Arc::new(Dir::open_ambient_dir(&path, ambient_authority())?),
            path: path.into(),
        })
    }

    /// Where it lies. For comparison: it is never told to a peer.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Does what may block, in a thread for that.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let root = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&root)).await;
        done.unwrap_or_else(|error| Err(AppError::failed(error)))
    }

    /// A new file that is going to be `wanted`, one component as [`name::last`] gives it.
    pub(super) fn create(&self, wanted: &str) -> Result<(Temporary, File), AppError> {
        if self
            .dir
            .symlink_metadata(wanted)
            .is_ok_and(|it| it.is_dir())
        {
            return Err(problem(wanted, "it is a directory"));
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let name = name::temporary();
        let file = self.dir.open_with(&name, &options);
        let file = file.map_err(|error| problem(wanted, error))?.into_std();
        let temporary = Temporary {
            root: self.clone(),
            name,
            wanted: wanted.to_owned(),
            kept: false,
        };
        Ok((temporary, file))
    }

    /// The regular file at `path`, to read, and what it is.
    pub(super) fn open_file(&self, path: &str) -> Result<(File, Stat), AppError> {
        // Asked before it is opened, since opening a device can have effects; and then again, since it may have been
        // swapped. Without waiting, since opening a pipe would wait for a writer.
        if self.stat(path)?.kind != Kind::File {
            return Err(problem(path, "not a regular file"));
        }
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(NONBLOCK);
        let file = self.dir.open_with(name::below_root(path)?, &options);
        let file = file.map_err(|error| problem(path, error))?;
        let stat = Stat::of(&file.metadata().map_err(|error| problem(path, error))?);
        if stat.kind != Kind::File {
            return Err(problem(path, "not a regular file"));
        }
        Ok((file.into_std(), stat))
    }

    pub(super) fn stat(&self, path: &str) -> Result<Stat, AppError> {
        let found = self.dir.metadata(name::below_root(path)?);
        Ok(Stat::of(&found.map_err(|error| problem(path, error))?))
    }

    /// The entries of the directory at `path`, sorted by name.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Entry>, AppError> {
        let found = self.dir.read_dir(name::below_root(path)?);
        let mut entries = Vec::new();
        for entry in found.map_err(|error| problem(path, error))? {
            let entry = entry.map_err(|error| problem(path, error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // It may be gone since.
            let Ok(found) = entry.metadata() else {
                continue;
            };
            if name::is_temporary(&name) {
                continue;
            }
            if entries.len() == MAX_ENTRIES {
                let limit = format_args!("it has more than {MAX_ENTRIES} entries");
                return Err(problem(path, limit));
            }
            entries.push(Entry::new(name, &Stat::of(&found)));
        }
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }
}

impl Temporary {
    /// Gives the file its attributes and its final name, in place of what was there.
    pub(super) fn keep(mut self, file: &File, with: Attributes) -> Result<(), AppError> {
        let root = &self.root;
        let kept =
            set(file, with).and_then(|()| root.dir.rename(&self.name, &root.dir, &self.wanted));
        self.kept = kept.is_ok();
        kept.map_err(|error| problem(&self.wanted, error))
    }

    pub(super) fn root(&self) -> &Root {
        &self.root
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.kept {
            // Where even that fails, nobody is left to tell.
            let _ = self.root.dir.remove_file(&self.name);
        }
    }
}

fn set(file: &File, with: Attributes) -> io::Result<()> {
    if let Some(mode) = with.mode {
        file.set_permissions(Permissions::from_mode(mode & 0o777))?;
    }
    match with.mtime {
        Some(mtime) => file.set_modified(mtime),
        None => Ok(()),
    }
}

#[expect(clippy::cast_possible_wrap, reason = "a flag, not a number")]
const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

/// An error about what the peer called `path`: nothing of where the root lies.
fn problem(path: &str, why: impl std::fmt::Display) -> AppError {
    AppError::failed(format_args!("{:.300}: {why}", Shown(path).to_string()))
}

impl Stat {
    fn of(found: &cap_std::fs::Metadata) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "half a microsecond")]
        let mtime = found.mtime() as f64 + found.mtime_nsec() as f64 / 1e9;
        Stat {
            kind: kind(found.file_type()),
            size: found.len(),
            mtime,
            mode: found.mode() & 0o7777,
        }
    }
}

fn kind(of: FileType) -> Kind {
    match of {
        _ if of.is_file() => Kind::File,
        _ if of.is_dir() => Kind::Dir,
        _ if of.is_symlink() => Kind::Link,
        _ => Kind::Other,
    }
}
