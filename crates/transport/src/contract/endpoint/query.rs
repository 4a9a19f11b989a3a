//! The query: read once, when the endpoint is made.

use super::Endpoint;
use super::percent::{QUERY, checked, encode};
use super::redacted::shown;
use super::refusal::Refusal;
use std::fmt;

/// Keys and values, decoded, in the order in which they were written.
pub(super) type Pairs = Box<[(Box<str>, Box<str>)]>;

/// Whether a key may have no `=` and no value. Its value then is empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flags {
    Refused,
    Allowed,
}

/// The texts between `&`, without empty ones.
fn pieces(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|piece| !piece.is_empty())
}

/// Reads the query of `text`.
pub(super) fn read(query: &str, flags: Flags, text: &str) -> Result<Pairs, Refusal> {
    let read = |piece| match str::split_once(piece, '=') {
        Some((key, value)) => Ok((checked(key)?.into(), checked(value)?.into())),
        None if flags == Flags::Allowed => Ok((checked(piece)?.into(), "".into())),
        None => {
            let piece = shown(piece, text);
            Err(Refusal::new(format!("option '{piece}' has no value"))
                .hint(format!("write {piece}=true, say")))
        }
    };
    pieces(query).map(read).collect()
}

/// Appends a pair, behind a separator.
fn push(text: &mut String, separator: &str, key: &str, value: &str) {
    text.push_str(separator);
    encode(key.as_bytes(), QUERY, text);
    text.push('=');
    encode(value.as_bytes(), QUERY, text);
}

/// Appends a whole query in the one form that the schemes of this crate have.
pub(super) fn write(text: &mut String, pairs: &Pairs) {
    for (i, (key, value)) in pairs.iter().enumerate() {
        push(text, if i == 0 { "?" } else { "&" }, key, value);
    }
}

impl Endpoint {
    /// The keys and values of the query, decoded, in the order in which they were written. A key
    /// without `=` has an empty value.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.query.iter().map(|(key, value)| (&**key, &**value))
    }

    /// The query as it is written, without the `?`; `None` where there is no `?`.
    pub fn raw_query(&self) -> Option<&str> {
        self.parts().query
    }

    /// The same with one more key and value, encoded as needed.
    #[must_use]
    pub fn with(self, key: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        let separator = match self.raw_query() {
            None => "?",
            Some("") => "",
            Some(_) => "&",
        };
        let mut text = self.as_str().to_owned();
        push(&mut text, separator, key, &value);
        let one = (key.into(), value.into());
        let pairs = self.0.query.iter().cloned().chain([one]).collect();
        Endpoint::made(text, pairs)
    }

    /// The same without a query: only the address, without options.
    #[must_use]
    pub fn without_query(self) -> Self {
        match self.as_str().split_once('?') {
            Some((place, _)) => Endpoint::made(place.to_owned(), Pairs::default()),
            None => self,
        }
    }

    /// The same without any `key` in the query. The rest stays as it is written.
    ///
    /// ```
    /// use socketry_transport::Endpoint;
    ///
    /// let at: Endpoint = "tls://h:1?ca=/x&nodelay=true&ca=/y".parse()?;
    /// assert_eq!(at.without_key("ca").to_string(), "tls://h:1?nodelay=true");
    /// # Ok::<(), socketry_transport::Error>(())
    /// ```
    #[must_use]
    pub fn without_key(self, key: &str) -> Self {
        if self.query().all(|(known, _)| known != key) {
            return self;
        }
        let raw = pieces(self.raw_query().unwrap_or_default());
        let (raw, pairs): (Vec<_>, Vec<_>) = raw
            .zip(self.0.query.iter().cloned())
            .filter(|(_, (known, _))| **known != *key)
            .unzip();
        let mut text = self.clone().without_query().as_str().to_owned();
        if !raw.is_empty() {
            text.push('?');
            text.push_str(&raw.join("&"));
        }
        Endpoint::made(text, pairs.into())
    }
}
