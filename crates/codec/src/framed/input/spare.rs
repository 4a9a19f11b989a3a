//! A spare buffer and a spare `Ahead` for each thread, for the connection that reads next there.
//!
//! A connection that waits has given both back, and needs them when it is woken. That is mostly on
//! a thread on which another connection has just begun to wait. So ten thousand connections share a
//! few buffers, and a read allocates none.

use std::cell::Cell;

use bytes::BytesMut;

use crate::Ahead;

/// The sizes of buffers to keep, in bytes. Smaller ones are not worth it, and larger ones are
/// freed.
const KEPT: std::ops::RangeInclusive<usize> = 8 * 1024..=64 * 1024;

thread_local! {
    static SPARE: Cell<Option<BytesMut>> = const { Cell::new(None) };
    static AHEAD: Cell<Option<Box<Ahead>>> = const { Cell::new(None) };
}

/// An empty buffer with room for `bytes`.
pub(super) fn take(bytes: usize) -> BytesMut {
    let spare = SPARE.try_with(Cell::take).ok().flatten();
    match spare {
        Some(buf) if buf.capacity() >= bytes => buf,
        _ => BytesMut::with_capacity(bytes),
    }
}

/// Leaves a buffer for the next connection, unless frames that were cut from it are still in use.
pub(super) fn give(mut buf: BytesMut) {
    buf.clear();
    if buf.try_reclaim(*KEPT.start()) && KEPT.contains(&buf.capacity()) {
        // At the thread's end there is no next connection.
        let _ = SPARE.try_with(|spare| spare.set(Some(buf)));
    }
}

/// An `Ahead` without frames, or with old ones.
pub(super) fn take_ahead() -> Box<Ahead> {
    let spare = AHEAD.try_with(Cell::take).ok().flatten();
    spare.unwrap_or_default()
}

/// Leaves an `Ahead` for the next connection.
pub(super) fn give_ahead(ahead: Box<Ahead>) {
    let _ = AHEAD.try_with(|spare| spare.set(Some(ahead)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_taken_once() {
        let given = BytesMut::with_capacity(10_000);
        let place = given.as_ptr();
        give(given);
        let (first, second) = (take(9_000), take(9_000));
        assert_eq!(first.as_ptr(), place);
        assert_ne!(second.as_ptr(), place);
    }

    #[test]
    fn what_is_too_small_for_the_next_is_dropped() {
        give(BytesMut::with_capacity(10_000));
        assert!(take(20_000).capacity() >= 20_000);
    }

    #[test]
    fn nobody_is_given_what_a_frame_was_cut_from() {
        let mut buf = BytesMut::with_capacity(10_000);
        buf.extend_from_slice(b"a frame");
        let frame = buf.split_to(7).freeze();
        give(buf);
        take(5_000).extend_from_slice(b"another");
        assert_eq!(frame, "a frame");
    }
}
