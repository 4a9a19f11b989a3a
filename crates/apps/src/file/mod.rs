//! Send, fetch, list and browse files of any size.
//!
//! [`Server`] serves one directory, and nothing outside of it; [`Client`] talks to it, or to a
//! script of a few lines.
//!
//! # The protocol, over `json` and `json:bare`
//!
//! The client sends a header, a JSON object, whose `opt` is the request. Keys that are not listed
//! here are ignored. A key that is missing or has another type is an error that names it.
//!
//! | `opt` | other keys | the answer |
//! |---|---|---|
//! | `upload` | `filename`, `filesize`, and optionally `exact` (false), `replace` (true), `wait`, `grace`, `alive`, `offset` (0), `digest`, `md5`, `mtime`, `mode`, `sync` (true) | after the body: `{"status":"done","filename":…,"filesize":N,"digest":{"blake3":…}}` |
//! | `upload` | as before, but for `filesize` | with `pieces` true: the file follows in pieces. The answer is the same |
//! | `upload` | `filename`, `content` | the same. `content` is the whole text, and no body follows |
//! | `download` | `filename`, optionally `offset` (0) | `{"status":"ok","filename":…,"filesize":N,"mtime":…,"mode":…}`, N bytes, and `{"status":"done","filesize":N,"digest":{"blake3":…}}` |
//! | `download` | `filename`, `pieces` true | the same, or for a file of unknown length `"pieces":true` instead of `filesize`, and pieces instead of N bytes |
//! | `list` | optionally `path`, else the root | `{"status":"ok","entries":K,"size":B}` and B bytes: a line `{"name":…,"kind":"file\|dir\|link\|other","size":…,"mtime":…,"mode":…}` for each entry, sorted by name |
//! | `stat` | `filename` | `{"status":"ok","kind":…,"filesize":…,"mtime":…,"mode":…}` |
//! | `walk` | optionally `path`, else the root; `links` (`copy`) | as for `list`, but a line for each entry of the whole tree: see [below](#trees) |
//! | `fetch` | optionally `path`; `names`, a list of files below it; `links` | for each name, in their order, an entry and what follows it |
//! | `store` | optionally `path`, a directory that exists; `replace` (true), `sync` (true), `preserve` (false) | `{"status":"ready"}`; the client then sends entries |
//!
//! If a request cannot be carried out, the answer is `{"status":"error","error":…}`. The next
//! request may follow on the same connection. If the server cannot know what the client sends next,
//! it ends the connection.
//!
//! * `file_name` and `file_size` stand for `filename` and `filesize`. Of an upload's name only the
//!   last component counts, after the last `/` or `\`; the file is stored in the root itself. With
//!   `exact` true the name is an exact path below the root, whose directory exists, and `ready`
//!   says `"exact":true`. All other names are paths below the root, which is `/`.
//! * A file whose length is not known in advance goes in pieces: a long pipe, or a file that the
//!   kernel generates. Each piece is a header `{"piece":N}` and N bytes. `{"piece":0}` is the end.
//!   `{}` says that the sender is alive, for an hour ([`PAUSE`]) at most. `{"error":…}` in place
//!   of a piece says that the sender gives up. A client that does not ask for pieces cannot get
//!   such a file, unless it has at most 256 KiB: the server reads it first, and then announces its
//!   length. `raw` needs no length.
//! * A file that changes while it is sent is not kept: the server's last answer is an error then,
//!   and a client breaks off. The change is noticed by size and times. Where these cannot tell,
//!   since the file was changed right before, it is read again. A change through a memory mapping
//!   may not move the file's times, and is not noticed then.
//! * With `replace` false an upload is refused if the name exists. Our own client sends that unless
//!   its user asks to replace. Without the key the upload replaces.
//! * `mtime` is in seconds since 1970, a number with up to nine digits after the point, all of
//!   which count. A file outside of the years 1 to 9999 is sent without it. Of `mode` the lowest
//!   nine bits count.
//! * With `sync` false the answer does not wait for the disk.
//! * The bytes of a name that are not UTF-8 are written as `‛` (U+201B) and two hexadecimal
//!   digits each, `caf‛E9.txt` for instance. That holds in requests, answers and listings, and
//!   over `raw`, too ([`name_to_text`], [`text_to_name`]).
//! * `digest` is an object with `blake3`, `md5`, `sha256` in hexadecimal. It may have any of them,
//!   and all that it has are checked. `md5` may stand in the header itself. Or `digest` is
//!   `"trailer"`: then a header `{"digest":{"blake3":…}}` follows the body.
//! * With `wait` true the server answers `{"status":"ready","offset":0}` before the body, or an
//!   error instead, after which no body follows. A client that also sends `grace` (a number of
//!   seconds) sends its body after that time even without an answer. The server then ends the
//!   connection after an error. Over `json:bare` each client gets `ready`. To a client that does
//!   not wait, the server writes nothing before it has read the whole body and the client is
//!   silent. If such a client closed with an answer unread, its kernel would discard the bytes that
//!   it has sent since. A client that is gone gets no answer, and all that it had sent is read.
//! * With `alive` true the server may take the body slowly ([`Limits::rate`]), and repeats `ready`
//!   every 20 seconds meanwhile, with `"alive":true`, so that the client does not take it for
//!   stalled.
//!
//! By default each client may do everything. [`Rules`] say what each may do by its identity, in
//! which folder, and how much it may store; what they do not grant is answered with an error.
//! [`Limits`] hold for all clients. A request that takes longer than [`Limits::max_time`] is
//! answered with an error, after which the connection ends; where a file is on its way to the
//! client, the connection breaks off.
//!
//! # Trees
//!
//! Many files go over one connection, and none waits for the answer to another. Both directions
//! send entries. An entry is a header `{"name":…,"kind":"file|dir|link",…}`, whose name is a path
//! below the top of the tree. It has plain components only: no `/` in front, no `.`, no `..`. The
//! top itself is `.`, and a `\\` is a character as any other.
//!
//! * A file has `size`, `mtime`, `mode` and `digest`, and its `size` bytes follow: 256 KiB at most.
//!   A larger file, or one with holes, has `"pieces":true`, and pieces follow in place of the bytes,
//!   as for a file of unknown length. The last piece, `{"piece":0,"digest":…}`, has the digest. A
//!   piece behind a hole has its offset in `at`; the holes are not sent. `{"error":…}` in place of a
//!   piece gives up this file, and the next entry follows. The digest of a file with holes is that
//!   of its pieces, with the offset (8 bytes, little endian) in front of each that has `at`.
//! * A directory has `mtime` and `mode`, which it gets once all is in it. A link has its target in
//!   `to`. Hard links are files of their own.
//! * An entry with `error` instead of a kind cannot be had. An entry without a name, `{}`, says that
//!   the sender is alive. Each entry but these is stored, or fails alone.
//! * `store`: the client ends with `{"end":true}`. It reads while it sends. The server answers when
//!   it has stored some entries: for each that failed `{"status":"error","filename":…,"error":…}`,
//!   then `{"status":"ok","entries":N}`, all up to this one. After the last entry it answers
//!   `{"status":"done","entries":N}`. What bounds the entries on their way is the connection: a
//!   server holds up to 2.5 MiB of them, and reads no more before it has stored some. The top
//!   itself is the server's, and an entry `.` fails.
//! * `walk` and `fetch`: the client takes a list, and then asks for the files that it wants by their
//!   names. It may send several requests ahead. It stores only what it asked for, where it chose.
//! * `links` says what `walk` and `fetch` make of symbolic links: `skip` them, `copy` them as links,
//!   or `follow` them. None leads out of the tree, see [`Links`].
//! * Nothing is stored through a link, wherever that leads.
//! * With `preserve` modes are given exactly (nine bits), and directories get their times. Without
//!   it modes are limited by the umask, and files get their times all the same.
//!
//! A server of an older version answers that it does not know the `opt`. Our client then says that
//! this server takes no directories.
//!
//! # How files are stored, on both sides
//!
//! Arriving bytes are written to `.socketry-….part` beside their destination. That name can be
//! neither listed nor asked for, and only its owner may use the file (0600) until it is whole. Then
//! the steps are: write the file to disk, compare its length, give it its final name, write the
//! directory to disk. Only then does a side report that the file is stored ([`Server::syncing`],
//! [`Client::syncing`]). A process that is killed leaves a part file at worst. The part file is
//! locked (`flock`) while it is written. A server that starts, and every process that stores a file
//! in that directory, removes part files that are not locked. Where files cannot be locked, all
//! part files stay.
//!
//! Small files of a tree are stored many at a time: 128 of them, or 1 MiB. They have no name at all
//! until they are whole (`O_TMPFILE`), so a killed process leaves nothing of them. The steps are:
//! write all of them to disk, give them their names, write their directories to disk, report them.
//! The first and the third step are one call for the file system (`syncfs`) where they are many.
//! Where a file system has no files without names, they are stored one by one as above.
//!
//! * A new file has the mode that the other side announced, else 0666, less the umask. A file that
//!   replaces another has no more rights than that one. It gets the other's owner and group where
//!   this process may set them. ACLs and extended attributes are not transferred.
//! * A symbolic link is followed, and the file that it leads to is replaced. At the server that
//!   file has to be inside of the root, and absolute links may lead there. Any other link is
//!   refused. If the replaced file has several names (hard links), the others keep the old bytes.
//! * A download to a FIFO, a character device such as `/dev/null`, or `/dev/stdout` is written
//!   there as it comes, and an error is reported at the end. Any other destination that is no
//!   regular file is refused. A server refuses all that are no regular files.
//!
//! On the command line `put`, `get` and `browse` remove their part file when SIGINT or SIGTERM ends
//! them, and exit with 130.
//!
//! If a client's first bytes look like another codec's, the server says so in its own codec, and
//! the connection ends: `this server speaks the codec`, its name, and what the bytes look like.
//!
//! # Over `raw`
//!
//! The client sends a text and reads the answer. An absolute path goes there, `cd NAME` enters a
//! directory, `..` leaves it. Each is answered with the names in the directory, joined by `--`, or
//! with a newline if there are none. `ls` gives the names without going anywhere. Names that
//! contain `--` or a control character, or end in `-`, would be misread, and some encodings lack a
//! character of a name. Such names are left out, and only `json` lists them. `get NAME` is answered
//! with the file's bytes and the end of the connection. If the file breaks off, the connection is
//! reset instead, and the client keeps nothing. (Only TCP and `mem` have a reset. Over a Unix
//! socket the client sees an end, and cannot tell that the file is not whole; the server logs it,
//! unless it was killed. Use `json` where that matters.) Errors are answered in words, which
//! contain a `/`, as no listing does.
//!
//! The client may also give the absolute path of the served directory, or a path below it.

