//! Trees: many files, directories and links over one connection. See [the protocol](super).

mod arrived;
mod choice;
mod dirs;
mod done;
pub(super) mod get;
mod item;
mod layout;
mod load;
mod local;
pub(super) mod put;
mod receive;
pub(super) mod remote;
pub(super) mod request;
mod send;
pub(super) mod serve;
mod session;
mod store;
mod survey;
mod unnamed;
pub(super) mod verbs;
mod walk;

pub use choice::{Choice, Links};
pub use local::LocalTree;
pub use remote::RemoteTree;
pub use survey::{Failure, Report, Survey};

/// Files up to this many bytes go as one body, and are read and stored many at a time.
const SMALL: u64 = 256 << 10;

/// A file from this many bytes on that takes less room than it has bytes goes in parts, without its
/// holes.
const SPARSE: u64 = 64 << 10;

/// How many entries are read or stored at a time.
const BATCH_FILES: usize = 128;

/// When so many bytes are read or have arrived, they are sent or stored: 1 MiB. So a receiver holds
/// twice as much, and up to 256 KiB more.
const BATCH_BYTES: usize = 1 << 20;

/// Up to this many files or directories are written to disk one by one. For more of them the whole
/// file system is, at once.
const FEW: usize = 4;

/// How many requests for files a client sends ahead of the answers.
const ASKED_AHEAD: usize = 4;

/// The names in one request have at most so many bytes in JSON, but one has any.
const REQUEST_BYTES: usize = 32 << 10;

/// The longest file in a tree, as the kernel has it.
const MAX_SIZE: u64 = i64::MAX as u64;
