//! Where a frame begins and ends.
#![forbid(unsafe_code)]

mod bare;
mod codec;
#[cfg(feature = "tokio-util")]
mod compat;
mod ending;
mod error;
mod format;
#[cfg(feature = "net")]
mod framed;
mod json;
pub mod limits;
mod line;
mod name;
mod raw;
mod reader;
mod sized;
mod spec;

pub use bare::BareJson;
pub use codec::{Affix, BoxCodec, CloneCodec, Codec, Decoded, End};
#[cfg(feature = "tokio-util")]
pub use compat::Compat;
pub use ending::Ending;
pub use error::{CodecError, Fault};
pub use format::{Format, UnknownFormat};
#[cfg(feature = "net")]
pub use framed::{Body, BodyWriter, FrameError, FrameFault, Framed, OutOfStep, Parts, Sender};
pub use json::Json;
pub use line::Line;
pub use name::{CodecName, UnknownCodec};
pub use raw::Raw;
pub use reader::Reader;
pub use sized::Struct;
pub use spec::{CodecSpec, SpecError};
