//! The memory that the buffers of all connections may have together.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the bytes of the buffers of all connections.
pub(super) struct Budget {
    most: usize,
    used: AtomicUsize,
}

impl Budget {
    pub(super) fn new(most: usize) -> Self {
        Budget {
            most,
            used: AtomicUsize::new(0),
        }
    }

    /// Whether there is room for a newcomer.
    pub(super) fn has_room(&self) -> bool {
        self.used.load(Ordering::Relaxed) < self.most
    }

    /// A buffer of `before` bytes has `after` bytes now. Refuses one that grows beyond the budget.
    pub(super) fn resize(&self, before: usize, after: usize) -> io::Result<()> {
        let Some(more) = after.checked_sub(before) else {
            self.used.fetch_sub(before - after, Ordering::Relaxed);
            return Ok(());
        };
        let fits = |used: usize| used.checked_add(more).filter(|sum| *sum <= self.most);
        // What is refused was never counted, so no other connection is refused for it.
        let grown = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        grown.map(drop).map_err(|used| {
            let words = format!(
                "the buffers of all connections have {used} of {} bytes, and {more} more were needed",
                self.most
            );
            io::Error::new(io::ErrorKind::OutOfMemory, words)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_over_the_budget_is_refused_and_changes_nothing() {
        let budget = Budget::new(100);
        assert!(budget.resize(0, 60).is_ok());
        let error = budget.resize(0, 41).expect_err("too much");
        assert!(error.to_string().contains("60 of 100 bytes"), "{error}");
        assert!(budget.has_room() && budget.resize(0, 40).is_ok());
        assert!(!budget.has_room());
        assert!(budget.resize(60, 0).is_ok() && budget.resize(40, 0).is_ok());
        assert!(budget.resize(0, 100).is_ok());
    }
}
