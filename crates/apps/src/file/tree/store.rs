//! Stores the entries of a tree, many at a time, and all of it in calls that block.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::{OFlags, fchmod, syncfs};

use super::FEW;
use super::arrived::{Arrived, Entry, Outcome};
use super::dirs::{Dirs, make_dir, open_dir};
use super::done::Done;
use super::item::{Item, halves, stays_inside};
use super::unnamed::{Made, Unnamed, are_linked};
use crate::AppError;
use crate::file::attributes::{Attributes, RIGHTS};
use crate::file::digest::Hasher;
use crate::file::escape::text_to_name;
use crate::file::listing::Kind;
use crate::file::part::{Held, Part, Storing};
use crate::file::place::{Place, not_stored, problem};
use crate::file::{MAX_LISTING, name, sweep};

/// The place of a tree, and how it is stored.
pub(super) struct Store {
    dirs: Dirs,
    storing: Storing,
    preserve: bool,
    linked: bool,
    /// The directory that was looked through last for what killed processes left.
    swept: Option<Arc<Dir>>,
    /// Directories, whose attributes are set when all is in them.
    later: Vec<(PathBuf, Attributes)>,
    /// How many bytes these need, about.
    held: u64,
}

/// A small file that waits for the disk.
struct Waiting {
    entry: usize,
    file: Unnamed,
}

impl Store {
    pub(super) fn new(base: Arc<Dir>, storing: Storing, preserve: bool) -> Self {
        Store {
            dirs: Dirs::below(base),
            storing,
            preserve,
            linked: are_linked(),
            swept: None,
            later: Vec::new(),
            held: 0,
        }
    }

    /// Stores all entries, and empties `arrived`. When this returns, they are on disk with their
    /// names: first the bytes of all files, then the names of all.
    pub(super) fn store(&mut self, arrived: &mut Arrived) -> Vec<Outcome> {
        let mut done = Done::default();
        let mut waiting = Vec::new();
        let mut stored = Vec::with_capacity(arrived.entries.len());
        for (at, entry) in arrived.entries.iter().enumerate() {
            let item = &entry.item;
            let made = match item.kind {
                Some(Kind::Dir) => self.make_dir(&entry.path, item, &mut done),
                Some(Kind::Link) => self.link(&entry.path, item, &mut done),
                _ => {
                    let bytes = arrived.bytes_of(entry);
                    let mut made = self.write(entry, bytes);
                    if let Ok(Made::Full) = made {
                        // Those that are open wait no longer, and are closed.
                        let open = std::mem::take(&mut waiting);
                        self.keep_all(open, &mut stored, &mut done);
                        made = self.write(entry, bytes);
                    }
                    self.waits(entry, bytes, made).map(|file| {
                        waiting.extend(file.map(|file| Waiting { entry: at, file }));
                    })
                }
            };
            stored.push(made);
        }
        self.keep_all(waiting, &mut stored, &mut done);
        if self.storing.sync {
            done.sync(&mut stored);
        }
        arrived.outcomes(stored)
    }

