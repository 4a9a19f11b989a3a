//! The counts of a receiver, the same on every side, so that no side is fast by losing frames.

/// Frames, bytes, and a sum over both ends of every frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) frames: usize,
    bytes: usize,
    sum: u64,
}

impl Tally {
    #[inline]
    pub(crate) fn see(&mut self, frame: &[u8]) {
        self.frames += 1;
        self.bytes += frame.len();
        if let (Some(first), Some(last)) = (frame.first(), frame.last()) {
            self.sum += u64::from(*first) + 2 * u64::from(*last);
        }
    }

    /// Counts in registers, as a function over a buffer does, and not in the state of a future.
    pub(crate) fn see_all<'a>(&mut self, frames: impl Iterator<Item = &'a [u8]>) {
        let mut seen = *self;
        frames.for_each(|frame| seen.see(frame));
        *self = seen;
    }

    /// The count for `count` frames like this one.
    pub(crate) fn of(frame: &[u8], count: usize) -> Self {
        let mut one = Tally::default();
        one.see(frame);
        Tally {
            frames: count,
            bytes: one.bytes * count,
            sum: one.sum * count as u64,
        }
    }
}

/// A frame of `len` bytes.
pub(crate) fn frame(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 251 + 1) as u8).collect()
}

/// A line of `len` letters, without its end.
pub(crate) fn text(len: usize) -> Vec<u8> {
    frame(len).iter().map(|byte| b'a' + byte % 26).collect()
}
