//! Other forms of frames: with a checksum, compressed.

mod algorithms;
mod crc;
#[cfg(feature = "deflate")]
mod deflate;
#[cfg(any(feature = "deflate", feature = "lz4", feature = "zstd"))]
mod growing;
#[cfg(feature = "lz4")]
mod lz4;
#[cfg(feature = "zstd")]
mod zstd;

pub use crc::{Crc, UnknownCrc};
#[cfg(feature = "deflate")]
pub use deflate::Deflate;
#[cfg(feature = "lz4")]
pub use lz4::Lz4;
#[cfg(feature = "zstd")]
pub use zstd::Zstd;
