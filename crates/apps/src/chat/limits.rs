//! The bounds of a chat.

use std::time::Duration;

/// How long a user on a stream may take less than [`LEAST`] bytes while messages wait for it. After
/// that, speakers do not wait for this user any more. It is disconnected when [`WAITING`] bytes
/// wait for it.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// How many bytes a user must take in each [`PATIENCE`], or all that wait, so that speakers wait
/// for it.
pub const LEAST: usize = 16 << 10;

/// How many bytes may wait for a user that speakers do not wait for, or one message if that is
/// longer. On a stream such a user has stalled; over datagrams every user is one. Each message
/// counts as [`HubLimits::OVERHEAD`](socketry_service::HubLimits::OVERHEAD) bytes more than it has.
/// All users share the messages that wait.
pub const WAITING: usize = 256 << 10;

/// How many bytes of messages may be on their way to users that read. They are counted once for all
/// readers, and each message counts as 128 bytes more than it has. All speakers share them, in the
/// order of asking.
pub const IN_FLIGHT: usize = 256 << 10;

/// How many bytes each speaker may have on their way besides, counted in the same way, or one
/// message if that is longer. So a short message does not wait behind another user's flood.
pub const OWN: usize = 8 << 10;

/// How long a server waits on a stream for a user's first frame, where the codec is JSON: a
/// [`Client`](super::Client) sends its name at once. With other codecs a user may listen without
/// ever sending anything.
pub const FIRST_WORD: Duration = Duration::from_secs(30);

/// How many lines wait to be printed or to be read with [`Operator::next`](super::Operator::next).
/// When they are full, a server drops further lines, since its reader must not delay the users; a
/// client waits.
pub const WAITING_LINES: usize = 1024;

/// How many bytes wait to be printed or read, in the same way. A longer line counts as this many.
pub const WAITING_BYTES: usize = 1 << 20;

/// How many characters of one message a server shows to its operator; `…` stands for the rest.
/// Users get the whole message.
pub const SHOWN_CHARACTERS: usize = 4096;

/// How long `join` waits on a stream for the server to end the conversation after the input has
/// ended. After that it goes on receiving until nothing came for [`QUIET`].
pub const FAREWELL: Duration = Duration::from_secs(10);

/// How long `join` looks for signs of a lost message after the server has ended without a `q`. A
/// line of input that comes then is one, and a reset is another.
pub const DOUBT: Duration = Duration::from_millis(250);

/// After how long without a message `join` ends, where it does not wait for the server to end.
pub const QUIET: Duration = Duration::from_secs(1);

/// How long `join` waits for an answer before it sends the next line, over raw on a stream. Only
/// time keeps two texts apart there. It waits this long at first, and as long as answers come; see
/// [`PAUSE`].
pub const TURN: Duration = Duration::from_secs(1);

/// How long `join` waits instead after a line that was not answered, until an answer comes again.
/// So pasted lines do not take a second each if the others only read.
pub const PAUSE: Duration = Duration::from_millis(100);

/// How long a [`Client`](super::Client) over datagrams waits for the server's answer before it
/// introduces itself again, where it has to prove its address.
pub const PROOF_WAIT: Duration = Duration::from_secs(1);

/// How often a client introduces itself so at most. If the server sends cookies, it introduces
/// itself again after [`PROOF_RENEWAL`], and after the user has sent something. If the server sends
/// none, it does not.
pub const PROOF_TRIES: u32 = 5;

/// How often a client renews its proof, and for how long a server gives out the same cookie. A
/// server accepts a cookie for as long once more.
pub const PROOF_RENEWAL: Duration = Duration::from_secs(60);

/// How long a proof holds. After that time another host may have the address, and it asked for
/// nothing.
pub const PROOF: Duration = Duration::from_secs(180);
