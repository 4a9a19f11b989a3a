//! The line that the user typed, changed into one that works.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;

use socketry_transport::Endpoint;

/// A command line, to be shown to its user.
#[derive(Clone, Debug)]
pub(crate) struct Typed(Vec<String>);

impl Typed {
    /// The words of this program's command line, its name included.
    pub(crate) fn new(words: &[OsString]) -> Self {
        let words = words.iter().map(|word| word.to_string_lossy().into_owned());
        Typed(words.collect())
    }

    /// The same with one more option.
    #[must_use]
    pub(crate) fn and(mut self, option: &str) -> Self {
        let end = self.0.iter().position(|word| word == "--");
        self.0
            .insert(end.unwrap_or(self.0.len()), option.to_owned());
        self
    }

    /// The same without an option that has no value.
    #[must_use]
    pub(crate) fn without(mut self, option: &str) -> Self {
        self.0.retain(|word| word != option);
        self
    }

    /// The same with the URL `new` in the place of `old`, which may not have been typed.
    #[must_use]
    pub(crate) fn at(mut self, old: &str, new: &Endpoint) -> Self {
        match self.0.iter_mut().find(|word| *word == old) {
            Some(word) => new.as_str().clone_into(word),
            None => self.0.push(new.to_string()),
        }
        self
    }
}

impl fmt::Display for Typed {
    /// Quoted for a shell.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.0.iter().map(|word| {
            // A word with a NUL cannot have been typed.
            shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
        });
        f.write_str(&words.collect::<Vec<_>>().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Typed {
        Typed(shlex::split(line).unwrap())
    }

    #[test]
    fn a_line_is_changed_where_it_has_to_be() {
        let new = "tls://[::]:9?ca=c".parse().unwrap();
        for (line, changed) in [
            (
                "socketry command serve",
                "socketry command serve 'tls://[::]:9?ca=c' -x",
            ),
            (
                "./socketry command serve tcp://[::]:9 --time-limit 3s",
                "./socketry command serve 'tls://[::]:9?ca=c' --time-limit 3s -x",
            ),
            (
                "socketry file serve --root 'a b' -- tcp://[::]:9",
                "socketry file serve --root 'a b' -x -- 'tls://[::]:9?ca=c'",
            ),
        ] {
            let typed = typed(line).at("tcp://[::]:9", &new).and("-x");
            assert_eq!(typed.to_string(), changed);
        }
    }
}
