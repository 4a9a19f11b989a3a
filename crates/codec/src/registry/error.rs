//! The errors of codec specifications.

use std::fmt;

use thiserror::Error;

/// A codec that cannot be built: no codec has the name, or it does not take the parameter or limit.
/// The words name the place, and the values that are possible there; they are its
/// [`Debug`](fmt::Debug) form too, which is what a `main` shows that returns it.
#[derive(Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct SpecError(String);

impl fmt::Debug for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl SpecError {
    /// No codec has the name that `text` begins with.
    pub(super) fn unknown<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<_> = names.collect();
        SpecError::refused(text, format_args!("there are {}", listed(&names)))
    }

    /// No transform has the name that stands behind the `+` of `text`.
    pub(super) fn transform<'a>(
        text: &str,
        meant: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Self {
        let names: Vec<_> = names.collect();
        let names = listed(&names);
        let problem = format_args!("{meant:?} is no transform; there are {names}");
        SpecError::refused(text, problem)
    }

    /// The codec does not take the text after its name.
    pub(super) fn refused(text: &str, problem: impl fmt::Display) -> Self {
        SpecError(format!("{text:?} names no codec: {problem}"))
    }

    /// The codec `name` has no such limit.
    pub(super) fn limit(name: &str, limit: &str, takes: &[&str]) -> Self {
        let takes = listed(takes);
        SpecError(format!(
            "{limit} does not apply to the codec {name}; it takes {takes}"
        ))
    }
}

/// `a, b and c`; `none` for nothing.
pub(super) fn listed(words: &[&str]) -> String {
    match words {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
