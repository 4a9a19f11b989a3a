//! The directories whose new names have to be on disk.

use std::io;
use std::sync::Arc;

use cap_std::fs::{Dir, MetadataExt};
use rustix::fs::syncfs;

use super::FEW;
use crate::AppError;
use crate::file::part::{sync_directory, unsure};

/// The directories that have new names, which are to be on disk.
#[derive(Default)]
pub(super) struct Done {
    dirs: Vec<Arc<Dir>>,
}

impl Done {
    pub(super) fn touched(&mut self, dir: &Arc<Dir>) {
        // The entries of a directory follow each other.
        if !self.dirs.last().is_some_and(|last| Arc::ptr_eq(last, dir)) {
            self.dirs.push(Arc::clone(dir));
        }
    }

    /// If that fails, nobody can know which of the names are on disk.
    pub(super) fn sync(self, stored: &mut [Result<(), AppError>]) {
        let synced = match self.dirs.len() {
            0..=FEW => self.dirs.iter().try_for_each(|dir| sync_directory(dir)),
            _ => self.sync_all(),
        };
        if let Err(error) = synced {
            for slot in stored.iter_mut().filter(|slot| slot.is_ok()) {
                *slot = Err(AppError::failed(unsure(&error)));
            }
        }
    }

    /// Each file system once.
    fn sync_all(&self) -> io::Result<()> {
        let mut synced = Vec::new();
        for dir in &self.dirs {
            let device = dir.dir_metadata()?.dev();
            if !synced.contains(&device) {
                syncfs(dir.open(".")?)?;
                synced.push(device);
            }
        }
        Ok(())
    }
}
