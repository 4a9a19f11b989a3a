//! The jail: a directory, and what may be done in it. Names are resolved by handle, so that nothing that happens to the
//! tree meanwhile leads outside of it.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, MetadataExt, OpenOptions, OpenOptionsExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::listing::{self, Entry, Kind, Stat};
use super::{MAX_ENTRIES, MAX_LISTING, MAX_LISTINGS, SMALL_LISTING, STALL, name};
use crate::{AppError, Shown};

/// How often a temporary file is created before it is given up, where another process removes it each time.
const TRIES: usize = 8;

/// The directory that is served, or that a download goes to.
#[derive(Clone)]
pub(super) struct Root {
    dir: Arc<Dir>,
    path: Arc<Path>,
    /// As many places as listings may be in memory.
    listings: Arc<Semaphore>,
}

/// A listing, in the form that is sent, and its place among the [`MAX_LISTINGS`].
pub(super) struct Listed<T> {
    pub(super) what: T,
    _place: Option<OwnedSemaphorePermit>,
}

impl<T: AsRef<[u8]>> Listed<T> {
    fn new(what: T, place: OwnedSemaphorePermit) -> Self {
        let big = what.as_ref().len() > SMALL_LISTING;
        Listed {
            what,
            _place: big.then_some(place),
        }
    }
}

/// A file on its way: removed when dropped, unless it got its final name. The lock is the file's own.
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
            listings: Arc::new(Semaphore::new(MAX_LISTINGS)),
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

    /// The entries of the directory at `path` in the form that `form` gives them, when there is a place for a listing.
    pub(super) async fn list<T: AsRef<[u8]> + Send + 'static>(
        &self,
        path: String,
        form: impl FnOnce(Vec<Entry>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<Listed<T>, AppError> {
        let place = timeout(STALL, Arc::clone(&self.listings).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(AppError::failed("too many listings at once; try again"));
        };
        // The place goes along: the thread goes on though the client is gone.
        self.run(move |root| Ok(Listed::new(form(root.entries(&path)?)?, place)))
            .await
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
        let (name, file) = self
            .create_temporary()
            .map_err(|error| problem(wanted, error))?;
        let temporary = Temporary {
            root: self.clone(),
            name,
            wanted: wanted.to_owned(),
            kept: false,
        };
        Ok((temporary, file))
    }

    /// A new file under a temporary name, locked so that [`sweep`](Root::sweep) leaves it.
    fn create_temporary(&self) -> io::Result<(String, File)> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        for _ in 0..TRIES {
            let name = name::temporary();
            let file = self.dir.open_with(&name, &options)?.into_std();
            match file.try_lock() {
                // A server that started right then may have held the lock, and removed the file.
                Err(TryLockError::WouldBlock) => {}
                Ok(()) if !self.dir.exists(&name) => {}
                // Where nothing can be locked nothing is swept either.
                Ok(()) | Err(TryLockError::Error(_)) => return Ok((name, file)),
            }
        }
        Err(io::Error::other(
            "its temporary file is removed over and over",
        ))
    }

    /// Removes the temporary files that a process left here which did not end by itself: those that nobody has locked. Not
    /// those in directories below, where nothing is uploaded.
    pub(super) fn sweep(&self) -> Result<(), AppError> {
        for entry in self.dir.entries()? {
            let name = entry?.file_name();
            let Some(name) = name.to_str().filter(|name| name::is_own_temporary(name)) else {
                continue;
            };
            match self.remove_abandoned(name) {
                Ok(true) => tracing::info!("removed {name}, which was left behind"),
                Ok(false) => {}
                Err(error) => tracing::warn!("cannot remove {name}: {error}"),
            }
        }
        Ok(())
    }

    fn remove_abandoned(&self, name: &str) -> io::Result<bool> {
        if !self.dir.symlink_metadata(name)?.is_file() {
            return Ok(false);
        }
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(NONBLOCK);
        let file = self.dir.open_with(name, &options)?.into_std();
        match file.try_lock() {
            // The lock is held until the file is gone: who creates it meanwhile finds out.
            Ok(()) => self.dir.remove_file(name).map(|()| true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
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
    fn entries(&self, path: &str) -> Result<Vec<Entry>, AppError> {
        let found = self.dir.read_dir(name::below_root(path)?);
        let mut entries = Vec::new();
        let mut held = 0;
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
            held += (size_of::<Entry>() + name.len()) as u64;
            if held > MAX_LISTING {
                return Err(problem(path, listing::too_long()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_so_many_listings_are_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path()).unwrap();
        let list = |len| root.list("/".to_owned(), move |_| Ok(vec![0; len]));
        let mut held = Vec::new();
        for _ in 0..MAX_LISTINGS {
            held.push(list(SMALL_LISTING).await.unwrap());
            held.push(list(SMALL_LISTING + 1).await.unwrap());
        }
        assert!(list(0).await.is_err());
        held.pop();
        list(0).await.unwrap();
    }
}
