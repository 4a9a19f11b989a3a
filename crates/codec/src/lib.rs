//! Where a frame begins and ends.
#![forbid(unsafe_code)]

mod codec;
mod error;

pub use codec::{Affix, BoxCodec, CloneCodec, Codec, Decoded, End};
pub use error::{CodecError, Fault};
