//! How many bytes each client may store while a server runs.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::limits::size;
use crate::AppError;

/// How many bytes each client has stored, by its name.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored(Arc<Mutex<HashMap<String, usize>>>);

/// What one client may still store.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    client: String,
    most: usize,
    stored: Stored,
}

/// The bytes of one file of a client. They count no more when this is dropped, unless it is kept.
#[derive(Debug)]
pub(super) struct Counted {
    quota: Quota,
    bytes: usize,
}

impl Stored {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // A panic elsewhere leaves the numbers whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Quota {
    pub(super) fn new(client: &str, most: usize, stored: Stored) -> Self {
        let client = client.to_owned();
        Quota {
            client,
            most,
            stored,
        }
    }

    /// An error unless a file of `len` bytes has room now.
    pub(super) fn has_room(&self, len: u64) -> Result<(), AppError> {
        let left = self.left(&self.stored.lock());
        match usize::try_from(len).is_ok_and(|len| len <= left) {
            true => Ok(()),
            false => Err(self.full(left, format_args!("it has {len} bytes, and "))),
        }
    }

    /// Counts a new file.
    pub(super) fn count(self) -> Counted {
        Counted {
            quota: self,
            bytes: 0,
        }
    }

    fn left(&self, stored: &HashMap<String, usize>) -> usize {
        let used = stored.get(&self.client).copied().unwrap_or_default();
        self.most.saturating_sub(used)
    }

    fn full(&self, left: usize, asked: impl Display) -> AppError {
        AppError::failed(format_args!(
            "the file is too large: {asked}'{}' may store {} here, of which {} are left; \
             ask for a higher quota",
            self.client,
            size(self.most as u64),
            size(left as u64)
        ))
    }
}

impl Counted {
    /// Counts `len` more bytes.
    ///
    /// # Errors
    /// If they have no room.
    pub(super) fn add(&mut self, len: usize) -> Result<(), AppError> {
        let mut stored = self.quota.stored.lock();
        let left = self.quota.left(&stored);
        if len > left {
            return Err(self.quota.full(left, ""));
        }
        *stored.entry(self.quota.client.clone()).or_default() += len;
        self.bytes += len;
        Ok(())
    }

    /// The file is stored, and so counts.
    pub(super) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.quota.stored.lock();
        if let Some(stored) = all.get_mut(&self.quota.client) {
            *stored -= self.bytes;
            if *stored == 0 {
                all.remove(&self.quota.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_counts_and_what_is_dropped_does_not() {
        let stored = Stored::default();
        let ann = Quota::new("ann", 10, stored.clone());
        let ben = Quota::new("ben", 10, stored);
        let mut kept = ann.clone().count();
        kept.add(4).unwrap();
        kept.keep();
        let mut dropped = ann.clone().count();
        dropped.add(6).unwrap();
        assert!(dropped.add(1).is_err());
        ann.has_room(1).unwrap_err();
        ben.has_room(10).unwrap();
        drop(dropped);
        ann.has_room(6).unwrap();
        let words = ann.has_room(7).unwrap_err().to_string();
        assert!(words.contains("7 bytes, and 'ann' may"), "{words}");
        assert!(words.contains("10 bytes here, of which 6 bytes"), "{words}");
        // Who has stored nothing takes no memory.
        ben.clone().count().add(1).unwrap();
        assert_eq!(ben.stored.lock().len(), 1);
    }
}
