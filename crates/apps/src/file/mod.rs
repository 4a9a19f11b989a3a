//! Send, fetch, list and browse files of any size.
//!
//! [`Server`] serves one directory, and nothing outside of it; [`Client`] talks to it, or to a
//! script of a few lines.
//!
//! # The protocol, over `json` and `json:bare`
//!
//! The client sends a header, a JSON object. Its `opt` says what it wants; keys that are not listed
//! here are ignored, and a key that is missing or of another type is an error that names it.
//!
//! | `opt` | other keys | the answer |
//! |---|---|---|
//! | `upload` | `filename`, `filesize`, and optionally `exact` (false), `replace` (true), `wait`, `grace`, `offset` (0), `digest`, `md5`, `mtime`, `mode`, `sync` (true) | after the body: `{"status":"done","filename":…,"filesize":N,"digest":{"blake3":…}}` |
//! | `upload` | as before, but for `filesize` | with `pieces` true: the file follows in pieces. The answer is the same |
//! | `upload` | `filename`, `content` | the same. `content` is the whole text, and no body follows |
//! | `download` | `filename`, optionally `offset` (0) | `{"status":"ok","filename":…,"filesize":N,"mtime":…,"mode":…}`, N bytes, and `{"status":"done","filesize":N,"digest":{"blake3":…}}` |
//! | `download` | `filename`, `pieces` true | the same, or for a file of unknown length `"pieces":true` instead of `filesize`, and pieces instead of N bytes |
//! | `list` | optionally `path`, else the root | `{"status":"ok","entries":K,"size":B}` and B bytes: a line `{"name":…,"kind":"file\|dir\|link\|other","size":…,"mtime":…,"mode":…}` for each entry, sorted by name |
//! | `stat` | `filename` | `{"status":"ok","kind":…,"filesize":…,"mtime":…,"mode":…}` |
//!
//! What cannot be done is answered `{"status":"error","error":…}`. The next request may follow on
//! the same connection, unless nobody can know what the client sends next; then the server ends it.
//!
//! * `file_name`, `file_size` stand for `filename`, `filesize`. Of an upload's name only the last
//!   component counts, behind `/` or `\`; it is stored in the root itself. With `exact` true it is
//!   a path below the root to the letter, whose directory exists, and `ready` says `"exact":true`.
//!   The other names are paths below the root, which `/` stands for.
//! * In pieces go files whose length nobody knows beforehand: a long pipe, a file that the kernel
//!   makes up. Each piece is a header `{"piece":N}` and N bytes, and `{"piece":0}` is the end. `{}`
//!   says that the sender is alive, for an hour ([`PAUSE`]) at most, and `{"error":…}` in place
//!   of a piece that it gives up. Such a file is refused to who does not ask for pieces, but for
//!   one up to 256 KiB, which is read first and then announced with its length. `raw` needs no
//!   length.
//! * A file that changes while it is sent is not kept: the server's last word is an error then, and
//!   a client breaks off. It is noticed by size and times; where these cannot tell, since the file
//!   was changed right before, it is read again. What a program stores through a mapping of a file
//!   may move no time, and is not noticed then.
//! * With `replace` false an upload is refused where something has its name already. Our own client
//!   says so unless it is asked to replace; one that says nothing replaces.
//! * `mtime` is in seconds since 1970, a number with up to nine digits behind the point, all of
//!   which count; a file outside of the years 1 to 9999 goes over without it. `mode` is a number of
//!   which the lowest nine bits count.
//! * With `sync` false the answer does not wait for the disk.
//! * What of a name is no UTF-8 is written as `‛` (U+201B) and two hexadecimal digits a byte,
//!   `caf‛E9.txt` for instance, in requests, answers and listings, and over `raw` too
//!   ([`name_to_text`], [`text_to_name`]).
//! * `digest` is an object with `blake3`, `md5`, `sha256` in hexadecimal, as many as you like, all
//!   of which are checked; `md5` may stand in the header itself. Or `digest` is `"trailer"`: then a
//!   header `{"digest":{"blake3":…}}` follows the body.
//! * With `wait` true the server answers `{"status":"ready","offset":0}` before the body, or an
//!   error in its place, after which no body follows. A client that sends `grace` besides (a number
//!   of seconds) sends its body after that time though nothing was answered: the server ends the
//!   connection after an error. Over `json:bare` each client gets `ready`. To all others the server
//!   writes nothing before it has read the whole body and the client is silent: an answer that it
//!   closes on unread makes its kernel throw away what it has sent since. A client that is gone is
//!   answered no more, and all that it had sent is read.
//!
//! # How files are stored, on both sides
//!
//! What arrives is written to `.socketry-….part`, beside where it goes: a name that can be
//! neither listed nor asked for. It is its owner's alone (0600) until it is whole. Then it is
//! written to disk, its length is compared, it takes its final name, the directory is written to
//! disk, and only then anybody is told that it is stored ([`Server::syncing`],
//! [`Client::syncing`]). Who is killed leaves a part file at worst. It is locked (`flock`) while it
//! is written, and a server that starts, or anybody who stores something in that directory, removes
//! those that nobody holds. Where nothing can be locked all of them stay.
//!
//! * A new file has the mode that the other side announced, else 0666, less the umask. One that
//!   takes another's place has no more rights than that one had, and its owner and group where this
//!   process may give files to them. ACLs and extended attributes do not come along.
//! * A symbolic link is followed, and what it leads to is replaced; at the server only where that
//!   is inside of the root, through absolute links too. Any other link is refused. Of a file with
//!   several names (hard links), the others keep the old bytes.
//! * A download to a FIFO, a character device such as `/dev/null`, or `/dev/stdout` is written into
//!   it as it comes. What is wrong with it is said at the end. What else is no regular file is
//!   refused, and at the server all of it.
//!
//! On the command line `put`, `get` and `browse` remove their part file when SIGINT or SIGTERM ends
//! them, and exit with 130.
//!
//! A client whose first bytes are another codec's is told so, in the server's codec, and the
//! connection ends: `this server speaks the codec`, its name, and what the bytes look like.
//!
//! # Over `raw`
//!
//! The client sends a text and reads the answer: an absolute path goes there, `cd NAME` enters,
//! `..` leaves; each is answered with the names, joined by `--`, or with a newline where there are
//! none. `ls` does so without going anywhere. Names that contain `--` or a control character, or
//! end in `-`, would be taken for others, and some encodings have no letters for a name: those are
//! left out, and only `json` lists them. `get NAME` is answered with the file's bytes and the end
//! of the connection. A file that breaks off is followed by a reset of the connection instead, and
//! the client keeps nothing. (Only TCP has that: over a Unix socket the end of a server that was
//! killed looks like the end of the file. Where that matters, use `json`.) What cannot be done is
//! answered in words, and these contain a `/`, as no listing does.
//!
//! A path below the served directory's own absolute path is understood too.

