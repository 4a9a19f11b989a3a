//! The codecs of this crate, and what they share: the ending of a line, the format of a length, and
//! small frames gathered.

mod bare;
mod content_length;
mod ending;
mod format;
mod gather;
mod json;
mod layout;
mod line;
mod raw;
mod sized;

pub use bare::BareJson;
pub use content_length::ContentLength;
pub use ending::{Ending, UnknownEnding};
pub use format::{Format, UnknownFormat};
pub use json::Json;
pub use layout::{Counts, Layout, LayoutBuilder, LayoutCodec, LayoutError, Length, Part};
pub use line::Line;
pub use raw::Raw;
pub use sized::Struct;

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
    Struct,
    LayoutCodec,
    ContentLength,
    Json,
    BareJson
);
