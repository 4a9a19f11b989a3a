//! A codec with its name.

use crate::{BoxCodec, CodecSpec};

/// A codec that a [`CodecRegistry`](crate::CodecRegistry) built, with its name and its limits.
///
/// ```
/// use socketry_codec::CodecRegistry;
///
/// let named = CodecRegistry::standard().named("struct:@i")?;
/// assert_eq!(named.name(), "struct");
/// assert_eq!(named.limits(), ["max_frame", "max_discard"]);
/// let codec = named.into_codec();
/// # Ok::<(), socketry_codec::SpecError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NamedCodec {
    pub(super) spec: CodecSpec,
    pub(super) codec: BoxCodec,
    pub(super) full: String,
    pub(super) limits: Vec<&'static str>,
}

impl NamedCodec {
    /// Its name in the shortest form: parameters with their default values are left out. The same
    /// registry builds the same codec of it.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its name with every `key=value` that it takes, defaults included, as a help shows it.
    pub fn full_name(&self) -> &str {
        &self.full
    }

    /// Its name in the shortest form, and the limits that were asked for.
    pub fn spec(&self) -> &CodecSpec {
        &self.spec
    }

    /// The limits of a [`CodecSpec`] that it takes, as they are called there.
    pub fn limits(&self) -> &[&'static str] {
        &self.limits
    }

    /// The codec.
    pub fn codec(&self) -> &BoxCodec {
        &self.codec
    }

    /// The codec.
    pub fn into_codec(self) -> BoxCodec {
        self.codec
    }
}
