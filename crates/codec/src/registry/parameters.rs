//! The parameters and limits of a codec, as its factory asks for them.

use std::fmt::Display;
use std::str::FromStr;

use super::error::listed;
use crate::{BoxCodec, CodecSpec, NamedCodec, SpecError};

/// The parameters of a codec: the text after its name, and the limits of its [`CodecSpec`].
///
/// A factory takes those that it knows. When it has returned, the registry refuses the others, and
/// lists those that the factory asked for. So no factory can forget that check. The shortest name
/// follows from the values.
///
/// The text is either one value ([`text`](Parameters::text), as in `struct:>I`) or a list of
/// `key=value` with commas between them ([`get`](Parameters::get), as in
/// `mycodec:size=2,strict=true`), of which each key may be left out. A value of a list holds no
/// comma.
#[derive(Debug)]
pub struct Parameters<'a> {
    spec: &'a CodecSpec,
    /// The text after the colon, until it is taken.
    text: Option<&'a str>,
    /// The pairs of a list that are not taken yet.
    pairs: Vec<(&'a str, &'a str)>,
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
            pairs: Vec::new(),
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
        let Some(text) = self.text.take() else {
            return Ok(T::default());
        };
        let value: T = text.parse().map_err(|error| self.refused(error))?;
        if value != T::default() {
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
        if let Some(value) = &value {
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
        self.note(format!("{key}={value}"), given);
        Ok(value)
    }

    /// [`CodecSpec::max_frame`], for a codec that has such a limit.
    pub fn max_frame(&mut self) -> Option<usize> {
        self.limits.push("max_frame");
        self.spec.max_frame
    }

    /// [`CodecSpec::max_discard`], for a codec that has such a limit.
    pub fn max_discard(&mut self) -> Option<u64> {
        self.limits.push("max_discard");
        self.spec.max_discard
    }

    /// [`CodecSpec::max_depth`], for a codec that has such a limit.
    pub fn max_depth(&mut self) -> Option<usize> {
        self.limits.push("max_depth");
        self.spec.max_depth
    }

    /// [`CodecSpec::keep_last`], for a codec that has such a choice.
    pub fn keep_last(&mut self) -> Option<bool> {
        self.limits.push("keep_last");
        self.spec.keep_last
    }

    /// An error about a parameter. `problem` names the parameter, and its possible values.
    pub fn refused(&self, problem: impl Display) -> SpecError {
        SpecError::refused(&self.spec.name, problem)
    }

    /// Reads the value of `key`.
    fn value<T>(&mut self, key: &'static str, way_out: &str) -> Result<Option<T>, SpecError>
    where
        T: FromStr<Err: Display>,
    {
        self.keys.push(key);
        if let Some(text) = self.text.take() {
            let pair = |pair: &'a str| pair.split_once('=').unwrap_or((pair, ""));
            self.pairs = text.split(',').map(pair).collect();
        }
        let Some(at) = self.pairs.iter().position(|(given, _)| *given == key) else {
            return Ok(None);
        };
        let (_, text) = self.pairs.remove(at);
        if self.pairs.iter().any(|(given, _)| *given == key) {
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

    /// The codec with its name, if all that was given was taken.
    pub(super) fn named(self, name: &str, codec: BoxCodec) -> Result<NamedCodec, SpecError> {
        if self.text.is_some() {
            return Err(self.refused(format_args!("{name} takes nothing after it")));
        }
        if let Some((key, _)) = self.pairs.first() {
            let keys = listed(&self.keys);
            let problem = format_args!("{name} has no parameter {key:?}; it takes {keys}");
            return Err(self.refused(problem));
        }
        let with = |texts: &[String]| match texts {
            [] => name.to_owned(),
            texts => format!("{name}:{}", texts.join(",")),
        };
        let (short, full) = (with(&self.short), with(&self.full));
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
