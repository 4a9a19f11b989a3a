//! The bounds of a hub.

use std::time::Duration;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

#[cfg(feature = "serde")]
use crate::text;

/// What a [`Hub`](super::Hub) may hold.
///
/// In a configuration file bytes and times are texts (`256KiB`, `500ms`), a key that is left out
/// has its default, and an unknown key is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct HubLimits {
    /// The most bytes of encoded messages that wait for a reader in one topic; default 256 KiB.
    /// Each message counts [`OVERHEAD`](HubLimits::OVERHEAD) bytes more than it has. All readers of
    /// a topic share the messages, so the memory does not grow with their number. A reader that is
    /// further behind misses the oldest.
    #[cfg_attr(feature = "serde", serde(with = "text::bytes"))]
    pub queue_bytes: usize,
    /// The most topics that one reader may subscribe to; default 1,024.
    pub topics_per_reader: usize,
    /// How long a [pacing](super::Joining::paces) reader may take fewer than `least` bytes while
    /// messages wait for it; default 500 milliseconds. Receipts then do not wait for it until it
    /// has caught up.
    #[cfg_attr(feature = "serde", serde(with = "text::duration"))]
    pub patience: Duration,
    /// How many bytes a pacing reader has to take within `patience`, or all that wait; default
    /// 16 KiB.
    #[cfg_attr(feature = "serde", serde(with = "text::bytes"))]
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

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_the_limits_that_differ() {
        let text = r#"{"queue_bytes": "1MiB", "patience": "2s"}"#;
        let limits: HubLimits = serde_json::from_str(text).expect("limits");
        assert_eq!((limits.queue_bytes, limits.least), (1 << 20, 16 << 10));
        assert_eq!(limits.patience, Duration::from_secs(2));
    }

    #[test]
    fn printed_limits_are_read_again() {
        let text = serde_json::to_string(&HubLimits::default()).expect("text");
        let limits: HubLimits = serde_json::from_str(&text).expect("limits");
        assert_eq!(limits, HubLimits::default());
    }

    #[test]
    fn a_limit_that_does_not_exist_is_refused_by_its_name() {
        let error = serde_json::from_str::<HubLimits>(r#"{"patient": "1s"}"#).expect_err("a typo");
        assert!(error.to_string().contains("patient"), "{error}");
    }
}
