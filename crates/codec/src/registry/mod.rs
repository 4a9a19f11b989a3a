//! Codecs by name, as a configuration file or a command line gives them, open to third parties.

pub mod catalogue;
mod error;
mod named;
mod parameters;
#[cfg(feature = "serde")]
mod serde;
mod spec;
mod standard;
mod transforms;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use error::SpecError;
pub use named::NamedCodec;
pub use parameters::Parameters;
pub use spec::CodecSpec;

use crate::{BoxCodec, BoxTransform};
use transforms::Sum;

/// Makes a codec of its parameters.
type Factory = dyn Fn(&mut Parameters<'_>) -> Result<BoxCodec, SpecError> + Send + Sync;

/// Codecs by name. A clone is cheap, and shares the factories.
///
/// The name ends at the first colon. The parameters follow, in a form of the codec's own:
/// `line:crlf`, `struct:>I`, `mycodec:size=2,strict=true`. Behind a `+` stands a
/// [transform](crate::Transform) with its parameters, and behind another one the next, from the
/// wire to the program: `cobs+crc16:ibm-sdlc`. A codec of your own is registered with a function of
/// [`Parameters`], and is then chosen like those of this crate:
///
/// ```
/// use socketry_codec::{CodecRegistry, Format, Struct};
///
/// let codecs = CodecRegistry::standard().with("short", |parameters| {
///     let big = parameters.get_or("big", true)?;
///     let order = if big { ">H" } else { "<H" };
///     let format: Format = order.parse().map_err(|error| parameters.refused(error))?;
///     let codec = Struct::new(format).max_frame(parameters.max_frame().unwrap_or(512));
///     Ok(codec.into())
/// });
/// let codec = codecs.build("short:big=false")?;
/// assert_eq!(codecs.named("short:big=true")?.name(), "short");
///
/// let error = codecs.build("short:bog=1").unwrap_err();
/// assert!(error.to_string().ends_with(r#"short has no parameter "bog"; it takes big"#));
/// let error = codecs.build("shirt").unwrap_err();
/// assert!(error.to_string().ends_with("there are raw, line, struct, json and short"));
/// # Ok::<(), socketry_codec::SpecError>(())
/// ```
#[derive(Clone)]
pub struct CodecRegistry {
    entries: Arc<Vec<Entry>>,
    transforms: Arc<Vec<transforms::Entry>>,
}

#[derive(Clone)]
struct Entry {
    name: Arc<str>,
    factory: Arc<Factory>,
}

impl Default for CodecRegistry {
    fn default() -> Self {
        CodecRegistry::standard()
    }
}

impl CodecRegistry {
    /// No codecs, and no transforms.
    pub fn empty() -> Self {
        CodecRegistry {
            entries: Arc::default(),
            transforms: Arc::default(),
        }
    }

    /// `raw`, `line`, `struct` and `json`: [`Raw`](crate::Raw), [`Line`](crate::Line) with an
    /// [`Ending`](crate::Ending), [`Struct`](crate::Struct) and [`Json`](crate::Json) with a
    /// [`Format`](crate::Format), and [`BareJson`](crate::BareJson) as `json:bare`. The transforms
    /// are `crc16` and `crc32`, a [`Crc`](crate::Crc), and `zstd`, `lz4`, `deflate` and `zlib`, for
    /// which a program needs the features of this crate.
    pub fn standard() -> Self {
        standard::CODECS.clone()
    }

    /// The [standard](CodecRegistry::standard) codecs, and the wires of others in the
    /// [catalogue]: `lsp`, `mqtt`, `netstring`, ….
    ///
    /// ```
    /// use socketry_codec::{Codec, CodecRegistry};
    ///
    /// let mut wire = bytes::BytesMut::new();
    /// let mut codec = CodecRegistry::catalogue().build("netstring")?;
    /// codec.encode(b"hello world!", &mut wire)?;
    /// assert_eq!(&wire[..], b"12:hello world!,");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn catalogue() -> Self {
        standard::CATALOGUE.clone()
    }

    /// The same with the codec of `factory` under `name`, which replaces one that was registered
    /// before.
    ///
    /// Lower-case letters, digits and hyphens make good names. A name that is empty or has a colon
    /// is never found.
    #[must_use]
    pub fn with<F>(mut self, name: &str, factory: F) -> Self
    where
        F: Fn(&mut Parameters<'_>) -> Result<BoxCodec, SpecError> + Send + Sync + 'static,
    {
        let (name, factory) = (Arc::from(name), Arc::new(factory) as Arc<Factory>);
        let entries = Arc::make_mut(&mut self.entries);
        match entries.iter_mut().find(|entry| entry.name == name) {
            Some(entry) => entry.factory = factory,
            None => entries.push(Entry { name, factory }),
        }
        self
    }

    /// The same with the transform of `factory` under `name`, which replaces one that was
    /// registered before. It stands on a codec as `codec+name`.
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use socketry_codec::{Codec, CodecRegistry, Crc};
    ///
    /// let codecs = CodecRegistry::catalogue().with_transform("fcs", |parameters| {
    ///     let crc = Crc::crc16("ibm-sdlc").map_err(|error| parameters.refused(error))?;
    ///     Ok(Box::new(crc))
    /// });
    /// let mut wire = BytesMut::new();
    /// codecs.build("struct:B+fcs")?.encode(b"123456789", &mut wire)?;
    /// assert_eq!(&wire[..], b"\x0b123456789\x6e\x90");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_transform<F>(mut self, name: &str, factory: F) -> Self
    where
        F: Fn(&mut Parameters<'_>) -> Result<BoxTransform, SpecError> + Send + Sync + 'static,
    {
        let added = transforms::Entry::new(name, factory);
        let transforms = Arc::make_mut(&mut self.transforms);
        match transforms.iter_mut().find(|entry| entry.name == added.name) {
            Some(entry) => *entry = added,
            None => transforms.push(added),
        }
        self
    }

    /// The names of the transforms, in the order of their registration.
    pub fn transforms(&self) -> impl Iterator<Item = &str> {
        self.transforms.iter().map(|entry| &*entry.name)
    }

    /// The registered names, in the order of their registration.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }

    /// The codec of this name, or of a [`CodecSpec`] with limits.
    ///
    /// # Errors
    /// If no codec has that name, or it does not take these parameters or limits. The error says
    /// which of them it takes.
    pub fn build(&self, spec: impl Into<CodecSpec>) -> Result<BoxCodec, SpecError> {
        Ok(self.named(spec)?.into_codec())
    }

    /// The same, with its name in the shortest form, and with the parameters and limits that it
    /// takes.
    ///
    /// # Errors
    /// As [`build`](CodecRegistry::build).
    pub fn named(&self, spec: impl Into<CodecSpec>) -> Result<NamedCodec, SpecError> {
        let spec = spec.into();
        if let Some(sum) = Sum::of(&spec.name, &self.transforms) {
            return sum.named(self, &spec);
        }
        self.plain(&spec)
            .map_err(|error| self.behind_plus(&spec.name, error))
    }

    /// A codec without a transform.
    fn plain(&self, spec: &CodecSpec) -> Result<NamedCodec, SpecError> {
        let (name, text) = parted(&spec.name);
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| !name.is_empty() && &*entry.name == name);
        let entry = entry.ok_or_else(|| SpecError::unknown(&spec.name, self.names()))?;
        let mut parameters = Parameters::new(spec, text);
        let codec = (entry.factory)(&mut parameters)?;
        parameters.named(name, codec)
    }

    /// The error of a name that is no codec's. Behind a `+` it was meant for a transform.
    fn behind_plus(&self, text: &str, error: SpecError) -> SpecError {
        match text.rsplit_once('+') {
            Some((below, meant)) if self.named(below).is_ok() => {
                SpecError::transform(text, parted(meant).0, self.transforms())
            }
            _ => error,
        }
    }
}

/// A name, and the text behind its colon.
fn parted(text: &str) -> (&str, Option<&str>) {
    match text.split_once(':') {
        Some((name, text)) => (name, Some(text)),
        None => (text, None),
    }
}

impl fmt::Debug for CodecRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl FromStr for BoxCodec {
    type Err = SpecError;

    /// The codec of this name in the [catalogue](CodecRegistry::catalogue).
    fn from_str(text: &str) -> Result<Self, SpecError> {
        standard::CATALOGUE.build(text)
    }
}
