//! The entries of a tree, found in their order: a directory, what is in it, then what is in the
//! directories of it.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, Metadata, MetadataExt};
use rustix::fs::{FileType, OFlags};

use super::choice::{Choice, Links};
use super::dirs::{Dirs, open_dir};
use super::item::{Item, TOP, halves, stays_inside};
use crate::AppError;
use crate::file::escape::name_to_text;
use crate::file::listing::Kind;
use crate::file::place::a_kind;
use crate::file::root::{kind, modified};
use crate::file::{MAX_DEPTH, MAX_ENTRIES, MAX_LISTING, attributes, links, name};

/// An entry, and where it lies: below the top, without a link on the way.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) local: PathBuf,
    pub(super) item: Item,
}

/// Finds the entries below `top` that `choice` takes, and the top itself. Absolute links are
/// followed below `aliases`, the absolute paths of the top. Blocks.
///
/// What cannot be had is an entry with an error.
///
/// # Errors
/// If there are more than [`MAX_ENTRIES`], or they need more than [`MAX_LISTING`] bytes.
pub(super) fn walk(
    top: &Arc<Dir>,
    aliases: &[PathBuf],
    choice: &Choice,
) -> Result<Vec<Planned>, AppError> {
    let mut walker = Walker {
        top,
        dirs: Dirs::below(Arc::clone(top)),
        aliases,
        choice,
        found: Vec::new(),
        held: 0,
    };
    let found = top.dir_metadata().map_err(AppError::failed)?;
    let place = Place {
        local: PathBuf::new(),
        path: PathBuf::new(),
    };
    walker.add(&place, described(&found, TOP.to_owned()))?;
    walker.enter(top, &place, &mut vec![(found.dev(), found.ino())])?;
    Ok(match choice.picks() {
        true => without_empty(walker.found),
        false => walker.found,
    })
}

/// An entry of this kind and these attributes.
pub(super) fn described(found: &Metadata, name: String) -> Item {
    let kind = kind(found.file_type());
    Item {
        size: (kind == Kind::File).then(|| found.len()),
        mtime: Some(modified(found)),
        mode: Some(found.mode() & attributes::RIGHTS),
        ..Item::named(name, kind)
    }
}

/// Where an entry lies, and under which path it is found. These differ behind a link.
struct Place {
    local: PathBuf,
    path: PathBuf,
}

impl Place {
    fn join(&self, name: &std::ffi::OsStr) -> Self {
        Place {
            local: self.local.join(name),
            path: self.path.join(name),
        }
    }
}

struct Walker<'a> {
    top: &'a Dir,
    dirs: Dirs,
    aliases: &'a [PathBuf],
    choice: &'a Choice,
    found: Vec<Planned>,
    held: u64,
}

/// The directories that an entry is in: device and inode.
type Above = Vec<(u64, u64)>;