mod args;
mod attributes;
mod client;
mod dest;
mod digest;
mod download;
mod escape;
mod fetch;
mod flow;
mod header;
mod host;
mod incoming;
mod links;
mod listing;
mod long;
mod mtime;
mod name;
mod part;
mod pieces;
mod place;
mod progress;
mod prompt;
#[cfg(test)]
mod properties;
mod pump;
mod put;
mod raw_client;
mod raw_server;
mod root;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod seam;
mod server;
mod source;
mod sweep;
mod transfer;
mod upload;
mod verbs;
mod wire;

use std::time::Duration;

use crate::AppError;

pub(crate) use args::{Args, run};
pub use client::Client;
pub use escape::{name_to_text, text_to_name};
pub use listing::{Entry, Kind, Stat};
pub(crate) use part::settle;
pub use server::Server;
pub use transfer::Transfer;

/// How long a peer may stall in the middle of a body or an answer before it is dropped: 60 seconds.
pub const STALL: Duration = Duration::from_secs(60);

/// How long the sender of a file in pieces may say that it is alive and send none of its bytes: an
/// hour. The file is refused then.
pub const PAUSE: Duration = Duration::from_secs(3600);

/// How long a connection may be silent between two requests before the server ends it: 10 minutes.
pub const IDLE: Duration = Duration::from_secs(600);

/// How long a client is silent before the server answers uploads that did not wait for `ready`: 20
/// milliseconds. An answer that comes while a client sends, and that it closes on unread, destroys
/// what is on its way.
pub const QUIET: Duration = Duration::from_millis(20);

/// How much of a body that nobody wants is read so that the next request can be understood, in
/// bytes: 64 MiB. Beyond it the connection is ended.
pub const MAX_DRAIN: u64 = 64 << 20;

/// How many entries of a directory are listed; a larger one is refused.
pub const MAX_ENTRIES: usize = 1_000_000;

/// The longest listing that a client takes and a server makes, in bytes: 256 MiB. A longer one is
/// refused.
pub const MAX_LISTING: u64 = 256 << 20;

/// How many listings a server has in memory at once, from the first entry until the last byte is
/// sent. Who asks for one more waits, and after [`STALL`] is refused.
pub const MAX_LISTINGS: usize = 4;

/// A listing up to this many bytes no longer counts among [`MAX_LISTINGS`] when it is made: 1 MiB.
/// So clients that read slowly can hold up others only where there are directories beyond that.
pub const SMALL_LISTING: usize = 1 << 20;

/// How long [`Client::put`] waits for `ready` before it sends the body anyway, as to a server that
/// never answers: 1 second.
pub const GRACE: Duration = Duration::from_secs(1);

fn no_uploads() -> AppError {
    AppError::usage("raw carries no name and no size, so nothing can be put; use --codec json")
}
