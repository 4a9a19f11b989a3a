//! What is bounded in a chat, by number.

use std::time::Duration;

/// How long a server waits for a user on a stream who has not taken what waits for it, 256 KiB, before it disconnects
/// that user. All who speak wait as long, once: what one pastes reaches everybody who reads, and who does not read is
/// gone after this.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// How long a server waits on a stream for the first frame of a user, where the codec is JSON: a [`Client`](super::Client)
/// says who it is at once. With other codecs one may listen without ever having said a word.
pub const FIRST_WORD: Duration = Duration::from_secs(30);

/// How many lines wait to be printed or to be read with [`Operator::next`](super::Operator::next). Beyond them a
/// server drops lines, since its reader must not hold up the others; a client waits.
pub const WAITING_LINES: usize = 1024;

/// How many bytes wait to be printed, in the same way. A line that is longer counts as so many.
pub const WAITING_BYTES: usize = 1 << 20;

/// How many characters of one message a server shows its operator; `…` stands for the others. Users get all of it.
pub const SHOWN_CHARACTERS: usize = 4096;

/// How long `join`, once its input has ended, waits on a stream for the server to end the conversation, too. What still
/// comes then is heard until nothing came for [`QUIET`].
pub const FAREWELL: Duration = Duration::from_secs(10);

/// How long nothing comes until `join` takes that for the end, where an end is not to be waited for.
pub const QUIET: Duration = Duration::from_secs(1);

/// How long `join` waits for an answer before it says the next line, over raw on a stream, where nothing but time keeps
/// two texts apart: as one does who takes turns. This long at first and as long as answers come; see [`PAUSE`].
pub const TURN: Duration = Duration::from_secs(1);

/// How long it waits so after a line that was not answered, until one is again: lines pasted to somebody who only reads
/// are not to take a second each.
pub const PAUSE: Duration = Duration::from_millis(100);
