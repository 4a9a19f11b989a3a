//! A codec's name and its limits, as a configuration file gives them.

#[cfg(feature = "serde")]
mod serde;

use std::str::FromStr;

use thiserror::Error;

use crate::{BareJson, BoxCodec, CodecName, Json, Line, Raw, Struct, UnknownCodec};

/// A codec with its limits: what a configuration file says.
///
/// With the feature `serde` it is read from a name, or from a table with a name; it is written back
/// as the shorter of the two that says it all. Other keys are refused when it is read, and keys
/// that do not apply to the codec when it is [built](CodecSpec::build).
///
/// ```toml
/// codec = "struct:>H"
/// codec = { name = "line", max_frame = 4096, max_discard = 65536, keep_last = true }
/// ```
///
/// ```
/// use socketry_codec::CodecSpec;
///
/// let spec = CodecSpec { max_frame: Some(4096), ..CodecSpec::new("line".parse()?) };
/// let codec = spec.build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodecSpec {
    /// Which codec.
    pub name: CodecName,
    /// The longest frame in bytes. Not for `raw`.
    pub max_frame: Option<usize>,
    /// The longest frame in bytes that is passed over rather than fatal. Not for `raw`.
    pub max_discard: Option<u64>,
    /// How deep an object may nest, from 1 to 128. For `json:bare`.
    pub max_depth: Option<usize>,
    /// Whether a last line without an ending is a frame. For `line`.
    pub keep_last: Option<bool>,
}

/// A limit that does not apply to the codec.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{option} does not apply to the codec {name}; it takes {allowed}")]
pub struct SpecError {
    option: &'static str,
    name: CodecName,
    allowed: &'static str,
}

impl CodecSpec {
    /// The codec of this name, with default limits.
    pub const fn new(name: CodecName) -> Self {
        CodecSpec {
            name,
            max_frame: None,
            max_discard: None,
            max_depth: None,
            keep_last: None,
        }
    }

    /// The codec it describes.
    ///
    /// # Errors
    /// If a limit is given that does not apply to that codec.
    pub fn build(&self) -> Result<BoxCodec, SpecError> {
        self.check()?;
        Ok(match self.name {
            CodecName::Raw => Box::new(Raw),
            CodecName::Line(ending) => Box::new(self.line(Line::ending(ending))),
            CodecName::Struct(format) => Box::new(self.sized(Struct::new(format))),
            CodecName::Json(format) => Box::new(self.json(Json::new(format))),
            CodecName::BareJson => Box::new(self.bare(BareJson::new())),
        })
    }

    fn line(&self, codec: Line) -> Line {
        let codec = set(codec, self.max_frame, Line::max_frame);
        let codec = set(codec, self.max_discard, Line::max_discard);
        set(codec, self.keep_last, Line::keep_last)
    }

    fn sized(&self, codec: Struct) -> Struct {
        let codec = set(codec, self.max_frame, Struct::max_frame);
        set(codec, self.max_discard, Struct::max_discard)
    }

    fn json(&self, codec: Json) -> Json {
        let codec = set(codec, self.max_frame, Json::max_frame);
        set(codec, self.max_discard, Json::max_discard)
    }

    fn bare(&self, codec: BareJson) -> BareJson {
        let codec = set(codec, self.max_frame, BareJson::max_frame);
        let codec = set(codec, self.max_discard, BareJson::max_discard);
        set(codec, self.max_depth, BareJson::max_depth)
    }

    fn check(&self) -> Result<(), SpecError> {
        let (name, allowed) = (self.name, allowed(self.name));
        let takes = |option: &str| allowed.split(", ").any(|one| one == option);
        match self.given().find(|option| !takes(option)) {
            None => Ok(()),
            Some(option) => Err(SpecError {
                option,
                name,
                allowed,
            }),
        }
    }

    fn given(&self) -> impl Iterator<Item = &'static str> {
        let given = [
            ("max_frame", self.max_frame.is_some()),
            ("max_discard", self.max_discard.is_some()),
            ("max_depth", self.max_depth.is_some()),
            ("keep_last", self.keep_last.is_some()),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        given.map(|(option, _)| option)
    }
}

fn allowed(name: CodecName) -> &'static str {
    match name {
        CodecName::Raw => "none",
        CodecName::Line(_) => "max_frame, max_discard, keep_last",
        CodecName::Struct(_) | CodecName::Json(_) => "max_frame, max_discard",
        CodecName::BareJson => "max_frame, max_discard, max_depth",
    }
}

fn set<C, T>(codec: C, value: Option<T>, with: impl Fn(C, T) -> C) -> C {
    match value {
        Some(value) => with(codec, value),
        None => codec,
    }
}

impl TryFrom<&CodecSpec> for BoxCodec {
    type Error = SpecError;

    fn try_from(spec: &CodecSpec) -> Result<Self, SpecError> {
        spec.build()
    }
}

impl TryFrom<CodecSpec> for BoxCodec {
    type Error = SpecError;

    fn try_from(spec: CodecSpec) -> Result<Self, SpecError> {
        spec.build()
    }
}

impl From<CodecName> for CodecSpec {
    fn from(name: CodecName) -> Self {
        CodecSpec::new(name)
    }
}

impl FromStr for CodecSpec {
    type Err = UnknownCodec;

    /// A name, with default limits.
    fn from_str(text: &str) -> Result<Self, UnknownCodec> {
        text.parse().map(CodecSpec::new)
    }
}
