//! What a tree has, and what became of it.

use std::time::{Duration, Instant};

use super::item::{Item, TOP};
use crate::AppError;
use crate::file::listing::Kind;
use crate::file::place::problem;

/// How many names of hidden entries a survey has.
const EXAMPLES: usize = 10;

/// What is going to be transferred.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Survey {
    /// How many files.
    pub files: u64,
    /// How many directories, with the top itself.
    pub dirs: u64,
    /// How many symbolic links that are transferred as links.
    pub links: u64,
    /// How many bytes all files have.
    pub bytes: u64,
    /// How many entries have a name that begins with a dot, without those in such a directory.
    pub hidden: u64,
    /// The first ten of them.
    pub examples: Vec<String>,
    /// What cannot be transferred, and why.
    pub refused: Vec<Failure>,
}

/// An entry that was not transferred.
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// Its name, as text. Show it through [`Shown`](crate::Shown).
    pub name: String,
    /// Why, with the name.
    pub error: AppError,
}

/// What became of a tree.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// How many files were stored.
    pub files: u64,
    /// How many directories there are now.
    pub dirs: u64,
    /// How many symbolic links there are now.
    pub links: u64,
    /// How many bytes the files have that were stored.
    pub bytes: u64,
    /// What was not stored, or not with all its attributes.
    pub failures: Vec<Failure>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Failure {
    pub(in crate::file) fn new(name: impl Into<String>, why: impl std::fmt::Display) -> Self {
        let name = name.into();
        let error = problem(&name, why);
        Failure { name, error }
    }
}

impl Survey {
    /// Counts an entry. One with an error is refused, and is not to be transferred.
    pub(super) fn count(&mut self, item: &Item) -> bool {
        let name = item.name();
        if let Some(error) = &item.error {
            self.refused.push(Failure::new(name, error));
            return false;
        }
        match item.kind {
            Some(Kind::Dir) => self.dirs += 1,
            Some(Kind::Link) => self.links += 1,
            _ => {
                self.files += 1;
                self.bytes = self.bytes.saturating_add(item.size.unwrap_or_default());
            }
        }
        if is_hidden(name) {
            self.hidden += 1;
            if self.examples.len() < EXAMPLES {
                self.examples.push(name.to_owned());
            }
        }
        true
    }
}

/// Whether the last component begins with a dot, and no other does.
fn is_hidden(name: &str) -> bool {
    let mut components = name.rsplit('/');
    let hidden = |part: &str| part.starts_with('.') && part != TOP;
    components.next().is_some_and(hidden) && !components.any(hidden)
}

impl Report {
    pub(in crate::file) fn took(self, since: Instant) -> Self {
        let elapsed = since.elapsed();
        Report { elapsed, ..self }
    }

    pub(super) fn stored(&mut self, kind: Kind, bytes: u64) {
        match kind {
            Kind::Dir => self.dirs += 1,
            Kind::Link => self.links += 1,
            _ => {
                self.files += 1;
                self.bytes = self.bytes.saturating_add(bytes);
            }
        }
    }
}