impl Walker<'_> {
    fn enter(&mut self, dir: &Dir, place: &Place, above: &mut Above) -> Result<(), AppError> {
        let entries = match entries(dir) {
            Ok(entries) => entries,
            Err(error) => return self.refuse(place, &error),
        };
        let mut dirs = Vec::new();
        for (name, found) in entries {
            let place = place.join(&name);
            let is_dir = found.is_dir();
            if self.choice.excludes(&place.path, is_dir) {
                continue;
            }
            match is_dir {
                true => dirs.push((place, found)),
                false => self.leaf(place, &found, above)?,
            }
        }
        for (place, found) in dirs {
            self.dir(&place, &found, above)?;
        }
        Ok(())
    }

    fn dir(&mut self, place: &Place, found: &Metadata, above: &mut Above) -> Result<(), AppError> {
        let identity = (found.dev(), found.ino());
        if above.contains(&identity) {
            return self.refuse(place, &"it leads to a directory that it is in");
        }
        if above.len() > MAX_DEPTH {
            return self.refuse(
                place,
                &format_args!("it is in more than {MAX_DEPTH} directories"),
            );
        }
        let item = described(found, name_to_text(place.path.as_os_str()));
        if self.choice.picks() || self.choice.takes(&place.path, true) {
            self.add(place, item)?;
        }
        let opened = self.open(&place.local);
        match opened {
            Err(error) => self.refuse(place, &error),
            Ok(dir) => {
                above.push(identity);
                self.enter(&dir, place, above)?;
                above.pop();
                Ok(())
            }
        }
    }

    fn open(&mut self, local: &Path) -> io::Result<Dir> {
        let (parent, name) = halves(local);
        match name.is_empty() {
            true => self.top.try_clone(),
            false => open_dir(&*self.dirs.open(parent)?, &name, OFlags::empty()),
        }
    }

    /// An entry that is no directory.
    fn leaf(&mut self, place: Place, found: &Metadata, above: &mut Above) -> Result<(), AppError> {
        let of = FileType::from_raw_mode(found.mode());
        let taken = self.choice.takes(&place.path, false);
        match (of, self.choice.links) {
            (FileType::Symlink, Links::Follow) => self.follow(place, above),
            _ if !taken => Ok(()),
            (FileType::RegularFile, _) => {
                let item = described(found, name_to_text(place.path.as_os_str()));
                self.add(&place, item)
            }
            (FileType::Symlink, Links::Skip) => Ok(()),
            (FileType::Symlink, Links::Copy) => self.copy(&place),
            (other, _) => self.refuse(
                &place,
                &format_args!(
                    "it is {}, and only files, directories and links are sent",
                    a_kind(other)
                ),
            ),
        }
    }

    fn copy(&mut self, place: &Place) -> Result<(), AppError> {
        let (parent, last) = halves(&place.local);
        let to = self
            .dirs
            .open(parent)
            .and_then(|dir| dir.read_link_contents(last));
        match to {
            Err(error) => self.refuse(place, &error),
            Ok(to) if !stays_inside(&place.path, &to) => self.refuse(
                place,
                &format_args!(
                    "it is a link to {}, which may be outside of the tree",
                    to.display()
                ),
            ),
            Ok(to) => {
                let item = Item {
                    to: Some(name_to_text(to.as_os_str())),
                    ..Item::named(name_to_text(place.path.as_os_str()), Kind::Link)
                };
                self.add(place, item)
            }
        }
    }

    fn follow(&mut self, place: Place, above: &mut Above) -> Result<(), AppError> {
        let led = links::resolve(self.top, self.aliases, &place.local);
        let led = led.and_then(|local| Ok((self.top.symlink_metadata(&local)?, local)));
        let (found, local) = match led {
            Ok(led) => led,
            Err(_) if !self.choice.takes(&place.path, false) => return Ok(()),
            Err(error) => return self.refuse(&place, &error),
        };
        let local = match local.as_os_str() == "." {
            true => PathBuf::new(),
            false => local,
        };
        let place = Place { local, ..place };
        match found.is_dir() {
            true if self.choice.excludes(&place.path, true) => Ok(()),
            true => self.dir(&place, &found, above),
            // A path without links leads to no link.
            false if found.is_symlink() => Ok(()),
            false => self.leaf(place, &found, above),
        }
    }

    fn refuse(&mut self, place: &Place, why: &dyn Display) -> Result<(), AppError> {
        let name = match place.path.as_os_str().is_empty() {
            true => TOP.to_owned(),
            false => name_to_text(place.path.as_os_str()),
        };
        self.add(place, Item::refused(name, why))
    }

    fn add(&mut self, place: &Place, item: Item) -> Result<(), AppError> {
        if self.found.len() == MAX_ENTRIES {
            return Err(AppError::failed(format_args!(
                "the tree has more than {MAX_ENTRIES} entries"
            )));
        }
        let texts = item.name().len() + item.to.as_ref().map_or(0, String::len);
        self.held += (size_of::<Planned>() + place.local.as_os_str().len() + texts) as u64;
        if self.held > MAX_LISTING {
            return Err(AppError::failed(format_args!(
                "the names of the tree need more than {MAX_LISTING} bytes"
            )));
        }
        let local = place.local.clone();
        self.found.push(Planned { local, item });
        Ok(())
    }
}

/// Sorted by name, so that a tree is always found in the same order.
fn entries(dir: &Dir) -> io::Result<Vec<(std::ffi::OsString, Metadata)>> {
    let mut entries = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_str().is_some_and(name::is_temporary) {
            continue;
        }
        // The file may be gone since it was listed.
        if let Ok(found) = entry.metadata() {
            entries.push((name, found));
        }
        if entries.len() > MAX_ENTRIES {
            return Err(io::Error::other(format!(
                "it has more than {MAX_ENTRIES} entries"
            )));
        }
    }
    entries.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    Ok(entries)
}

/// Without the directories in which nothing is taken. Behind a directory stands what is in it.
pub(super) fn without_empty(found: Vec<Planned>) -> Vec<Planned> {
    let mut kept: Vec<Planned> = Vec::new();
    for planned in found.into_iter().rev() {
        let name = planned.item.name();
        let holds = |last: &Planned| {
            let below = last.item.name().strip_prefix(name);
            name == TOP || below.is_some_and(|below| below.starts_with('/'))
        };
        if !planned.item.is(Kind::Dir) || kept.last().is_some_and(holds) {
            kept.push(planned);
        }
    }
    kept.reverse();
    kept
}
