//! Room on the file system of the served directory.

use indicatif::BinaryBytes;

use super::size;
use crate::AppError;
use crate::file::root::Root;

/// After so many bytes of an upload the room is looked at again: 8 MiB.
const STEP: u64 = 8 << 20;

/// How much has to stay free where the files of `root` are.
pub(in crate::file) struct Space {
    root: Root,
    keep: u64,
    /// How many bytes came since the last look.
    since: u64,
}

impl Space {
    pub(in crate::file) fn new(root: Root, keep: u64) -> Self {
        Space {
            root,
            keep,
            since: 0,
        }
    }

    /// An error unless there is room for `len` bytes now.
    pub(in crate::file) async fn has_room(&self, len: u64) -> Result<(), AppError> {
        let free = self.root.run(|root| Ok(root.free()?)).await?;
        room(free, self.keep, len)
    }

    /// `len` more bytes came.
    pub(in crate::file) async fn add(&mut self, len: u64) -> Result<(), AppError> {
        self.since += len;
        if self.since < STEP {
            return Ok(());
        }
        self.since = 0;
        self.has_room(0).await
    }
}

fn room(free: u64, keep: u64, len: u64) -> Result<(), AppError> {
    match free.checked_sub(keep) {
        Some(left) if len <= left => Ok(()),
        left => Err(AppError::failed(format_args!(
            "there is no room for the file: {} are free here, {} have to stay free, \
             which leaves {} of the {} that it needs; try again when there is more room",
            BinaryBytes(free),
            size(keep),
            BinaryBytes(left.unwrap_or_default()),
            BinaryBytes(len),
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_to_stay_free_is_no_room() {
        room(100, 40, 60).unwrap();
        room(100, 100, 0).unwrap();
        let words = room(100, 40, 61).unwrap_err().to_string();
        assert!(words.contains("leaves 60 B of the 61 B"), "{words}");
        let words = room(10, 1 << 30, 0).unwrap_err().to_string();
        assert!(
            words.contains("10 B are free here, 1GiB have to stay"),
            "{words}"
        );
    }

    #[tokio::test]
    async fn the_room_is_looked_at_again_while_a_file_arrives() {
        let dir = tempfile::tempdir().unwrap();
        let mut space = Space::new(Root::open(dir.path()).unwrap(), u64::MAX);
        space.add(STEP - 1).await.unwrap();
        space.add(1).await.unwrap_err();
        space.keep = 0;
        space.add(STEP).await.unwrap();
    }
}
