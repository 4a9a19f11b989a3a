//! The contract between a codec and its callers. It knows neither a codec nor a socket.

mod ahead;
mod codec;
mod error;
pub mod limits;
mod properties;
mod source;
mod transform;

pub use ahead::Ahead;
#[cfg(feature = "net")]
pub(crate) use ahead::Place;
pub use codec::{Affix, BoxCodec, CloneCodec, Codec, Decoded, End};
#[cfg(feature = "net")]
pub(crate) use error::Plain;
pub use error::{Cause, CodecError, Fault};
pub use properties::{Content, Properties};
pub use source::FrameSource;
pub use transform::{BoxTransform, CloneTransform, Transform};
