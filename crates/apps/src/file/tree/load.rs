//! Reads the entries of a tree in the order in which they are sent: many small files at a time, and
//! large ones opened only.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;

use super::dirs::Dirs;
use super::item::{Item, halves};
use super::walk::Planned;
use super::{BATCH_BYTES, BATCH_FILES, SMALL, SPARSE};
use crate::file::attributes;
use crate::file::digest::Digests;
use crate::file::listing::Kind;
use crate::file::root::NONBLOCK;
use crate::file::source::{Before, changed};

/// Entries of one directory, and their places below it.
pub(super) struct Branch {
    pub(super) base: Arc<Dir>,
    pub(super) planned: VecDeque<Planned>,
}

/// The entries of several trees, one after another.
pub(super) struct Loader {
    branches: VecDeque<Branch>,
    dirs: Option<Dirs>,
}

/// Entries that are ready to be sent.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) items: Vec<(Item, Range<usize>)>,
    /// The bytes of all small files.
    pub(super) bytes: Vec<u8>,
    /// The last entry, if that is a file which is read while it is sent.
    pub(super) large: Option<(Item, File, Before)>,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.large.is_some() || self.items.len() >= BATCH_FILES || self.bytes.len() >= BATCH_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.large.is_none()
    }
}

/// What a file turned out to be.
enum Opened {
    Small(Item),
    Large(Box<Item>, File, Box<Before>),
}

impl Loader {
    pub(super) fn new(branches: impl IntoIterator<Item = Branch>) -> Self {
        Loader {
            branches: branches.into_iter().collect(),
            dirs: None,
        }
    }

    /// The next entries; none at the end. What cannot be read is an entry with an error. Blocks.
    pub(super) fn next(&mut self) -> Batch {
        let mut batch = Batch::default();
        while !batch.is_full() {
            let Some(branch) = self.branches.front_mut() else {
                break;
            };
            let dirs = (self.dirs).get_or_insert_with(|| Dirs::below(Arc::clone(&branch.base)));
            match branch.planned.pop_front() {
                Some(planned) => load(dirs, planned, &mut batch),
                None => {
                    self.branches.pop_front();
                    self.dirs = None;
                }
            }
        }
        batch
    }
}

fn load(dirs: &mut Dirs, planned: Planned, batch: &mut Batch) {
    let Planned { local, item } = planned;
    let start = batch.bytes.len();
    if item.error.is_some() || !item.is(Kind::File) {
        batch.items.push((item, start..start));
        return;
    }
    let name = item.name().to_owned();
    let read = open(dirs, &local).and_then(|file| read(file, item, &mut batch.bytes));
    match read {
        Ok(Opened::Small(item)) => batch.items.push((item, start..batch.bytes.len())),
        Ok(Opened::Large(item, file, before)) => {
            batch.bytes.truncate(start);
            batch.large = Some((*item, file, *before));
        }
        Err(error) => {
            batch.bytes.truncate(start);
            batch
                .items
                .push((Item::refused(name, &error), start..start));
        }
    }
}

/// Opens the regular file at `local`. It may have been swapped for a pipe, whose open would wait,
/// or for a link.
fn open(dirs: &mut Dirs, local: &Path) -> io::Result<File> {
    let (parent, name) = halves(local);
    let nofollow = OFlags::NOFOLLOW.bits().cast_signed();
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(NONBLOCK | nofollow);
    Ok(dirs.open(parent)?.open_with(name, &options)?.into_std())
}

/// Reads a small file to its end, behind what is in `bytes`.
fn read(file: File, item: Item, bytes: &mut Vec<u8>) -> io::Result<Opened> {
    let before = Before::new(&file)?;
    let found = before.found();
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file any more"));
    }
    let item = Item {
        size: Some(found.len()),
        mtime: found.modified().ok(),
        mode: Some(found.mode() & attributes::RIGHTS),
        ..item
    };
    let has_holes = found.len() >= SPARSE && found.blocks() * 512 < found.len();
    if found.len() > SMALL || has_holes {
        return Ok(Opened::Large(Box::new(item), file, Box::new(before)));
    }
    let start = bytes.len();
    // One byte more than it should have shows that it has no more.
    let most = if found.len() == 0 { SMALL } else { found.len() };
    read_up_to(&file, most + 1, bytes)?;
    let len = (bytes.len() - start) as u64;
    let as_said = len == found.len();
    let generated = found.len() == 0 && found.blocks() == 0;
    if !(as_said || generated && len <= SMALL) {
        return Err(changed());
    }
    check(&file, &before, &bytes[start..], as_said)?;
    let digest = Digests::blake3(blake3::hash(&bytes[start..]).to_hex().as_str());
    Ok(Opened::Small(Item {
        size: Some(len),
        digest: Some(digest),
        ..item
    }))
}

fn read_up_to(mut file: &File, most: u64, bytes: &mut Vec<u8>) -> io::Result<()> {
    let start = bytes.len();
    bytes.resize(start + usize::try_from(most).unwrap_or(usize::MAX), 0);
    let mut end = start;
    while end < bytes.len() {
        match file.read(&mut bytes[end..]) {
            Ok(0) => break,
            Ok(len) => {
                end += len;
                // A read that is short of a regular file has met its end.
                if end + 1 == bytes.len() {
                    break;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                bytes.truncate(start);
                return Err(error);
            }
        }
    }
    bytes.truncate(end);
    Ok(())
}

/// An error if the file has changed since it was opened.
fn check(file: &File, before: &Before, read: &[u8], as_said: bool) -> io::Result<()> {
    let now = file.metadata()?;
    if before.differs(&now) {
        return Err(changed());
    }
    if as_said && before.is_unsure(&now) {
        let mut again = vec![0; read.len()];
        std::os::unix::fs::FileExt::read_exact_at(file, &mut again, 0)?;
        if again != read {
            return Err(changed());
        }
    }
    Ok(())
}
