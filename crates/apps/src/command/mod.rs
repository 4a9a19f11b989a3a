//! Run commands on another machine: a server that runs them, and a client that says which.
//!
//! ```
//! use socketry_apps::Service;
//! use socketry_apps::command::{Client, Exit, Server};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = Service::with_codec("struct")?;
//! let server = Server::bind(&service, &"tcp://127.0.0.1:0".parse()?).await?;
//! let at = server.local().clone();
//! let serving = tokio::spawn(server.run(std::future::pending()));
//!
//! let mut client = Client::connect(&service, &at).await?;
//! let mut said = Vec::new();
//! let exit = client
//!     .run("echo hello; exit 3", |_stream, bytes| {
//!         said.extend_from_slice(bytes);
//!         Ok(())
//!     })
//!     .await?;
//! assert_eq!((said, exit), (b"hello\n".to_vec(), Exit::Code(3)));
//! # serving.abort();
//! # Ok(()) }
//! ```
//!
//! **Whoever can connect can run anything** as the server's user: the server knows no users and no
//! allowlist. Listen on loopback, or on a Unix socket, whose file's mode says who may connect.
//!
//! # On the wire
//!
//! A client sends commands one after another over one connection, and each is answered before the
//! next is run. Any program can be the peer; what is a frame, the codec says. Up to [`MAX_WAITING`]
//! commands and [`MAX_WAITING_BYTES`] of them (the last may go beyond) wait while one runs. A
//! client that sends one more is disconnected, and what runs is killed: who wants to send ahead
//! without end reads answers in between.
//!
//! | codec | the command | the answer |
//! |---|---|---|
//! | `raw` | a shell command line; on a stream, what one read brings | the whole output, as text |
//! | `line` | a shell command line | the whole output, a frame for each line |
//! | `struct` | a shell command line | frames: `1` and bytes of standard output, `2` and bytes of standard error, at last `0` and `exit N`, `signal N` or `error TEXT` |
//! | `json`, `json:bare` | `{"run":"LINE"}`, or `{"argv":["PROGRAM","ARGUMENT",…]}` | `{"stream":"stdout","size":N}` or `{"stream":"stderr","size":N}`, each followed by N bytes, at last `{"exit":N}`, `{"signal":N}` or `{"error":"TEXT"}` |
//!
//! On `raw` and `line` the answer is standard error if there is any, else standard output; an empty
//! one is a single newline on `raw` and one empty frame on `line`. Of each at most
//! [`MAX_COLLECTED`] bytes are kept, and a note tells of the rest. Nothing marks the end: the
//! client takes a [quiet gap](Client::quiet_gap) for it. A `\r` at the end of a line is dropped,
//! and a line above the codec's limit goes on in the next frame. A read of [`MAX_RAW_COMMAND`]
//! bytes or more is no command on a raw stream, since it may be the first part of one: the
//! connection ends.
//!
//! On `struct` and `json` output comes as it is produced, in pieces of at most [`MAX_PIECE`] bytes
//! (less where a datagram or the length field holds less). The first piece is empty and comes when
//! the command has started, however silent that is. A request that is not understood is answered
//! with an error, and the next one is read.
//!
//! Output and errors are in the server's [encoding](crate::Service::encoding); JSON itself is
//! always UTF-8. Output that is not UTF-8 is taken to be in that encoding already, and with UTF-8
//! all bytes pass untouched.
//!
//! A command is taken for UTF-8 if it is valid UTF-8, as many clients write it whatever they read,
//! and else for the server's encoding. With UTF-16 and ISO-2022-JP, whose bytes may be valid UTF-8
//! by design, it is always in that encoding. **Some words are both**: `ls 目录` in GBK is
//! `ls Ŀ¼` in UTF-8, and is taken for that. `json` is free of it.
//!
//! A client whose first bytes are another codec's is told so, in the server's codec:
//! `this server speaks the codec`, its name, and what the bytes look like. The connection then
//! ends. On `line`, a text that does not end is answered with such a line after one second, and may
//! still end: somebody may be typing.
//!
//! # How a command runs
//!
//! A line is run by `sh -c`, an argument vector exactly as it is, in a session of its own, without
//! a terminal (`/dev/tty` cannot be opened) and without input, with the server's environment and
//! working directory. [`JOB_VARIABLE`] in its environment is its own. An executable file that is no
//! program and has no `#!` is run by `/bin/sh`, as a shell does it.
//!
//! To *kill* a command is to send SIGKILL to its process group, to all its descendants, and to
//! every process that has its [`JOB_VARIABLE`], so also to daemons that made a session of their
//! own. (The last two on Linux only.)
//!
//! | what happens | what becomes of the command that runs | and of those that wait |
//! |---|---|---|
//! | the client closes, dies, half-closes or resets the connection, sends what is no frame, or cannot be sent an answer | runs on for up to [`HALF_CLOSED`], then killed; at once, where all places are taken and a newcomer needs this one | those that have arrived whole run as long as that time lasts, for all of them together |
//! | the client sends too far ahead | killed, and the client disconnected | not run |
//! | the client does not read | waits as soon as the buffers between are full, and nobody else does; after [`STALL`] killed; after [`IDLE`] more the client is disconnected | run when the client reads again |
//! | the [time limit](Server::time_limit) | killed | run |
//! | the server stops: the future given to [`Server::run`] resolves or its own is dropped, or the program gets SIGINT, SIGTERM, SIGQUIT, or the SIGHUP of its terminal | killed, before `run` returns; the client sees the connection end | not run |
//! | the server dies at once: of SIGKILL, of another signal, or of a second one of those while it stops | **lives on**, as nobody is left to kill it; its next output ends it by SIGPIPE, unless it ignores that | not run |
//!
//! A client that can still read is told why its command was killed: by a line
//! `socketry: killed …` at the end of standard error, and on `struct` and `json` by `signal 9`.
//! On `raw` and `line` that is an answer as any other, of what has been collected until then. The
//! server's log tells it too, at the level `info`. On `unix-dgram` nothing is ever closed: a client
//! that is gone is noticed when output cannot be sent, or its session has been idle too long.
//!
//! So that silent clients do not keep all places, one that asks nothing is disconnected after
//! [`FIRST_REQUEST`], and later after [`IDLE`] between commands.
//!
//! What a command leaves in the background lives on if it has let go of the output, as in
//! `daemon >/dev/null 2>&1 &`. Otherwise all that the command left is killed [`LEFT_BEHIND`] after
//! it has ended, and the answer does not wait any longer. What lives on is nobody's any more: later
//! disconnects do not touch it.
//!
//! # The program
//!
//! `socketry command run` exits with [`Exit::code`] of the remote command; **255** for everything
//! of its own, as `ssh` does: wrong usage, a failed exchange, an exit status that no process can
//! have, output that cannot be written; 141, and without a word, if nobody reads its output any
//! more, as in `… | head -1`, which ends the remote command too. Each line of its own begins with
//! `socketry: `, but for those on wrong usage (`error: `). `raw` and `line` carry no exit status:
//! what was answered there is 0. `socketry command serve` exits with 2 for wrong usage, and 1 if it
//! fails.
//!
//! Its standard input is not sent. If something waits there, and it is no terminal, nothing is run;
//! if something has come there when the command has ended, it exits with 255 all the same, since
//! the command ran without. With `-n` it does not look there, for loops like
//! `while read -r line; do socketry command run -n …; done <list`.
//!
//! It waits [`FIRST_ANSWER`] for the first of an answer on `struct` and `json`, for ever on `raw`
//! and `line`, and else as `--answer-within` says.

