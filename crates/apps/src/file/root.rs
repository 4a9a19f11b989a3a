//! The served directory, and the operations in it. Names are resolved relative to a directory
//! handle, so that no change of the tree leads outside of it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, MetadataExt, OpenOptions, OpenOptionsExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::digest::Digests;
use super::escape::{name_to_text, text_to_name};
use super::incoming::{Incoming, Target};
use super::listing::{self, Entry, Kind, Stat};
use super::part::{Held, Part, Storing};
use super::place::{Place, problem};
use super::{MAX_ENTRIES, MAX_LISTING, MAX_LISTINGS, SMALL_LISTING, STALL, links, name, sweep};
use crate::AppError;

/// The directory that is served.
#[derive(Clone)]
pub(super) struct Root {
    dir: Arc<Dir>,
    path: Arc<Path>,
    /// The absolute paths of the root, for absolute links that lead into it.
    aliases: Arc<[PathBuf]>,
    /// Whether a file is on disk before it is reported as stored.
    sync: bool,
    /// One permit for each listing that may be in memory.
    listings: Arc<Semaphore>,
}

/// A listing in the form that is sent, and its permit among the [`MAX_LISTINGS`].
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

impl Root {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let called = std::path::absolute(path)?;
        let path = path.canonicalize()?;
        Ok(Root {
            aliases: [path.clone(), called].into(),
            dir: Arc::new(Dir::open_ambient_dir(&path, ambient_authority())?),
            path: path.into(),
            sync: true,
            listings: Arc::new(Semaphore::new(MAX_LISTINGS)),
        })
    }

    /// The directory `folder` below this one, as a root of its own.
    pub(super) fn within(&self, folder: &str) -> Result<Self, AppError> {
        let below = self.inside(folder)?;
        let dir = self.dir.open_dir(&below);
        let dir = dir.map_err(|error| problem(folder, error))?;
        let aliases = self.aliases.iter().map(|path| path.join(&below));
        Ok(Root {
            dir: Arc::new(dir),
            path: self.path.join(&below).into(),
            aliases: aliases.collect(),
            ..self.clone()
        })
    }

    /// Whether a file is on disk before it is reported as stored.
    pub(super) fn syncing(self, yes: bool) -> Self {
        Root { sync: yes, ..self }
    }

    /// The directory itself, and its absolute paths.
    pub(super) fn handle(&self) -> (&Arc<Dir>, &[PathBuf]) {
        (&self.dir, &self.aliases)
    }

    /// Whether a file is on disk before it is reported as stored.
    pub(super) fn syncs(&self) -> bool {
        self.sync
    }

    /// Its path, for comparison. A peer is never told it.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs work that may block in a thread for that.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let root = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&root)).await;
        done.unwrap_or_else(|error| Err(AppError::failed(error)))
    }

    /// The entries of the directory at `path`, in the form that `form` gives them.
    pub(super) async fn list<T: AsRef<[u8]> + Send + 'static>(
        &self,
        path: String,
        form: impl FnOnce(Vec<Entry>) -> Result<T, AppError> + Send + 'static,
    ) -> Result<Listed<T>, AppError> {
        self.gather(move |root| form(root.entries(&path)?)).await
    }

    /// A listing of any kind. It waits for a permit for it.
    pub(super) async fn gather<T: AsRef<[u8]> + Send + 'static>(
        &self,
        lines: impl FnOnce(&Root) -> Result<T, AppError> + Send + 'static,
    ) -> Result<Listed<T>, AppError> {
        let place = timeout(STALL, Arc::clone(&self.listings).acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(AppError::failed("too many listings at once; try again"));
        };
        // The permit goes along, since the thread runs on even if the client is gone.
        self.run(move |root| Ok(Listed::new(lines(root)?, place)))
            .await
    }

    /// Where the upload `wanted` is stored. It is a single component, as [`name::last`] gives it.
    fn place(&self, wanted: &str) -> Result<Place, AppError> {
        let there = self.inside(wanted)?;
        let (Some(name), Some(parent)) = (there.file_name(), there.parent()) else {
            return Err(problem(wanted, "it is a directory"));
        };
        let dir = match parent.as_os_str().is_empty() {
            true => Arc::clone(&self.dir),
            false => {
                let opened = self
                    .dir
                    .open_dir(parent)
                    .map_err(|error| match error.kind() {
                        io::ErrorKind::NotFound => {
                            problem(wanted, "there is no such directory to put it in")
                        }
                        _ => problem(wanted, error),
                    });
                Arc::new(opened?)
            }
        };
        Ok(Place::new(dir, name.to_owned(), wanted))
    }

    /// Prepares for the upload `wanted`. All digests in `claimed` are computed.
    pub(super) async fn create(
        &self,
        wanted: String,
        claimed: &Digests,
        storing: Storing,
    ) -> Result<Incoming, AppError> {
        let (held, shown) = (Held::new(), wanted.clone());
        let storing = Storing {
            sync: storing.sync && self.sync,
            ..storing
        };
        let created = self.run(move |root| Part::create(root.place(&wanted)?, storing, held));
        let (part, file) = created.await?;
        Ok(Incoming::new(Target::Part(part), file, claimed, shown))
    }

    /// How many bytes this process may still store on the file system of this directory.
    pub(super) fn free(&self) -> io::Result<u64> {
        let found = rustix::fs::fstatvfs(&*self.dir)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Removes abandoned part files in this directory itself.
    pub(super) fn sweep(&self) {
        sweep::now(&self.dir);
    }

    /// Follows all links of `path`, and returns it as a path relative to the root. This only finds
    /// out where the path leads; the handle of the root enforces that it stays inside.
    pub(super) fn inside(&self, path: &str) -> Result<PathBuf, AppError> {
        let below = name::below_root(path)?;
        links::resolve(&self.dir, &self.aliases, Path::new(&text_to_name(below)))
            .map_err(|error| problem(path, error))
    }

    /// Opens the regular file at `path` for reading, and returns its attributes.
    pub(super) fn open_file(&self, path: &str) -> Result<(File, Stat), AppError> {
        // The kind is checked before the file is opened, since opening a device can have effects.
        // It is checked again after that, since the file may have been swapped. The open does not
        // block, since opening a pipe would wait for a writer.
        if self.stat(path)?.kind != Kind::File {
            return Err(problem(path, "not a regular file"));
        }
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(NONBLOCK);
        let file = self.dir.open_with(self.inside(path)?, &options);
        let file = file.map_err(|error| problem(path, error))?;
        let stat = Stat::of(&file.metadata().map_err(|error| problem(path, error))?);
        if stat.kind != Kind::File {
            return Err(problem(path, "not a regular file"));
        }
        Ok((file.into_std(), stat))
    }

    pub(super) fn stat(&self, path: &str) -> Result<Stat, AppError> {
        let found = self.dir.metadata(self.inside(path)?);
        Ok(Stat::of(&found.map_err(|error| problem(path, error))?))
    }

    /// The entries of the directory at `path`, sorted by name.
    fn entries(&self, path: &str) -> Result<Vec<Entry>, AppError> {
        let found = self.dir.read_dir(self.inside(path)?);
        let mut entries = Vec::new();
        let mut held = 0;
        for entry in found.map_err(|error| problem(path, error))? {
            let entry = entry.map_err(|error| problem(path, error))?;
            let name = name_to_text(&entry.file_name());
            // The file may be gone since it was listed.
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

#[expect(clippy::cast_possible_wrap, reason = "a flag, not a number")]
pub(super) const NONBLOCK: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;

impl Stat {
    fn of(found: &cap_std::fs::Metadata) -> Self {
        Stat {
            kind: kind(found.file_type()),
            size: found.len(),
            mtime: modified(found),
            mode: found.mode() & 0o7777,
        }
    }
}

/// Every file system that is served has this time.
pub(super) fn modified(found: &cap_std::fs::Metadata) -> SystemTime {
    let modified = found.modified();
    modified.map_or(SystemTime::UNIX_EPOCH, cap_std::time::SystemTime::into_std)
}

pub(super) fn kind(of: FileType) -> Kind {
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
    async fn listings_in_memory_are_bounded() {
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
