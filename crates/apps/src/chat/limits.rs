//! What is bounded in a chat, by number.

use std::time::Duration;

/// How long a user on a stream may take less than [`LEAST`] while something waits for it. Who
/// speaks waits for it no longer then, and it is disconnected when [`WAITING`] bytes wait for it.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// How many bytes a user must take in [`PATIENCE`], or all that wait, to be one that others wait
/// for.
pub const LEAST: usize = 16 << 10;

/// How many bytes may wait for a user whom nobody waits for, and one message: on a stream for one
/// that has stalled, over datagrams for each. Each message counts as 256 bytes more than it has.
pub const WAITING: usize = 256 << 10;

/// How many bytes of messages may be on their way to those who read, counted in the same way and
/// once for all readers. All who speak share them, in the order of asking.
pub const IN_FLIGHT: usize = 256 << 10;

/// How many bytes, counted in the same way, each who speaks may have on their way besides, or one
/// message. So a short message does not wait behind somebody's flood.
pub const OWN: usize = 8 << 10;

/// How long a server waits on a stream for the first frame of a user, where the codec is JSON: a
/// [`Client`](super::Client) says who it is at once. With other codecs one may listen without ever
/// having said a word.
pub const FIRST_WORD: Duration = Duration::from_secs(30);

/// How many lines wait to be printed or to be read with [`Operator::next`](super::Operator::next).
/// Beyond them a server drops lines, since its reader must not hold up the others; a client waits.
pub const WAITING_LINES: usize = 1024;

/// How many bytes wait to be printed, in the same way. A line that is longer counts as so many.
pub const WAITING_BYTES: usize = 1 << 20;

/// How many characters of one message a server shows its operator; `…` stands for the others.
/// Users get all of it.
pub const SHOWN_CHARACTERS: usize = 4096;

/// How long `join`, once its input has ended, waits on a stream for the server to end the
/// conversation, too. What still comes then is heard until nothing came for [`QUIET`].
pub const FAREWELL: Duration = Duration::from_secs(10);

/// How long `join`, when the server has ended the conversation without saying so, still looks for
/// what says that not all was taken: a line that waits to be said, or a reset.
pub const DOUBT: Duration = Duration::from_millis(250);

/// How long nothing comes until `join` takes that for the end, where an end is not to be waited
/// for.
pub const QUIET: Duration = Duration::from_secs(1);

/// How long `join` waits for an answer before it says the next line, over raw on a stream, where
/// nothing but time keeps two texts apart: as one does who takes turns. This long at first and as
/// long as answers come; see [`PAUSE`].
pub const TURN: Duration = Duration::from_secs(1);

/// How long it waits so after a line that was not answered, until one is again: lines pasted to
/// somebody who only reads are not to take a second each.
pub const PAUSE: Duration = Duration::from_millis(100);

/// How long a [`Client`](super::Client) over datagrams waits for the server's answer before it
/// introduces itself once more, where it has to prove its address.
pub const PROOF_WAIT: Duration = Duration::from_secs(1);

/// How often it introduces itself so at most. To a server that sends cookies it does so again after
/// [`PROOF_RENEWAL`], and when the user has said something; to one that sends none it does not.
pub const PROOF_TRIES: u32 = 5;

/// How often it renews the proof, and how long a server gives out one cookie. That holds for as
/// long once more.
pub const PROOF_RENEWAL: Duration = Duration::from_secs(60);

/// How long a proof holds: whoever has an address after that did not ask for anything.
pub const PROOF: Duration = Duration::from_secs(180);
