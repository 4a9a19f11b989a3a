//! The codecs of this crate, by their names.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use super::{CodecRegistry, Parameters};
use crate::{
    BareJson, BoxCodec, Format, Json, Layout, LayoutCodec, LayoutError, Line, Raw, SpecError,
    Struct, UnknownFormat,
};

pub(super) static CODECS: LazyLock<CodecRegistry> = LazyLock::new(|| {
    CodecRegistry::empty()
        .with("raw", |_| Ok(Raw.into()))
        .with("line", line)
        .with("struct", sized)
        .with("json", json)
});

/// These, and the wires of others.
pub(super) static CATALOGUE: LazyLock<CodecRegistry> =
    LazyLock::new(|| super::catalogue::with(CODECS.clone()));

fn line(parameters: &mut Parameters<'_>) -> Result<BoxCodec, SpecError> {
    let codec = Line::ending(parameters.text()?);
    let codec = set(codec, parameters.max_frame(), Line::max_frame);
    let codec = set(codec, parameters.max_discard(), Line::max_discard);
    Ok(set(codec, parameters.keep_last(), Line::keep_last).into())
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
