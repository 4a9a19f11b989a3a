//! Transforms by name: what stands behind a `+` in the name of a codec.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::CodecRegistry;
use crate::limits::DEFAULT_MAX_FRAME;
use crate::{
    BoxTransform, CodecSpec, Content, Crc, NamedCodec, Parameters, Plus, SpecError, Transform,
    UnknownCrc,
};

type Made = Result<BoxTransform, SpecError>;

/// Makes a transform of its parameters.
type Factory = dyn Fn(&mut Parameters<'_>) -> Made + Send + Sync;

#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: Arc<str>,
    factory: Arc<Factory>,
}

impl Entry {
    pub(super) fn new<F>(name: &str, factory: F) -> Self
    where
        F: Fn(&mut Parameters<'_>) -> Made + Send + Sync + 'static,
    {
        let (name, factory) = (Arc::from(name), Arc::new(factory));
        Entry { name, factory }
    }
}

/// Those of this crate.
pub(super) fn with(codecs: CodecRegistry) -> CodecRegistry {
    codecs
        .with_transform("crc16", crc::<16>)
        .with_transform("crc32", crc::<32>)
        .with_transform("zstd", zstd)
        .with_transform("lz4", lz4)
        .with_transform("deflate", deflate)
        .with_transform("zlib", zlib)
}

/// The factory of a transform behind a feature, and without that feature one that names it.
macro_rules! compression {
    ($name:ident, $feature:literal, $parameters:ident, $made:expr) => {
        #[cfg(feature = $feature)]
        fn $name($parameters: &mut Parameters<'_>) -> Made {
            Ok(Box::new($made))
        }

        #[cfg(not(feature = $feature))]
        fn $name(parameters: &mut Parameters<'_>) -> Made {
            Err(parameters.refused(concat!(
                stringify!($name),
                " needs the feature ",
                $feature,
                " of socketry-codec, without which this program was built"
            )))
        }
    };
}

compression!(zstd, "zstd", parameters, {
    crate::Zstd::new().level(level(parameters, 1, 3, 19)?)
});
compression!(lz4, "lz4", _parameters, crate::Lz4::new());
compression!(deflate, "deflate", parameters, {
    crate::Deflate::raw().level(level(parameters, 0, 6, 9)?)
});
compression!(zlib, "deflate", parameters, {
    crate::Deflate::zlib().level(level(parameters, 0, 6, 9)?)
});

#[cfg(any(feature = "zstd", feature = "deflate"))]
fn level(parameters: &mut Parameters<'_>, least: u8, usual: u8, most: u8) -> Result<u8, SpecError> {
    let level = parameters.get_or("level", usual)?;
    match (least..=most).contains(&level) {
        true => Ok(level),
        false => Err(parameters.refused(format_args!(
            "level goes from {least} to {most}, and is {level}; without it, it is {usual}"
        ))),
    }
}

fn crc<const BITS: usize>(parameters: &mut Parameters<'_>) -> Made {
    match parameters.text::<CrcName<BITS>>()?.0 {
        Some(crc) => Ok(Box::new(crc)),
        None => Err(parameters.refused(format_args!("crc{BITS} needs a name, as {CRC_EXAMPLE}"))),
    }
}

/// A name without which there is no CRC.
const CRC_EXAMPLE: &str = "crc32:iso-hdlc does";

/// The text after `crc16:` or `crc32:`.
#[derive(Default)]
struct CrcName<const BITS: usize>(Option<Crc>);

impl<const BITS: usize> FromStr for CrcName<BITS> {
    type Err = UnknownCrc;

    fn from_str(text: &str) -> Result<Self, UnknownCrc> {
        let crc = match BITS {
            16 => Crc::crc16(text),
            _ => Crc::crc32(text),
        };
        Ok(CrcName(Some(crc?)))
    }
}

impl<const BITS: usize> fmt::Display for CrcName<BITS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_ref().map_or("", Crc::name))
    }
}

impl<const BITS: usize> PartialEq for CrcName<BITS> {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

/// The name of a codec, and behind its last `+` that of a transform.
pub(super) struct Sum<'a> {
    below: &'a str,
    transform: &'a Entry,
    text: Option<&'a str>,
}

impl<'a> Sum<'a> {
    /// `None` if no transform of `all` is named at the end.
    pub(super) fn of(name: &'a str, all: &'a [Entry]) -> Option<Self> {
        let (below, behind) = name.rsplit_once('+')?;
        let (name, text) = super::parted(behind);
        let transform = all.iter().find(|entry| &*entry.name == name)?;
        Some(Sum {
            below,
            transform,
            text,
        })
    }

    /// The transform on the codec that `codecs` has under the rest of the name.
    pub(super) fn named(
        &self,
        codecs: &CodecRegistry,
        spec: &CodecSpec,
    ) -> Result<NamedCodec, SpecError> {
        let mut parameters = Parameters::new(spec, self.text);
        let transform = (self.transform.factory)(&mut parameters)?;
        let (short, full) = parameters.names(&self.transform.name)?;
        let (below, max_frame) = self.below(codecs, spec, &transform)?;
        let properties = below.codec().properties();
        if properties.content != Content::Bytes {
            let problem = format_args!(
                "{short} makes any bytes, and {} does not carry any bytes",
                below.name()
            );
            return Err(SpecError::refused(&spec.name, problem));
        }
        let (least, most) = (transform.longest(0), properties.max_frame);
        if least > most {
            let problem = format_args!(
                "{short} may need {least} bytes for an empty frame, and {} carries {most} at most",
                below.name()
            );
            return Err(SpecError::refused(&spec.name, problem));
        }
        let limits = below.limits.iter().filter(|limit| **limit != MAX_FRAME);
        let limits = std::iter::once(MAX_FRAME).chain(limits.copied()).collect();
        let codec = Plus::new(below.codec, transform).max_frame(max_frame);
        Ok(NamedCodec {
            spec: CodecSpec {
                name: format!("{}+{short}", below.spec.name),
                ..spec.clone()
            },
            full: format!("{}+{full}", below.full),
            codec: Box::new(codec),
            limits,
        })
    }

    /// The codec below, with room for the form of the longest frame if it has such a limit, and
    /// the longest frame. That is the codec's own if none is given.
    fn below(
        &self,
        codecs: &CodecRegistry,
        spec: &CodecSpec,
        transform: &BoxTransform,
    ) -> Result<(NamedCodec, usize), SpecError> {
        let with = |max_frame| CodecSpec {
            name: self.below.to_owned(),
            max_frame,
            ..spec.clone()
        };
        let below = codecs.named(with(None))?;
        let max_frame = match (spec.max_frame, below.codec().properties().max_frame) {
            (Some(given), _) => given,
            (None, usize::MAX) => DEFAULT_MAX_FRAME,
            (None, own) => own,
        };
        match below.limits.contains(&MAX_FRAME) {
            true => Ok((
                codecs.named(with(Some(transform.longest(max_frame))))?,
                max_frame,
            )),
            false => Ok((below, max_frame)),
        }
    }
}

const MAX_FRAME: &str = "max_frame";
