//! The notation of layouts: its parts in the order of their bytes.

use std::fmt::{self, Display};
use std::str::FromStr;

use super::length::{DIGITS, Form, MOST_BYTES, MOST_DIGITS};
use super::{Counts, Layout, LayoutBuilder, LayoutError, Length, Part};
use crate::Format;
use crate::codecs::hexadecimal;

impl LayoutError {
    fn at(token: &str, problem: impl Display) -> Self {
        LayoutError(format!("{token:?} {problem}"))
    }
}

impl FromStr for Layout {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let mut tokens = text.split(',').peekable();
        let before = part(&mut tokens)?;
        let Some(token) = tokens.next() else {
            return Err(LayoutError::at(text, "has no length"));
        };
        let layout = length(token, &mut tokens)?.before(before);
        let layout = layout.between(part(&mut tokens)?);
        let layout = match tokens.next_if_eq(&"data") {
            Some(_) => layout.tail(part(&mut tokens)?),
            None => layout,
        };
        let layout = match tokens.next_if_eq(&"whole") {
            Some(_) => layout.whole(),
            None => layout,
        };
        match tokens.next() {
            None => layout.build(),
            Some(token) => Err(LayoutError::at(
                token,
                "does not belong there: the order is before, length, between, data, tail, whole, \
                 with a comma between two",
            )),
        }
    }
}

/// The parts that come next: `4x`, `0x0300`, or none.
fn part<'a>(
    tokens: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>,
) -> Result<Part, LayoutError> {
    let mut part = Part::default();
    while let Some(token) = tokens.next_if(|token| token.starts_with(|c: char| c.is_ascii_digit()))
    {
        part = part.then(bytes(token)?);
    }
    Ok(part)
}

/// `4x` or `0x0300`.
fn bytes(token: &str) -> Result<Part, LayoutError> {
    if let Some(digits) = token.strip_prefix("0x") {
        return Ok(Part::same(hexadecimal::read(digits).ok_or_else(|| {
            LayoutError::at(token, "is not an even number of hexadecimal digits")
        })?));
    }
    let count = token
        .strip_suffix('x')
        .and_then(|digits| digits.parse().ok());
    match count {
        Some(count @ 1..) => Ok(Part::open(count)),
        _ => Err(LayoutError::at(
            token,
            "is no part: write 4x for four open bytes (65535x at most), and 0x03 for a byte",
        )),
    }
}

/// A length, and what it counts.
fn length<'a>(
    token: &str,
    tokens: &mut impl Iterator<Item = &'a str>,
) -> Result<LayoutBuilder, LayoutError> {
    let (written, counts, tail) = counts(token);
    let (written, strict) = match written.strip_suffix("-strict") {
        Some(written) => (written, true),
        None => (written, false),
    };
    let length = match written {
        ">u24" => Length::big24(),
        "<u24" => Length::little24(),
        ">i>Q" => Length::escaped(),
        _ => match variable(written, tokens)? {
            Some(length) => length,
            None => Length::from(written.parse::<Format>().map_err(|_| unknown(token))?),
        },
    };
    if strict && matches!(length.form, Form::Word(_) | Form::Three { .. }) {
        return Err(LayoutError::at(
            token,
            "has one form only: -strict says nothing",
        ));
    }
    let builder = Layout::of(if strict { length.strict() } else { length });
    Ok(match tail {
        true => builder.counts(counts),
        false => builder.counts_without_tail(counts),
    })
}

fn unknown(token: &str) -> LayoutError {
    LayoutError::at(
        token,
        "is no length: write one of Python's struct (b B h H i I l L q Q, with @ = < > ! before it \
         or none), >u24, <u24, >i>Q, varint, vlq or digits, and behind it =payload, =rest, \
         =itself or =frame, which -tail may follow",
    )
}

/// The text of a length without that of its [`Counts`], which is `=frame` or `=frame-tail`.
fn counts(token: &str) -> (&str, Counts, bool) {
    let (short, tail) = match token.strip_suffix("-tail") {
        Some(short) => (short, false),
        None => (token, true),
    };
    let counted = short.rsplit_once('=').and_then(|(written, word)| {
        let counts = COUNTS.iter().find(|counts| counts.word() == word)?;
        Some((written, *counts))
    });
    match counted {
        Some((written, counts)) => (written, counts, tail),
        None => (token, Counts::Payload, true),
    }
}