mod args;
mod attributes;
mod client;
mod dest;
mod digest;
mod download;
mod escape;
mod fetch;
mod flow;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod header;
mod host;
mod incoming;
mod limits;
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
mod quota;
mod raw_client;
mod raw_server;
mod root;
mod rules;
mod server;
mod source;
mod sweep;
mod transfer;
mod tree;
mod upload;
mod verbs;
mod wire;

use std::time::Duration;

use crate::AppError;

pub(crate) use args::{Args, run};
pub use client::Client;
pub use escape::{name_to_text, text_to_name};
pub use limits::{Limits, MIN_RATE, Ways};
pub use listing::{Entry, Kind, Stat};
pub(crate) use part::settle;
pub use rules::Rules;
pub use server::Server;
pub use transfer::Transfer;
pub use tree::{Choice, Failure, Links, LocalTree, RemoteTree, Report, Survey};

/// How long a peer may stall in a body or an answer before it is dropped: 60 seconds.
pub const STALL: Duration = Duration::from_secs(60);

/// How long the sender of a file in pieces may report that it is alive without sending any of its
/// bytes: an hour. The file is refused then.
pub const PAUSE: Duration = Duration::from_secs(3600);

/// How long a connection may be silent between two requests before the server ends it: 10 minutes.
pub const IDLE: Duration = Duration::from_secs(600);

