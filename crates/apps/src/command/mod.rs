//! Run commands on another machine: a server that runs them, and a client that sends them.
//!
//! ```
//! use socketry_apps::Service;
//! use socketry_apps::command::{Client, Exit, Policy, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let service = Service::with_codec("struct")?;
//! let server = Server::bind(&service, &"tcp://127.0.0.1:0".parse()?, Policy::AllowAny).await?;
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
//! **A command can do all that the server's user can.** So a server has a [`Policy`], which says
//! which clients it serves. With [`Policy::AllowAny`] these are all that can connect: at a loopback
//! address all users of the machine, and at a Unix socket those whom the mode of its file admits.
//!
//! # On the wire
//!
//! A client sends commands one after another over one connection, and the server answers each
//! before it runs the next. Any program can be the peer; the codec says what a frame is. While a
//! command runs, up to [`MAX_WAITING`] commands may wait, of together up to [`MAX_WAITING_BYTES`]
//! (the last one may exceed that). A client that sends one more is disconnected, and its running
//! command is killed. A client that sends ahead without end has to read answers in between.
//!
//! | codec | the command | the answer |
//! |---|---|---|
//! | `raw` | a shell command line; on a stream, the bytes of one read | the whole output, as text |
//! | `line` | a shell command line | the whole output, a frame for each line |
//! | `struct` | a shell command line | frames: `1` and bytes of standard output, `2` and bytes of standard error, at last `0` and `exit N`, `signal N` or `error TEXT` |
//! | `json`, `json:bare` | `{"run":"LINE"}`, or `{"argv":["PROGRAM","ARGUMENT",…]}` | `{"stream":"stdout","size":N}` or `{"stream":"stderr","size":N}`, each followed by N bytes, at last `{"exit":N}`, `{"signal":N}` or `{"error":"TEXT"}` |
//!
//! On `raw` and `line` the answer is standard error if there is any, else standard output. An empty
//! answer is a single newline on `raw` and one empty frame on `line`. The server keeps at most
//! [`MAX_COLLECTED`] bytes of each output, and a note in the answer says how many it dropped.
//! Nothing marks the end of an answer: the client takes a [quiet gap](Client::quiet_gap) for it. A
//! `\r` at the end of a line is dropped, and a line above the codec's limit goes on in the next
//! frame. On a raw stream, a read of [`MAX_RAW_COMMAND`] bytes or more may be the first part of a
//! longer command, so the server refuses it and ends the connection.
//!
//! On `struct` and `json` output comes as it is produced, in pieces of at most [`MAX_PIECE`] bytes,
//! or less where a datagram or the length field is smaller. The first piece is empty and comes as
//! soon as the command has started. A malformed request is answered with an error, and the server
//! reads the next one.
//!
//! Output and errors are in the server's [encoding](crate::Service::encoding). JSON itself is
//! always UTF-8. Output that is not UTF-8 is taken to be in that encoding already. With UTF-8 all
//! bytes pass unchanged.
//!
//! The server reads a command as UTF-8 if it is valid UTF-8, since many clients write that whatever
//! the server's encoding. Otherwise it reads it in the server's encoding. UTF-16 and ISO-2022-JP
//! may be valid UTF-8 by design, so with them a command is always in that encoding. **Some texts
//! are both**: `ls 目录` in GBK is `ls Ŀ¼` in UTF-8, and is read as that. `json` has no such
//! ambiguity.
//!
//! If a client's first bytes look like another codec's, the server says so in its own codec:
//! `this server speaks the codec`, its name, and what the bytes look like. The connection then
//! ends. On `line`, the server sends such a line when a first text has not ended within one second.
//! The text may still end, since a person may be typing it.
//!
//! # How a command runs
//!
//! A line is run by `sh -c`; an argument vector is run exactly as it is. The command runs in a
//! session of its own, without a terminal (`/dev/tty` cannot be opened) and without input. It has
//! the server's environment and working directory, and its own value of [`JOB_VARIABLE`]. An
//! executable file that is no program and has no `#!` is run by `/bin/sh`, as a shell does it.
//!
//! To *kill* a command is to send SIGKILL to its process group, to all its descendants, and to
//! every process that has its [`JOB_VARIABLE`]. So daemons that made a session of their own are
//! killed, too. (The last two on Linux only.)
//!
//! | what happens | what the running command does | what waiting commands do |
//! |---|---|---|
//! | the client closes, dies, half-closes or resets the connection, sends bytes that are no frame, or cannot be sent an answer | runs on for up to [`HALF_CLOSED`], then killed; at once, where all places are taken and a newcomer needs this one | those that have arrived whole run within that time, which they share |
//! | the client sends too far ahead | killed, and the client disconnected | not run |
//! | the client does not read | blocks as soon as the buffers in between are full, which concerns no other client; after [`STALL`] killed; after [`IDLE`] more the client is disconnected | run when the client reads again |
//! | the [time limit](Server::time_limit) | killed | run |
//! | the server stops: the future given to [`Server::run`] resolves or its own is dropped, or the program gets SIGINT, SIGTERM, SIGQUIT, or the SIGHUP of its terminal | killed, before `run` returns; the client sees the connection end | not run |
//! | the server dies at once: of SIGKILL, of another signal, or of a second one of those while it stops | **lives on**, as no process is left to kill it; SIGPIPE ends it at its next output, unless it ignores that signal | not run |
//!
//! If the client can still read, the server tells it why its command was killed: with a line
//! `socketry: killed …` at the end of standard error, and on `struct` and `json` with `signal 9`.
//! On `raw` and `line` the answer holds the output up to then, as any other answer. The server's
//! log says the same at the level `info`. On `unix-dgram` a connection is never closed. The server
//! notices that a client is gone when output cannot be sent, or when the session has been idle for
//! too long.
//!
//! A silent client must not keep its place for ever. A client that sends no command is disconnected
//! after [`FIRST_REQUEST`], and later after [`IDLE`] between two commands.
//!
//! A process that a command leaves in the background lives on if it has closed the command's
//! outputs, as in `daemon >/dev/null 2>&1 &`. Otherwise everything that the command left is killed
//! [`LEFT_BEHIND`] after the command has ended, and the answer ends then. A process that lives on
//! belongs to no client any more: later disconnects do not touch it.
//!
//! # The program
//!
//! `socketry command run` exits with [`Exit::code`] of the remote command. It exits with **255**
//! for every failure of its own, as `ssh` does: wrong usage, a failed exchange, an exit status that
//! no process can have, output that cannot be written. It exits silently with 141 if its output is
//! not read any more, as in `… | head -1`, which ends the remote command, too. Each line of its
//! own begins with `socketry: `, except those about wrong usage (`error: `). `raw` and `line` carry
//! no exit status, so after an answer over them the code is 0. `socketry command serve` exits with
//! 2 for wrong usage, and 1 if it fails.
//!
//! Its standard input is not sent. If bytes wait there before the command, and it is no terminal,
//! the command is not run. If bytes are there after the command, the program exits with 255, since
//! the command ran without them. With `-n` the program does not look at standard input, for loops
//! like `while read -r line; do socketry command run -n …; done <list`.
//!
//! It waits [`FIRST_ANSWER`] for the beginning of the answer on `struct` and `json`, and for ever
//! on `raw` and `line`. `--answer-within` changes that.

