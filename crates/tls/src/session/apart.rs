//! Where in memory a decrypted record and its copy lie.
//!
//! rustls decrypts a record in its buffer, behind the header, and copies it into a new block. The
//! `memcpy` of glibc is thirty times slower on AMD's Zen if the copy begins 1 to 15 bytes behind
//! the original, modulo 4096 (`rep movsb`; glibc 2.36, its bug 30994). glibc may give such a block
//! again and again. So a block that lies like this is kept, and glibc has to give another one to
//! the next record.
//!
//! The receiver of a framed stream gets 1.4 times as many bytes from a second of processor time as
//! without this at 64 B and 1 KiB, and 1.6 times at 64 KiB: medians of nine pairs of runs in turn,
//! on Zen 4. With one arena, without glibc's caches of each thread, and with a heap that never
//! shrinks it was 1.15 to 1.5 times. With jemalloc no copy is slow, and this costs nothing that can
//! be measured (0.96 to 1.01). To see it, have `is_slow` say no, and compare both builds by
//! `cargo bench -p socketry-testkit --bench compare -- 'framed tls' --side ours`.

use std::cell::Cell;
use std::ops::Range;

use super::records::Records;

/// Shorter copies do not matter.
const LONG: usize = 4096;
const PAGE: usize = 4096;
/// How far behind its original a slow copy begins.
const SLOW: Range<usize> = 1..16;

thread_local! {
    /// The block that is kept, one a thread, with the room of a record.
    static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Where a connection decrypts.
#[derive(Debug, Default)]
pub(super) struct Apart {
    /// The address of a decrypted record, to be compared only.
    original: usize,
}

impl Apart {
    /// The connection receives `bytes` into its buffer, of which a record has `begun` bytes.
    pub(super) fn received(&mut self, bytes: &[u8], begun: usize) {
        let record = bytes.as_ptr().addr().wrapping_sub(begun);
        self.original = record.wrapping_add(Records::HEADER);
    }

    /// Whether `copy`, of a whole record, was slow to make.
    pub(super) fn is_slow(&self, copy: &[u8]) -> bool {
        let behind = copy.as_ptr().addr().wrapping_sub(self.original) % PAGE;
        copy.len() >= LONG && SLOW.contains(&behind)
    }
}

/// Keeps the block of `len` bytes that this thread has just freed.
pub(super) fn keep(len: usize) {
    KEPT.set(Vec::with_capacity(len));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_just_behind_its_original_is_slow() {
        let memory = vec![0; 3 * PAGE];
        let mut apart = Apart::default();
        // The record began 7 bytes before these, and its payload 5 bytes behind that.
        apart.received(&memory[107..], 7);
        let slow = |at: usize, len: usize| apart.is_slow(&memory[at..at + len]);
        for behind in 1..16 {
            assert!(slow(105 + behind, LONG), "{behind} bytes behind");
            assert!(slow(105 + PAGE + behind, LONG), "a page and {behind}");
            assert!(!slow(105 + behind, LONG - 1), "short, {behind} behind");
        }
        assert!(!slow(105, LONG));
        assert!(!slow(105 + 16, LONG));
        assert!(!slow(104, LONG));
    }
}
