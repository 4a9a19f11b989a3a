//! The codecs of this crate, and what they share: the ending of a line, the format of a length, and
//! small frames gathered.

mod bare;
mod content_length;
mod delimited;
mod ending;
mod fixed;
mod format;
mod gather;
mod hexadecimal;
mod json;
mod json_seq;
mod layout;
mod line;
mod plus;
mod raw;
mod scan;
mod sized;
mod stuffed;
mod syslog;
mod transforms;

pub use bare::BareJson;
pub use content_length::ContentLength;
pub use delimited::{Delimited, Delimiter};
pub use ending::{Ending, UnknownEnding};
pub use fixed::Fixed;
pub use format::{Format, UnknownFormat};
pub use json::Json;
pub use json_seq::JsonSeq;
pub use layout::{Counts, Layout, LayoutBuilder, LayoutCodec, LayoutError, Length, Part};
pub use line::Line;
pub use plus::Plus;
pub use raw::Raw;
pub use sized::Struct;
pub use stuffed::{Cobs, Slip};
pub use syslog::Syslog;
#[cfg(feature = "deflate")]
pub use transforms::Deflate;
#[cfg(feature = "lz4")]
pub use transforms::Lz4;
#[cfg(feature = "zstd")]
pub use transforms::Zstd;
pub use transforms::{Crc, UnknownCrc};

use crate::BoxCodec;

/// `BoxCodec::from(Json::default())`, for each codec of this crate; one of your own is
/// `Box::new(yours)`.
macro_rules! boxed {
    ($($codec:ident),*) => {
        $(impl From<$codec> for BoxCodec {
            fn from(codec: $codec) -> Self {
                Box::new(codec)
            }
        })*
    };
}

boxed!(
    Raw,
    Line,
    Delimited,
    Fixed,
    Struct,
    LayoutCodec,
    ContentLength,
    Syslog,
    JsonSeq,
    Json,
    BareJson,
    Slip,
    Cobs
);
