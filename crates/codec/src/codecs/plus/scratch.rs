//! A buffer for each thread, in which a frame has its other form for a moment. So connections need
//! no such buffer of their own.

use std::cell::Cell;
use std::ops::{Deref, DerefMut};

use bytes::BytesMut;

/// Larger buffers are not kept, in bytes.
const KEPT: usize = 64 * 1024;

thread_local! {
    static SPARE: Cell<BytesMut> = Cell::default();
}

/// A buffer that is empty when it is taken, and kept for the next one when it is dropped.
pub(super) struct Scratch(BytesMut);

impl Scratch {
    pub(super) fn take() -> Self {
        Scratch(SPARE.try_with(Cell::take).unwrap_or_default())
    }
}

impl Deref for Scratch {
    type Target = BytesMut;

    fn deref(&self) -> &BytesMut {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut BytesMut {
        &mut self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let mut buf = std::mem::take(&mut self.0);
        buf.clear();
        if buf.capacity() <= KEPT {
            // At the thread's end there is no next one.
            let _ = SPARE.try_with(|spare| spare.set(buf));
        }
    }
}
