//! Entries of a tree that have arrived and are not stored yet, and what becomes of them.

use std::ops::Range;
use std::path::PathBuf;

use super::item::Item;
use super::{BATCH_BYTES, BATCH_FILES};
use crate::AppError;
use crate::file::limits::Allowance;
use crate::file::listing::Kind;

/// What became of one entry.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) stored: Result<u64, AppError>,
}

/// Entries that have arrived.
#[derive(Default)]
pub(super) struct Arrived {
    pub(super) entries: Vec<Entry>,
    pub(super) bytes: Vec<u8>,
}

pub(super) struct Entry {
    pub(super) item: Item,
    pub(super) path: PathBuf,
    bytes: Range<usize>,
    counted: Allowance,
}

impl Arrived {
    pub(super) fn is_full(&self) -> bool {
        self.entries.len() >= BATCH_FILES || self.bytes.len() >= BATCH_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds an entry. Its bytes are those from `start` on.
    pub(super) fn add(&mut self, item: Item, path: PathBuf, start: usize, counted: Allowance) {
        self.entries.push(Entry {
            item,
            path,
            bytes: start..self.bytes.len(),
            counted,
        });
    }

    /// The bytes of an entry.
    pub(super) fn bytes_of(&self, entry: &Entry) -> &[u8] {
        self.bytes.get(entry.bytes.clone()).unwrap_or_default()
    }

    /// Takes all entries out, with what became of them.
    pub(super) fn outcomes(&mut self, stored: Vec<Result<(), AppError>>) -> Vec<Outcome> {
        self.bytes.clear();
        let entries = self.entries.drain(..).zip(stored);
        let outcome = |(entry, stored): (Entry, Result<(), AppError>)| {
            if stored.is_ok() {
                entry.counted.keep();
            }
            Outcome {
                kind: entry.item.kind.unwrap_or(Kind::File),
                name: entry.item.name.unwrap_or_default(),
                stored: stored.map(|()| entry.bytes.len() as u64),
            }
        };
        entries.map(outcome).collect()
    }
}
