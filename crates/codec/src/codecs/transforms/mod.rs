//! Other forms of frames: with a checksum, compressed.

mod algorithms;
mod crc;

pub use crc::{Crc, UnknownCrc};
