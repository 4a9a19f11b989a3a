//! A codec's name and its limits, as a configuration file gives them.

use super::standard;
use crate::{BoxCodec, SpecError};

/// A codec with its limits, as a configuration file gives them.
///
/// With the feature `serde` it is read from a name, or from a table with a name; It is written as a
/// name if it has no limits, and else as a table. Other keys are refused when it is read. A
/// [`CodecRegistry`](crate::CodecRegistry) checks whether there is such a codec, and whether it
/// takes these parameters and limits, when it builds the codec.
///
/// ```toml
/// codec = "struct:>H"
/// codec = { name = "line", max_frame = 4096, max_discard = 65536, keep_last = true }
/// ```
///
/// ```
/// use socketry_codec::{CodecRegistry, CodecSpec};
///
/// let spec = CodecSpec { max_frame: Some(4096), ..CodecSpec::new("line") };
/// let codec = CodecRegistry::standard().build(&spec)?;
/// # Ok::<(), socketry_codec::SpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CodecSpec {
    /// The name of the codec, with its parameters after a colon.
    pub name: String,
    /// The longest frame in bytes. Not for `raw`.
    pub max_frame: Option<usize>,
    /// The longest frame in bytes that is passed over rather than fatal. Not for `raw`.
    pub max_discard: Option<u64>,
    /// How deep an object may nest, from 1 to 128. For `json:bare`.
    pub max_depth: Option<usize>,
    /// Whether a last line without an ending is a frame. For `line` and what has lines.
    pub keep_last: Option<bool>,
}

impl CodecSpec {
    /// The codec of this name, with default limits.
    pub fn new(name: impl Into<String>) -> Self {
        CodecSpec {
            name: name.into(),
            max_frame: None,
            max_discard: None,
            max_depth: None,
            keep_last: None,
        }
    }

    /// The codec of the [catalogue](crate::CodecRegistry::catalogue) that it describes.
    ///
    /// # Errors
    /// As [`CodecRegistry::build`](crate::CodecRegistry::build).
    pub fn build(&self) -> Result<BoxCodec, SpecError> {
        standard::CATALOGUE.build(self)
    }

    /// The limits that are given.
    pub(super) fn limits(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("max_frame", self.max_frame.is_some()),
            ("max_discard", self.max_discard.is_some()),
            ("max_depth", self.max_depth.is_some()),
            ("keep_last", self.keep_last.is_some()),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        given.map(|(limit, _)| limit)
    }
}

impl From<&str> for CodecSpec {
    /// A name, with default limits.
    fn from(name: &str) -> Self {
        CodecSpec::new(name)
    }
}

impl From<String> for CodecSpec {
    /// A name, with default limits.
    fn from(name: String) -> Self {
        CodecSpec::new(name)
    }
}

impl From<&CodecSpec> for CodecSpec {
    fn from(spec: &CodecSpec) -> Self {
        spec.clone()
    }
}