mod answer;
mod args;
mod client;
mod execution;
mod group;
mod input;
mod killed;
mod orphans;
mod policy;
mod proc;
mod process;
mod progress;
#[cfg(test)]
mod properties;
mod replies;
mod requests;
mod rules;
mod server;
#[cfg(feature = "fuzz")]
mod stub;
mod transcode;
mod wire;

use std::time::Duration;

pub(crate) use args::{Args, run, usage_code};
pub use client::Client;
pub(crate) use orphans::adopt as adopt_orphans;
pub use policy::Policy;
pub use rules::Rules;
pub use server::Server;
pub use wire::{Command, Exit, Stream};

/// How many bytes of standard output, and of standard error, are kept for a `raw` or `line` answer:
/// 16 MiB. The command runs on to its end, and further output is dropped.
pub const MAX_COLLECTED: usize = 16 << 20;

/// The largest piece of output in a `struct` or `json` answer, in bytes: 32 KiB.
pub const MAX_PIECE: usize = 32 << 10;

/// The length in bytes from which a command is refused on a `raw` stream: 8 KiB. It may arrive in
/// several reads there, and each would be run as a command.
pub const MAX_RAW_COMMAND: usize = 8 << 10;

/// The environment variable that marks the processes of a command, with a value that no other
/// command has. It finds them when the command is killed, in whatever session they are. This works
/// on Linux. It misses a process that has cleared its environment, as with `env -i`, *and* has lost
/// its parents and left the process group. It also misses processes that fork faster than the
/// search.
pub const JOB_VARIABLE: &str = "SOCKETRY_JOB";

/// How many commands of a client may wait while one runs: 64. With one more it is disconnected.
pub const MAX_WAITING: usize = 64;

/// The total size of waiting commands, in bytes, from which a client that sends one more is
/// disconnected: 64 KiB.
pub const MAX_WAITING_BYTES: usize = 64 << 10;

/// How long a command runs on after its client has closed or half-closed, or after an answer could
/// not be sent: 500 ms. The commands that wait behind it share that time.
pub const HALF_CLOSED: Duration = Duration::from_millis(500);

/// How long a client may take from its connection to the end of its first command before it is
/// disconnected: 60 s.
pub const FIRST_REQUEST: Duration = Duration::from_secs(60);

/// How long a client may take from the end of an answer to the end of its next command before it is
/// disconnected: 10 minutes. The time that a command runs does not count.
pub const IDLE: Duration = Duration::from_secs(600);

/// How long a client may read nothing at all while its answer waits to be sent before its command
/// is killed: 60 s. The client is disconnected after [`IDLE`] more.
pub const STALL: Duration = Duration::from_secs(60);

/// How long the output is still read after the command has ended, while a background process holds
/// it open: 250 ms.
pub const LEFT_BEHIND: Duration = Duration::from_millis(250);

/// How long a [`Client`] waits by default for the first bytes of a `struct` or `json` answer: 60 s.
pub const FIRST_ANSWER: Duration = Duration::from_secs(60);

/// The silence that a [`Client`] by default takes for the end of a `raw` or `line` answer: 300 ms.
pub const QUIET_GAP: Duration = Duration::from_millis(300);
