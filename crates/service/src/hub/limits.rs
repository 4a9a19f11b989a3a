//! The bounds of a hub.

use std::time::Duration;

/// What a [`Hub`](super::Hub) may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubLimits {
    /// The most bytes of encoded messages that wait for a reader in one topic; default 256 KiB.
    /// Each message counts [`OVERHEAD`](HubLimits::OVERHEAD) bytes more than it has. All readers of
    /// a topic share the messages, so the memory does not grow with their number. A reader that is
    /// further behind misses the oldest.
    pub queue_bytes: usize,
    /// The most topics that one reader may subscribe to; default 1,024.
    pub topics_per_reader: usize,
    /// How long a [pacing](super::Joining::paces) reader may take fewer than `least` bytes while
    /// messages wait for it; default 500 milliseconds. Receipts then do not wait for it until it
    /// has caught up.
    pub patience: Duration,
    /// How many bytes a pacing reader has to take within `patience`, or all that wait; default
    /// 16 KiB.
    pub least: usize,
}

impl HubLimits {
    /// What each message that waits counts beyond its bytes: about the memory of its entry.
    pub const OVERHEAD: usize = 64;
}

impl Default for HubLimits {
    fn default() -> Self {
        HubLimits {
            queue_bytes: 256 << 10,
            topics_per_reader: 1024,
            patience: Duration::from_millis(500),
            least: 16 << 10,
        }
    }
}
