//! What is bounded in a chat, by number.

use std::time::Duration;

/// How long a server waits for a user on a stream who has not taken what waits for it, 256 KiB, before it disconnects
/// that user. All who speak wait as long, once: what one pastes reaches everybody who reads, and who does not read is
/// gone after this.
pub const PATIENCE: Duration = Duration::from_secs(1);