    fn make_dir(&mut self, path: &Path, item: &Item, done: &mut Done) -> Result<(), AppError> {
        let shown = |error| problem(item.name(), error);
        if !path.as_os_str().is_empty() {
            let (parent, name) = halves(path);
            let parent = self.dirs.make(parent).map_err(shown)?;
            match make_dir(&parent, &name, item.mode) {
                Ok(()) => done.touched(&parent),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                    open_dir(&parent, &name, OFlags::PATH).map_err(shown)?;
                }
                Err(error) => return Err(shown(error)),
            }
        }
        match self.preserve {
            true => self.finish_later(path, item),
            false => Ok(()),
        }
    }

    /// Notes the attributes that a directory gets once all is in it. The other side says how many
    /// there are.
    fn finish_later(&mut self, path: &Path, item: &Item) -> Result<(), AppError> {
        let noted = (path.to_owned(), item.attributes(true));
        self.held += (size_of_val(&noted) + path.as_os_str().len()) as u64;
        if self.held > MAX_LISTING {
            return Err(problem(
                item.name(),
                "it does not get its mode and time: the tree has too many directories",
            ));
        }
        self.later.push(noted);
        Ok(())
    }

    fn link(&mut self, path: &Path, item: &Item, done: &mut Done) -> Result<(), AppError> {
        let shown = |error| problem(item.name(), error);
        let to = text_to_name(item.to.as_deref().unwrap_or_default());
        if path.as_os_str().is_empty()
            || !stays_inside(path, Path::new(&to))
            || to.as_bytes().contains(&0)
        {
            return Err(problem(
                item.name(),
                "it is a link that may lead out of the tree",
            ));
        }
        let (parent, name) = halves(path);
        let parent = self.dirs.make(parent).map_err(shown)?;
        let same = || {
            parent
                .read_link_contents(&name)
                .is_ok_and(|there| there.as_os_str() == to)
        };
        match parent.symlink_contents(&to, &name) {
            Ok(()) => done.touched(&parent),
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(shown(error));
            }
            Err(_) if same() => {}
            Err(error) => {
                let place = Place::new(Arc::clone(&parent), name.clone(), item.name());
                place.takes_a_file(self.storing.replace)?;
                if !self.storing.replace {
                    return Err(shown(error));
                }
                let temporary = name::temporary();
                let replaced = parent
                    .symlink_contents(&to, &temporary)
                    .and_then(|()| parent.rename(&temporary, &parent, &name));
                replaced.map_err(|error| {
                    drop(parent.remove_file(&temporary));
                    shown(error)
                })?;
                done.touched(&parent);
            }
        }
        Ok(())
    }

    /// Writes a file, which then waits for its name.
    fn write(&mut self, entry: &Entry, bytes: &[u8]) -> Result<Made, AppError> {
        let item = &entry.item;
        check(item, bytes)?;
        let (dir, name) = self.place(item, &entry.path)?;
        if !self.linked {
            return Ok(Made::Unknown);
        }
        let how = (bytes, item.attributes(self.preserve), self.storing.replace);
        let made = Unnamed::write(&dir, &name, item.name(), how)?;
        self.linked = !matches!(made, Made::Unknown);
        Ok(made)
    }

    /// The file, if it waits for its name.
    fn waits(
        &mut self,
        entry: &Entry,
        bytes: &[u8],
        made: Result<Made, AppError>,
    ) -> Result<Option<Unnamed>, AppError> {
        match made? {
            Made::Waits(file) => Ok(Some(file)),
            Made::Unknown => self.write_named(entry, bytes).map(|()| None),
            Made::Full => Err(problem(entry.item.name(), "too many open files")),
        }
    }

    /// Stores a file at once, where files without names cannot be made.
    fn write_named(&mut self, entry: &Entry, bytes: &[u8]) -> Result<(), AppError> {
        let item = &entry.item;
        let (part, file) = self.part(item, &entry.path)?;
        let written = (&file).write_all(bytes);
        written.map_err(|error| not_stored(item.name(), &error))?;
        part.keep(&file, bytes.len() as u64, self.attributes(item))
    }

    /// The place of a large file, which is stored by itself.
    pub(super) fn part(&mut self, item: &Item, path: &Path) -> Result<(Part, File), AppError> {
        let (dir, name) = self.place(item, path)?;
        let place = Place::new(dir, name, item.name());
        Part::create(place, self.storing, Held::new())
    }

    fn place(&mut self, item: &Item, path: &Path) -> Result<(Arc<Dir>, OsString), AppError> {
        let (parent, name) = halves(path);
        match name.is_empty() {
            true => Err(problem(item.name(), "it is a directory")),
            false => Ok((self.parent(parent, item.name())?, name)),
        }
    }

    fn parent(&mut self, path: &Path, shown: &str) -> Result<Arc<Dir>, AppError> {
        let dir = self.dirs.make(path);
        let dir = dir.map_err(|error| problem(shown, error))?;
        // The entries of a directory follow each other.
        if !self
            .swept
            .as_ref()
            .is_some_and(|swept| Arc::ptr_eq(swept, &dir))
        {
            sweep::once(&dir);
            self.swept = Some(Arc::clone(&dir));
        }
        Ok(dir)
    }

    pub(super) fn attributes(&self, item: &Item) -> Attributes {
        item.attributes(self.preserve)
    }

    /// Writes the bytes of all files to disk, and then gives them their names.
    fn keep_all(
        &self,
        waiting: Vec<Waiting>,
        stored: &mut [Result<(), AppError>],
        done: &mut Done,
    ) {
        let mut devices = BTreeMap::new();
        let mut failed = Vec::new();
        let mut ready = Vec::with_capacity(waiting.len());
        for waiting in waiting {
            match waiting.file.compared() {
                Ok(device) => {
                    devices.entry(device).or_insert(ready.len());
                    ready.push(waiting);
                }
                Err(error) => failed.push((waiting.entry, error)),
            }
        }
        let at_once = self.storing.sync
            && ready.len() > FEW
            && (devices.values()).all(|&at| {
                ready
                    .get(at)
                    .is_some_and(|one| syncfs(&one.file.file).is_ok())
            });
        let one_by_one = self.storing.sync && !at_once;
        for Waiting { entry, file } in ready {
            let synced = if one_by_one { file.sync() } else { Ok(()) };
            match synced.and_then(|()| file.keep(self.storing.replace)) {
                Ok(dir) => done.touched(&dir),
                Err(error) => failed.push((entry, error)),
            }
        }
        for (entry, error) in failed {
            if let Some(slot) = stored.get_mut(entry) {
                *slot = Err(error);
            }
        }
    }

    /// Gives the directories their attributes, those inside first. Returns what failed.
    pub(super) fn finish(&mut self) -> Vec<(String, AppError)> {
        let mut failed = Vec::new();
        for (path, with) in std::mem::take(&mut self.later).into_iter().rev() {
            if let Err(error) = self.finish_dir(&path, with) {
                let name = crate::file::escape::name_to_text(path.as_os_str());
                failed.push((name.clone(), problem(&name, error)));
            }
        }
        failed
    }

    fn finish_dir(&mut self, path: &Path, with: Attributes) -> std::io::Result<()> {
        let (parent, name) = halves(path);
        let dir = match name.is_empty() {
            true => open_dir(self.dirs.base(), ".".as_ref(), OFlags::empty())?,
            false => open_dir(&*self.dirs.open(parent)?, &name, OFlags::empty())?,
        };
        if let Some(mode) = with.mode {
            fchmod(&dir, rustix::fs::Mode::from_raw_mode(mode & RIGHTS))?;
        }
        if let Some(mtime) = with.mtime {
            let file = dir.into_std_file();
            file.set_modified(mtime)?;
        }
        Ok(())
    }
}

fn check(item: &Item, bytes: &[u8]) -> Result<(), AppError> {
    let Some(claimed) = &item.digest else {
        return Ok(());
    };
    let mut hasher = Hasher::for_claim(claimed);
    hasher.update(bytes);
    let checked = claimed.check(&hasher.digests());
    checked.map_err(|error| problem(item.name(), error))
}
