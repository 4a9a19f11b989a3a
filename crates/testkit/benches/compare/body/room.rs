//! The files of the bodies.

use std::cell::OnceCell;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::memory::bytes;

const WHOLE: u64 = 1 << 30;
const MIB: usize = 1 << 20;

pub(super) struct Room {
    pub(super) size: u64,
    parent: PathBuf,
    /// Made on demand, since its file is large.
    directory: OnceCell<TempDir>,
}

impl Room {
    /// In memory, if there is such a file system.
    pub(super) fn find() -> Self {
        let shared = Path::new("/dev/shm");
        let parent = match shared.is_dir() {
            true => shared.to_owned(),
            false => std::env::temp_dir(),
        };
        Room {
            size: size(&parent),
            parent,
            directory: OnceCell::new(),
        }
    }

    /// The file to send, and the directory of both.
    pub(super) fn label(&self) -> String {
        let size = bytes(self.size as usize);
        format!("{size} in {}", self.parent.display())
    }

    fn directory(&self) -> &Path {
        let made = || {
            let directory = tempfile::tempdir_in(&self.parent).unwrap();
            let mut file = File::create(directory.path().join("source")).unwrap();
            for at in 0..self.size / MIB as u64 {
                file.write_all(&block(at)).unwrap();
            }
            directory
        };
        self.directory.get_or_init(made).path()
    }

    pub(super) fn source(&self) -> File {
        File::open(self.directory().join("source")).unwrap()
    }

    pub(super) fn target(&self) -> PathBuf {
        self.directory().join("target")
    }

    /// Compares one place of each MiB.
    pub(super) fn compare(&self, target: &Path) {
        let file = File::open(target).unwrap();
        assert_eq!(file.metadata().unwrap().len(), self.size);
        let mut found = [0; 64];
        for at in 0..self.size / MIB as u64 {
            let inside = at as usize * 997 % (MIB - found.len());
            file.read_exact_at(&mut found, at * MIB as u64 + inside as u64)
                .unwrap();
            assert_eq!(found, block(at)[inside..][..found.len()]);
        }
    }
}

/// Both files have to fit, with some room to spare.
fn size(parent: &Path) -> u64 {
    let free = rustix::fs::statvfs(parent).map_or(WHOLE, |room| room.f_bavail * room.f_frsize);
    let mut size = WHOLE;
    while size > MIB as u64 && 5 * size / 2 > free {
        size /= 2;
    }
    size
}

/// The MiB with this number. No two are equal.
fn block(at: u64) -> Vec<u8> {
    let mut block: Vec<u8> = (0..MIB).map(|byte| (byte % 251) as u8).collect();
    for word in block.chunks_exact_mut(1024) {
        word[..8].copy_from_slice(&at.to_le_bytes());
    }
    block
}
