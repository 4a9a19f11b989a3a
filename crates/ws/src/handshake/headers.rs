//! The headers of a head.

use super::members;

/// Headers in the order of their arrival. Bytes that are not UTF-8 are replaced.
#[derive(Clone, Debug, Default)]
pub(crate) struct Headers(pub(crate) Vec<(String, String)>);

impl Headers {
    pub(crate) fn of<'a>(all: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
        let all = all.into_iter();
        Headers(
            all.map(|(name, value)| (name.to_owned(), text(value)))
                .collect(),
        )
    }

    /// Sets the only header of this name.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value.into()));
    }

    /// All values of the headers of this name.
    pub(crate) fn all<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        let named = self.0.iter();
        named
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// The value of the only header of this name. `None` if there is none, or another one.
    pub(crate) fn only(&self, name: &str) -> Option<&str> {
        let mut all = self.all(name);
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }

    /// Whether a list has this word, in any case.
    pub(crate) fn lists(&self, name: &str, word: &str) -> bool {
        let mut all = self.all(name).flat_map(members);
        all.any(|member| member.eq_ignore_ascii_case(word))
    }
}
