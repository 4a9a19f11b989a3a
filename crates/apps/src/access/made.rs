//! The file of a token that was made at this start.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A file that is removed again when this is dropped, unless the server has started: a server that
/// did not start leaves nothing.
#[derive(Debug)]
pub(super) struct Made {
    file: PathBuf,
    kept: AtomicBool,
}

impl Made {
    pub(super) fn new(file: &Path) -> Self {
        Made {
            file: file.to_owned(),
            kept: AtomicBool::new(false),
        }
    }

    /// The file, which stays from now on.
    pub(super) fn keep(&self) -> &Path {
        self.kept.store(true, Ordering::Relaxed);
        &self.file
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        if !*self.kept.get_mut() {
            // If it cannot be removed, the next start takes it.
            let _ = std::fs::remove_file(&self.file);
        }
    }
}
