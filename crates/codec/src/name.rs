//! Codecs by name, as a configuration file or a command line gives them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::{BareJson, BoxCodec, Ending, Format, Json, Line, Raw, Struct, UnknownFormat};

/// The name of a codec: what stands in a configuration file.
///
/// `raw`, `line`, `line:crlf`, `line:\0` (or another [`Ending`]), `struct`, `struct:>I` (or another
/// [`Format`]), `json`, `json:>I` and `json:bare`. Printing gives the shortest form: `struct:i` and
/// `struct:@i` are `struct`. What is printed parses to the same name.
///
/// ```
/// use socketry_codec::{BoxCodec, CodecName};
///
/// let name: CodecName = "struct:@i".parse()?;
/// assert_eq!(name.to_string(), "struct");
/// let codec: BoxCodec = name.build();
/// let codec: BoxCodec = "line:crlf".parse()?;
/// # Ok::<(), socketry_codec::UnknownCodec>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodecName {
    /// [`Raw`]
    Raw,
    /// [`Line`]
    Line(Ending),
    /// [`Struct`]
    Struct(Format),
    /// [`Json`]
    Json(Format),
    /// [`BareJson`]
    BareJson,
}

/// A text that names no codec.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{text:?} names no codec: {problem}")]
pub struct UnknownCodec {
    text: String,
    problem: Problem,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
enum Problem {
    #[error("there are raw, line, struct and json")]
    Name,
    #[error("raw takes nothing after it")]
    Raw,
    #[error(r"a line ends with lf, crlf, one ASCII character, or one of \0 \t \n \r \xHH")]
    Ending,
    #[error("{0}")]
    Struct(UnknownFormat),
    #[error("json:bare, or: {0}")]
    Json(UnknownFormat),
}

impl CodecName {
    /// The codec of this name, with default limits.
    pub fn build(self) -> BoxCodec {
        match self {
            CodecName::Raw => Box::new(Raw),
            CodecName::Line(ending) => Box::new(Line::ending(ending)),
            CodecName::Struct(format) => Box::new(Struct::new(format)),
            CodecName::Json(format) => Box::new(Json::new(format)),
            CodecName::BareJson => Box::new(BareJson::new()),
        }
    }
}

/// What the name before the colon, and the text after it if there is one, stand for.
fn resolve(name: &str, detail: Option<&str>) -> Result<CodecName, Problem> {
    match (name, detail) {
        ("raw", None) => Ok(CodecName::Raw),
        ("raw", _) => Err(Problem::Raw),
        ("line", _) => ending(detail).map(CodecName::Line),
        ("struct", _) => match format(detail) {
            Ok(format) => Ok(CodecName::Struct(format)),
            Err(unknown) => Err(Problem::Struct(unknown)),
        },
        ("json", Some("bare")) => Ok(CodecName::BareJson),
        ("json", _) => match format(detail) {
            Ok(format) => Ok(CodecName::Json(format)),
            Err(unknown) => Err(Problem::Json(unknown)),
        },
        _ => Err(Problem::Name),
    }
}

fn ending(detail: Option<&str>) -> Result<Ending, Problem> {
    match detail {
        None => Ok(Ending::default()),
        Some(text) => Ending::parse(text).ok_or(Problem::Ending),
    }
}

fn format(detail: Option<&str>) -> Result<Format, UnknownFormat> {
    detail.map_or_else(|| Ok(Format::default()), str::parse)
}

impl FromStr for CodecName {
    type Err = UnknownCodec;

    fn from_str(text: &str) -> Result<Self, UnknownCodec> {
        let (name, detail) = match text.split_once(':') {
            Some((name, detail)) => (name, Some(detail)),
            None => (text, None),
        };
        resolve(name, detail).map_err(|problem| UnknownCodec {
            text: text.into(),
            problem,
        })
    }
}

impl fmt::Display for CodecName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodecName::Raw => f.write_str("raw"),
            CodecName::Line(Ending::LF) => f.write_str("line"),
            CodecName::Line(ending) => write!(f, "line:{ending}"),
            CodecName::Struct(format) if *format == Format::default() => f.write_str("struct"),
            CodecName::Struct(format) => write!(f, "struct:{format}"),
            CodecName::Json(format) if *format == Format::default() => f.write_str("json"),
            CodecName::Json(format) => write!(f, "json:{format}"),
            CodecName::BareJson => f.write_str("json:bare"),
        }
    }
}

impl From<CodecName> for BoxCodec {
    fn from(name: CodecName) -> Self {
        name.build()
    }
}

impl FromStr for BoxCodec {
    type Err = UnknownCodec;

    fn from_str(text: &str) -> Result<Self, UnknownCodec> {
        text.parse().map(CodecName::build)
    }
}