mod answer;
mod args;
mod client;
mod execution;
mod group;
mod input;
mod killed;
mod orphans;
mod proc;
mod process;
mod progress;
#[cfg(test)]
mod properties;
mod replies;
mod requests;
mod server;
#[cfg(feature = "fuzz")]
mod stub;
mod transcode;
mod wire;

use std::time::Duration;

pub(crate) use args::{Args, run, usage_code};
pub use client::Client;
pub(crate) use orphans::adopt as adopt_orphans;
pub use server::Server;
pub use wire::{Command, Exit, Stream};

/// How much of standard output, and of standard error, is kept for a `raw` or `line` answer, in
/// bytes: 16 MiB. The command runs on to its end, and what it writes beyond is dropped.
pub const MAX_COLLECTED: usize = 16 << 20;

/// The largest piece of output in a `struct` or `json` answer, in bytes: 32 KiB.
pub const MAX_PIECE: usize = 32 << 10;

/// From this length on, in bytes, a command is refused on a `raw` stream, where it may arrive in
/// several reads and each would be run: 8 KiB.
pub const MAX_RAW_COMMAND: usize = 8 << 10;

/// The environment variable that marks a command's processes with a value that no other command
/// has, so that they are found when it is killed, whatever session they are in. (On Linux. Who has
/// cleared his environment, as with `env -i`, *and* has lost his parents and left the process
/// group, is not found, nor who forks faster than he is looked for.)
pub const JOB_VARIABLE: &str = "SOCKETRY_JOB";

/// How many commands of a client may wait while one runs: 64. With one more it is disconnected.
pub const MAX_WAITING: usize = 64;

/// From this size of all the commands that wait on, in bytes, a client that sends one more is
/// disconnected: 64 KiB.
pub const MAX_WAITING_BYTES: usize = 64 << 10;

/// How long a command runs on, and those behind it, once the client has closed, has half-closed or
/// cannot be sent answers: 500 ms.
pub const HALF_CLOSED: Duration = Duration::from_millis(500);

/// How long a client may take from its connection to the end of its first command, before it is
/// disconnected: 60 s.
pub const FIRST_REQUEST: Duration = Duration::from_secs(60);

/// How long a client may take from the end of an answer to the end of its next command, before it
/// is disconnected: 10 minutes. How long a command runs does not matter.
pub const IDLE: Duration = Duration::from_secs(600);

/// How long a client may read nothing at all while its answer waits to be sent, before its command
/// is killed: 60 s. It is disconnected after [`IDLE`] more.
pub const STALL: Duration = Duration::from_secs(60);

/// How long the output is still read after the command has ended, while something in the background
/// holds it: 250 ms.
pub const LEFT_BEHIND: Duration = Duration::from_millis(250);

/// How long a [`Client`] waits for the first of a `struct` or `json` answer, where nothing else is
/// said: 60 s.
pub const FIRST_ANSWER: Duration = Duration::from_secs(60);

/// What a [`Client`] takes for the end of a `raw` or `line` answer, where nothing else is said: 300
/// ms of silence.
pub const QUIET_GAP: Duration = Duration::from_millis(300);