/// How long a client has to be silent before the server answers an upload that did not wait for
/// `ready`: 20 milliseconds. If a client sends, and then closes with an answer unread, the bytes on
/// their way from it are lost.
pub const QUIET: Duration = Duration::from_millis(20);

/// How many bytes of a refused body the server reads to reach the next request: 64 MiB. If the body
/// is longer, the connection ends.
pub const MAX_DRAIN: u64 = 64 << 20;

/// How many entries of a directory are listed, and how many a tree may have; a larger one is
/// refused.
pub const MAX_ENTRIES: usize = 1_000_000;

/// In how many directories of a tree an entry may be. Deeper ones are refused by name.
pub const MAX_DEPTH: usize = 128;

/// The longest listing that a client accepts and a server makes, in bytes: 256 MiB. A longer one is
/// refused.
pub const MAX_LISTING: u64 = 256 << 20;

/// How many listings a server has in memory at once, from the first entry until the last byte is
/// sent. A client that asks for one more waits, and is refused after [`STALL`].
pub const MAX_LISTINGS: usize = 4;

/// A listing up to this many bytes stops counting among [`MAX_LISTINGS`] once it is made: 1 MiB. So
/// a client that reads slowly can delay others only with longer listings.
pub const SMALL_LISTING: usize = 1 << 20;

/// How long [`Client::put`] waits for `ready` before it sends the body anyway, since some servers
/// never answer: 1 second.
pub const GRACE: Duration = Duration::from_secs(1);

fn no_uploads() -> AppError {
    AppError::usage("raw carries no name and no size, so nothing can be put; use --codec json")
}

fn no_trees() -> AppError {
    AppError::usage("raw carries no sizes, so no directories; use --codec json")
}
