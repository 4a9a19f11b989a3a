//! The parameters and limits of a codec, as its factory asks for them.

use std::fmt::Display;
use std::str::FromStr;

use super::error::listed;
use crate::{BoxCodec, CodecSpec, NamedCodec, SpecError};

/// The parameters of a codec: the text after its name, and the limits of its [`CodecSpec`].
///
/// A factory takes those that it knows. When it has returned, the registry refuses the others, and
/// lists those that the factory asked for. So no factory can forget that check. The shortest name
/// follows from the values. A factory that asks twice gets the same answer.
///
/// The text is either one value ([`text`](Parameters::text), as in `struct:>I`) or a list of
/// `key=value` with commas between them ([`get`](Parameters::get), as in
/// `mycodec:size=2,strict=true`), of which each key may be left out. A value of a list holds no
/// comma.
#[derive(Debug)]
pub struct Parameters<'a> {
    spec: &'a CodecSpec,
    /// The text after the colon.
    text: Option<&'a str>,
    /// The factory took the text as one value.
    whole: bool,
    /// The keys and limits that the factory asked for, each once.
    keys: Vec<&'static str>,
    limits: Vec<&'static str>,
    /// The values for the name in its shortest form, and in full.
    short: Vec<String>,
    full: Vec<String>,
}

impl<'a> Parameters<'a> {
    pub(super) fn new(spec: &'a CodecSpec, text: Option<&'a str>) -> Self {
        Parameters {
            spec,
            text,
            whole: false,
            keys: Vec::new(),
            limits: Vec::new(),
            short: Vec::new(),
            full: Vec::new(),
        }
    }

    /// The whole text after the colon as one value; the default without a colon.
    ///
    /// `FromStr` must read the text that `Display` prints.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn text<T>(&mut self) -> Result<T, SpecError>
    where
        T: FromStr<Err: Display> + Display + Default + PartialEq,
    {
        let Some(text) = self.text.filter(|_| self.keys.is_empty()) else {
            return Ok(T::default());
        };
        let value: T = text.parse().map_err(|error| self.refused(error))?;
        if !std::mem::replace(&mut self.whole, true) && value != T::default() {
            self.note(value.to_string(), true);
        }
        Ok(value)
    }

    /// The value of `key`, if it is given.
    ///
    /// # Errors
    /// If it cannot be read, or is given twice.
    pub fn get<T>(&mut self, key: &'static str) -> Result<Option<T>, SpecError>
    where
        T: FromStr<Err: Display> + Display,
    {
        let value = self.value::<T>(key, "")?;
        if ask(&mut self.keys, key)
            && let Some(value) = &value
        {
            self.note(format!("{key}={value}"), true);
        }
        Ok(value)
    }

    /// The value of `key`, or this one if it is not given.
    ///
    /// # Errors
    /// As [`get`](Parameters::get).
    pub fn get_or<T>(&mut self, key: &'static str, default: T) -> Result<T, SpecError>
    where
        T: FromStr<Err: Display> + Display + PartialEq,
    {
        let way_out = format!("; without it, it is {default}");
        let value = self.value::<T>(key, &way_out)?;
        let given = value.as_ref().is_some_and(|value| *value != default);
        let value = value.unwrap_or(default);
        if ask(&mut self.keys, key) {
            self.note(format!("{key}={value}"), given);
        }
        Ok(value)
    }

    /// [`CodecSpec::max_frame`], for a codec that has such a limit.
    pub fn max_frame(&mut self) -> Option<usize> {
        ask(&mut self.limits, "max_frame");
        self.spec.max_frame
    }

    /// [`CodecSpec::max_discard`], for a codec that has such a limit.
    pub fn max_discard(&mut self) -> Option<u64> {
        ask(&mut self.limits, "max_discard");
        self.spec.max_discard
    }

    /// [`CodecSpec::max_depth`], for a codec that has such a limit.
    pub fn max_depth(&mut self) -> Option<usize> {
        ask(&mut self.limits, "max_depth");
        self.spec.max_depth
    }

    /// [`CodecSpec::keep_last`], for a codec that has such a choice.
    pub fn keep_last(&mut self) -> Option<bool> {
        ask(&mut self.limits, "keep_last");
        self.spec.keep_last
    }

    /// An error about a parameter. `problem` names the parameter, and its possible values.
    pub fn refused(&self, problem: impl Display) -> SpecError {
        SpecError::refused(&self.spec.name, problem)
    }

    /// The pairs of a list; none where the text is one value.
    fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let list = self.text.filter(|_| !self.whole).into_iter();
        list.flat_map(|text| text.split(','))
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    /// Reads the value of `key`.
    fn value<T>(&self, key: &'static str, way_out: &str) -> Result<Option<T>, SpecError>
    where
        T: FromStr<Err: Display>,
    {
        let mut values = self.pairs().filter(|(given, _)| *given == key);
        let Some((_, text)) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(self.refused(format_args!("{key} is given twice")));
        }
        let value = text.parse().map_err(|error| {
            self.refused(format_args!("{key} cannot be {text:?} ({error}){way_out}"))
        })?;
        Ok(Some(value))
    }

    fn note(&mut self, text: String, given: bool) {
        if given {
            self.short.push(text.clone());
        }
        self.full.push(text);
    }

    /// What the factory did not take, in words.
    fn not_taken(&self, name: &str) -> Option<String> {
        if self.text.is_some() && !self.whole && self.keys.is_empty() {
            return Some(format!("{name} takes nothing after it"));
        }
        let takes = listed(&self.keys);
        let (key, _) = self.pairs().find(|(key, _)| !self.keys.contains(key))?;
        Some(match (self.text, key) {
            (Some(""), _) => format!("no parameter follows the colon; {name} takes {takes}"),
            (_, "") => format!("a parameter has no name; {name} takes {takes}"),
            _ => format!("{name} has no parameter {key:?}; it takes {takes}"),
        })
    }

    /// The name in its shortest form, and in full, if all parameters that were given were taken.
    pub(super) fn names(&self, name: &str) -> Result<(String, String), SpecError> {
        if let Some(problem) = self.not_taken(name) {
            return Err(self.refused(problem));
        }
        let with = |texts: &[String]| match texts {
            [] => name.to_owned(),
            texts => format!("{name}:{}", texts.join(",")),
        };
        Ok((with(&self.short), with(&self.full)))
    }

    /// The codec with its name, if all that was given was taken.
    pub(super) fn named(self, name: &str, codec: BoxCodec) -> Result<NamedCodec, SpecError> {
        let (short, full) = self.names(name)?;
        match self
            .spec
            .limits()
            .find(|limit| !self.limits.contains(limit))
        {
            Some(limit) => Err(SpecError::limit(&short, limit, &self.limits)),
            None => Ok(NamedCodec {
                spec: CodecSpec {
                    name: short,
                    ..self.spec.clone()
                },
                codec,
                full,
                limits: self.limits,
            }),
        }
    }
}

/// Notes that the factory asked for `name`, and says whether that is the first time.
fn ask(asked: &mut Vec<&'static str>, name: &'static str) -> bool {
    let first = !asked.contains(&name);
    if first {
        asked.push(name);
    }
    first
}
