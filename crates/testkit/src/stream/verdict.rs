//! The result of a law: nothing, or in words what is wrong.

use std::fmt::{self, Debug, Display};

/// A failure, in words.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// The result of a law.
pub(crate) type Verdict<T = ()> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(words: impl Display) -> Self {
        Failure(words.to_string())
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error with `words` unless `holds`.
pub(crate) fn ensure(holds: bool, words: impl Display) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(Failure::new(words))
    }
}

/// An error unless `found` is `expected`.
#[expect(
    clippy::needless_pass_by_value,
    reason = "values read better where it is called"
)]
pub(crate) fn same<V: PartialEq + Debug>(what: &str, found: V, expected: V) -> Verdict {
    let equal = found == expected;
    ensure(
        equal,
        format_args!("{what}: {found:?}, and not {expected:?}"),
    )
}
