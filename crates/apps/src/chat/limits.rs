//! What is bounded in a chat, by number.

use std::time::Duration;

/// How long a server waits for a user on a stream who has not taken what waits for it, 256 KiB, before it disconnects
/// that user. All who speak wait as long, once: what one pastes reaches everybody who reads, and who does not read is
/// gone after this.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// How many lines wait to be printed or to be read with [`Operator::next`](super::Operator::next). Beyond them a
/// server drops lines, since its reader must not hold up the others; a client waits.
pub const WAITING_LINES: usize = 1024;

/// How many bytes wait to be printed, in the same way. A line that is longer counts as so many.
pub const WAITING_BYTES: usize = 1 << 20;

/// How many characters of one message a server shows its operator; `…` stands for the others. Users get all of it.
pub const SHOWN_CHARACTERS: usize = 4096;
