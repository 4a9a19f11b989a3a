//! One buffer for each thread, in which values become frames. So connections need no such buffer of
//! their own.

use std::cell::Cell;

/// Larger buffers are not kept, in bytes.
const KEPT: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// An empty buffer.
pub(super) fn take() -> Vec<u8> {
    SCRATCH.try_with(Cell::take).unwrap_or_default()
}

/// Leaves a buffer for the next value.
pub(super) fn give(mut buf: Vec<u8>) {
    buf.clear();
    if buf.capacity() <= KEPT {
        // At the thread's end there is no next value.
        let _ = SCRATCH.try_with(|scratch| scratch.set(buf));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_taken_once_and_empty() {
        let mut given = Vec::with_capacity(1000);
        given.push(1);
        let place = given.as_ptr();
        give(given);
        let (first, second) = (take(), take());
        assert_eq!((first.as_ptr(), first.len()), (place, 0));
        assert_eq!(second.capacity(), 0);
    }

    #[test]
    fn a_large_one_is_not_kept() {
        give(Vec::with_capacity(KEPT + 1));
        assert!(take().capacity() <= KEPT);
    }
}
