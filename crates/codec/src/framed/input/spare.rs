//! A spare buffer and a spare `Ahead` for each thread, for the connection that reads next there.
//!
//! A connection that waits has given both back, and needs them when it is woken. That is mostly on
//! a thread on which another connection has just begun to wait. So ten thousand connections share a
//! few buffers, and a read allocates none.
//!
//! A message needs room for the longest before it is received. So each thread has a large spare
//! buffer too: a message is received into it, and a short one leaves it for a small one.

use std::cell::Cell;
use std::thread::LocalKey;

use bytes::BytesMut;

use crate::Ahead;

/// The sizes of buffers to keep, in bytes. Smaller ones are not worth it, and larger ones are
/// freed.
const KEPT: std::ops::RangeInclusive<usize> = 8 * 1024..=64 * 1024;
/// The largest buffer for whole messages that is kept. It is another one, so that no stream gets it
/// for a short read.
const KEPT_FOR_MESSAGES: usize = 2 << 20;

thread_local! {
    static SPARE: Cell<Option<BytesMut>> = const { Cell::new(None) };
    static LARGE: Cell<Option<BytesMut>> = const { Cell::new(None) };
    static AHEAD: Cell<Option<Box<Ahead>>> = const { Cell::new(None) };
}

/// Where a buffer of this size is kept.
fn place(bytes: usize) -> &'static LocalKey<Cell<Option<BytesMut>>> {
    match bytes > *KEPT.end() {
        true => &LARGE,
        false => &SPARE,
    }
}

/// An empty buffer with room for `bytes`.
pub(super) fn take(bytes: usize) -> BytesMut {
    // Nobody gets a large one for little more than a small one would do.
    let is_large = |len: usize| len > *KEPT.end() && len / 2 > bytes;
    match place(bytes).try_with(Cell::take).ok().flatten() {
        Some(buf) if buf.capacity() >= bytes && !is_large(buf.capacity()) => buf,
        _ => BytesMut::with_capacity(bytes),
    }
}

/// Leaves a buffer for the next connection, unless frames that were cut from it are still in use.
pub(super) fn give(mut buf: BytesMut) {
    buf.clear();
    if !buf.try_reclaim(*KEPT.start()) || buf.capacity() > KEPT_FOR_MESSAGES {
        return;
    }
    // At the thread's end there is no next connection.
    let _ = place(buf.capacity()).try_with(|spare| spare.set(Some(buf)));
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
    fn a_large_one_is_kept_for_whole_messages_alone() {
        let given = BytesMut::with_capacity(1 << 20);
        let place = given.as_ptr();
        give(given);
        assert_ne!(take(9_000).as_ptr(), place);
        assert_eq!(take(1 << 20).as_ptr(), place);
        give(BytesMut::with_capacity(KEPT_FOR_MESSAGES + 1));
        assert!(LARGE.take().is_none());
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