/// A length of variable width: its name, the most bytes or digits, and what ends digits.
fn variable<'a>(
    written: &str,
    tokens: &mut impl Iterator<Item = &'a str>,
) -> Result<Option<Length>, LayoutError> {
    let name = written.trim_end_matches(|c: char| c.is_ascii_digit());
    let (length, limit) = match name {
        "varint" => (Length::varint(), MOST_BYTES),
        "vlq" => (Length::vlq(), MOST_BYTES),
        "digits" => (
            Length::digits(delimiter(written, tokens.next())?),
            MOST_DIGITS,
        ),
        _ => return Ok(None),
    };
    let most = &written[name.len()..];
    match most.parse() {
        Ok(most) if (1..=limit).contains(&most) => Ok(Some(length.at_most(most))),
        _ if most.is_empty() => Ok(Some(length)),
        _ => {
            let problem = format_args!("is out of bounds: {name}1 to {name}{limit} can be read");
            Err(LayoutError::at(written, problem))
        }
    }
}

fn delimiter(digits: &str, token: Option<&str>) -> Result<u8, LayoutError> {
    let byte = token.and_then(|token| hexadecimal::read(token.strip_prefix("0x")?));
    match byte.as_deref() {
        Some([byte]) => Ok(*byte),
        _ => Err(LayoutError::at(
            digits,
            "needs the byte that ends the digits behind it, alone, such as 0x3a, or 0x0d,0x0a for \
             CR LF",
        )),
    }
}

const COUNTS: [Counts; 4] = [Counts::Payload, Counts::Rest, Counts::Itself, Counts::Frame];

impl Counts {
    fn word(self) -> &'static str {
        match self {
            Counts::Payload => "payload",
            Counts::Rest => "rest",
            Counts::Itself => "itself",
            Counts::Frame => "frame",
        }
    }
}

impl Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_part(f, &self.before, "", ",")?;
        write_length(f, self)?;
        write_part(f, &self.between, ",", "")?;
        if !self.tail.is_empty() {
            f.write_str(",data")?;
        }
        write_part(f, &self.tail, ",", "")?;
        f.write_str(if self.whole { ",whole" } else { "" })
    }
}

fn write_length(f: &mut fmt::Formatter<'_>, layout: &Layout) -> fmt::Result {
    let Length { form, strict } = layout.length;
    let most = |most: u8, usual: u8| match most == usual {
        true => String::new(),
        false => most.to_string(),
    };
    match form {
        Form::Word(format) => format.fmt(f)?,
        Form::Three { big } => f.write_str(if big { ">u24" } else { "<u24" })?,
        Form::Escaped => f.write_str(">i>Q")?,
        Form::Varint { most: bytes } => write!(f, "varint{}", most(bytes, MOST_BYTES))?,
        Form::Vlq { most: bytes } => write!(f, "vlq{}", most(bytes, MOST_BYTES))?,
        Form::Digits { most: digits, .. } => write!(f, "digits{}", most(digits, DIGITS))?,
    }
    f.write_str(if strict { "-strict" } else { "" })?;
    if layout.counts != Counts::Payload {
        write!(f, "={}", layout.counts.word())?;
        f.write_str(if layout.counts_tail { "" } else { "-tail" })?;
    }
    match form {
        Form::Digits { delimiter, .. } => write!(f, ",0x{delimiter:02x}"),
        _ => Ok(()),
    }
}

/// Runs of open bytes as `4x`, and runs of others as `0x0300`.
fn write_part(f: &mut fmt::Formatter<'_>, part: &Part, before: &str, behind: &str) -> fmt::Result {
    for run in part.bytes().chunk_by(|a, b| a.is_some() == b.is_some()) {
        f.write_str(before)?;
        match run {
            [None, ..] => write!(f, "{}x", run.len())?,
            same => {
                let bytes: Vec<_> = same.iter().flatten().copied().collect();
                hexadecimal::write(&bytes, f)?;
            }
        }
        f.write_str(behind)?;
    }
    Ok(())
}
