//! Looks at captured bytes: shows the frames of a capture with a codec of the catalogue, and
//! guesses which codec that is.
//!
//! [`read`] takes a file of raw bytes, or a pcap or pcapng file with TCP streams. [`frames`] gives
//! the frames of such bytes, and [`guess`] the codecs that read them whole.
//!
//! ```
//! let guesses = socketry_wire::guess(b"5:hello,6:world!,");
//! assert_eq!(guesses[0].names, ["netstring"]);
//! let codec = "netstring".parse()?;
//! let frames: Vec<_> = socketry_wire::frames(codec, b"5:hello,6:world!,").collect();
//! assert_eq!((frames[1].at, frames[1].len), (8, 9));
//! assert_eq!(frames[1].frame.as_deref(), Ok(&b"world!"[..]));
//! # Ok::<(), socketry_codec::SpecError>(())
//! ```
//!
//! The example `wire` of the repository is this as a command line.
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_precision_loss,
    reason = "bits of evidence need no more than a few digits"
)]

mod capture;
mod frames;
mod guess;

pub use capture::{CaptureError, Direction, read};
pub use frames::{Found, frames};
pub use guess::{Guess, guess};

/// Runs this package's README as a doc test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
