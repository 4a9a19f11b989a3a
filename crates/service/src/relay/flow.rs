//! What a relay has passed on, for others to read while it runs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// What a [`Relay`](super::Relay) has passed on, in both directions.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Traffic {
    /// From the near side to the far side.
    pub to_far: Flow,
    /// From the far side to the near side.
    pub to_near: Flow,
}

/// What was passed on in one direction. The numbers only grow.
#[derive(Debug, Default)]
pub struct Flow {
    frames: AtomicU64,
    bytes: AtomicU64,
    lost: AtomicU64,
    waiting: AtomicBool,
}

impl Flow {
    /// The frames that were taken for the other side. Where the relay fails, the last of them may
    /// not have been written.
    pub fn frames(&self) -> u64 {
        self.frames.load(Relaxed)
    }

    /// The bytes of these frames, without what either codec puts around them.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// The faults that were [passed over](super::Relay::passing_over): each is a frame that could
    /// not be read or not be carried, or a lost datagram.
    pub fn lost(&self) -> u64 {
        self.lost.load(Relaxed)
    }

    /// Only the task of the relay writes, so no two additions meet.
    pub(super) fn passed(&self, bytes: usize) {
        self.frames.store(self.frames() + 1, Relaxed);
        self.bytes.store(self.bytes() + bytes as u64, Relaxed);
    }

    /// Whether the relay waits for a frame, and has none on its way.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.load(Relaxed)
    }

    pub(super) fn waits(&self, on: bool) {
        self.waiting.store(on, Relaxed);
    }

    pub(super) fn lose(&self) {
        self.lost.store(self.lost() + 1, Relaxed);
    }
}
