//! The codecs of this crate, by their names.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::sync::LazyLock;

use super::{CodecRegistry, Parameters};
use crate::{
    BareJson, BoxCodec, Delimited, Delimiter, Ending, Fixed, Format, Json, Layout, LayoutCodec,
    LayoutError, Line, Raw, SpecError, Struct, UnknownEnding, UnknownFormat,
};

pub(super) static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    super::transforms::with(CodecRegistry::empty())
        .with("raw", |_| Ok(Raw.into()))
        .with("line", line)
        .with("struct", sized)
        .with("json", json)
});

/// These, and the wires of others.
pub(super) static CATALOGUE: LazyLock<CodecRegistry> =
    LazyLock::new(|| super::catalogue::with(CODECS.clone().with("fixed", fixed)));

fn line(parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
    match parameters.text()? {
        LineForm::Ending(ending) => {
            let codec = Line::ending(ending);
            let codec = set(codec, parameters.max_frame(), Line::max_frame);
            let codec = set(codec, parameters.max_discard(), Line::max_discard);
            Ok(set(codec, parameters.keep_last(), Line::keep_last).into())
        }
        LineForm::Delimiter(delimiter) => {
            let codec = Delimited::new(delimiter);
            let codec = set(codec, parameters.max_frame(), Delimited::max_frame);
            let codec = set(codec, parameters.max_discard(), Delimited::max_discard);
            Ok(set(codec, parameters.keep_last(), Delimited::keep_last).into())
        }
    }
}

fn fixed(parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
    let bytes = parameters.text().ok().and_then(NonZeroUsize::new);
    let bytes = bytes.ok_or_else(|| {
        parameters.refused("fixed takes the number of bytes of a frame, 1 at least: fixed:16")
    })?;
    Ok(Fixed::new(bytes).into())
}

fn sized(parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
    match parameters.text()? {
        StructForm::Plain(format) => {
            let codec = Struct::new(format);
            let codec = set(codec, parameters.max_frame(), Struct::max_frame);
            Ok(set(codec, parameters.max_discard(), Struct::max_discard).into())
        }
        StructForm::Laid(layout) => {
            let codec = layout.codec();
            let codec = set(codec, parameters.max_frame(), LayoutCodec::max_frame);
            Ok(set(codec, parameters.max_discard(), LayoutCodec::max_discard).into())
        }
    }
}

fn json(parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
    match parameters.text()? {
        JsonForm::Behind(format) => {
            let codec = Json::new(format);
            let codec = set(codec, parameters.max_frame(), Json::max_frame);
            Ok(set(codec, parameters.max_discard(), Json::max_discard).into())
        }
        JsonForm::Bare => {
            let codec = BareJson::new();
            let codec = set(codec, parameters.max_frame(), BareJson::max_frame);
            let codec = set(codec, parameters.max_discard(), BareJson::max_discard);
            Ok(set(codec, parameters.max_depth(), BareJson::max_depth).into())
        }
    }
}

pub(super) fn set<C, T>(codec: C, value: Option<T>, with: impl Fn(C, T) -> C) -> C {
    match value {
        Some(value) => with(codec, value),
        None => codec,
    }
}

/// The text after `line:`.
#[derive(PartialEq)]
enum LineForm {
    Ending(Ending),
    /// Exactly these bytes.
    Delimiter(Delimiter),
}

impl Default for LineForm {
    fn default() -> Self {
        LineForm::Ending(Ending::default())
    }
}

impl FromStr for LineForm {
    type Err = UnknownEnding;

    fn from_str(text: &str) -> Result<Self, UnknownEnding> {
        match Ending::parse(text) {
            Some(ending) => Ok(LineForm::Ending(ending)),
            None => text.parse().map(LineForm::Delimiter),
        }
    }
}

impl fmt::Display for LineForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineForm::Ending(ending) => ending.fmt(f),
            LineForm::Delimiter(delimiter) => delimiter.fmt(f),
        }
    }
}

/// The text after `struct:`.
#[derive(PartialEq)]
enum StructForm {
    /// A length alone, for which there is a codec that is faster.
    Plain(Format),
    Laid(Layout),
}

impl Default for StructForm {
    fn default() -> Self {
        StructForm::Plain(Format::default())
    }
}

impl FromStr for StructForm {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let layout: Layout = text.parse()?;
        Ok(match layout.plain() {
            Some(format) => StructForm::Plain(format),
            None => StructForm::Laid(layout),
        })
    }
}

impl fmt::Display for StructForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StructForm::Plain(format) => format.fmt(f),
            StructForm::Laid(layout) => layout.fmt(f),
        }
    }
}

/// The text after `json:`.
#[derive(PartialEq)]
enum JsonForm {
    Behind(Format),
    Bare,
}

impl Default for JsonForm {
    fn default() -> Self {
        JsonForm::Behind(Format::default())
    }
}

impl FromStr for JsonForm {
    type Err = UnknownForm;

    fn from_str(text: &str) -> Result<Self, UnknownForm> {
        match text {
            "bare" => Ok(JsonForm::Bare),
            format => format.parse().map(JsonForm::Behind).map_err(UnknownForm),
        }
    }
}

impl fmt::Display for JsonForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonForm::Behind(format) => format.fmt(f),
            JsonForm::Bare => f.write_str("bare"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("json:bare, or: {0}")]
struct UnknownForm(UnknownFormat);
