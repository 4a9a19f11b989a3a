//! The query keys of a transport.

use std::borrow::Cow;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};

/// The query keys that a [`Transport`](super::Transport) takes as options. Other keys are refused,
/// or they belong to the URL.
///
/// ```
/// use socketry_transport::Keys;
///
/// let keys = Keys::new(&["nodelay", "ttl"]).and(["silence"]);
/// assert!(keys.contains("silence"));
/// assert!(!keys.takes("room"));
/// // The query of a WebSocket is for its server to read.
/// assert!(keys.with_others().takes("room"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    options: Cow<'static, [&'static str]>,
    lists: Cow<'static, [&'static str]>,
    others: bool,
}

impl Keys {
    /// These options, and no other keys. The default has no options.
    pub const fn new(options: &'static [&'static str]) -> Self {
        Keys {
            options: Cow::Borrowed(options),
            lists: Cow::Borrowed(&[]),
            others: false,
        }
    }

    /// These and more options: a layer adds its own to those of the transport that it wraps.
    #[must_use]
    pub fn and(mut self, more: impl IntoIterator<Item = &'static str>) -> Self {
        for key in more {
            if !self.contains(key) {
                self.options.to_mut().push(key);
            }
        }
        self
    }

    /// These and more options, each of which a URL may have more than once: a list, in its order.
    #[must_use]
    pub fn and_lists(mut self, more: impl IntoIterator<Item = &'static str>) -> Self {
        let more: Vec<_> = more.into_iter().collect();
        self.lists.to_mut().extend(&more);
        self.and(more)
    }

    /// The same options, where any other key belongs to the URL.
    #[must_use]
    pub fn with_others(mut self) -> Self {
        self.others = true;
        self
    }

    /// The options.
    pub fn options(&self) -> &[&'static str] {
        &self.options
    }

    /// Whether `key` is an option.
    pub fn contains(&self, key: &str) -> bool {
        self.options.contains(&key)
    }

    /// Whether `key` is an option that a URL may have more than once.
    pub fn is_list(&self, key: &str) -> bool {
        self.lists.contains(&key)
    }

    /// Whether a query may have `key`: as an option, or because others belong to the URL.
    pub fn takes(&self, key: &str) -> bool {
        self.others || self.contains(key)
    }

    /// Checks the keys of an endpoint's query, and not their values, which the transport reads. If
    /// another transport has the key (`known`), the error says that it does not apply here.
    pub(crate) fn check(&self, endpoint: &Endpoint, known: impl Fn(&str) -> bool) -> Result<()> {
        match endpoint.query().find(|(key, _)| !self.takes(key)) {
            Some((key, _)) => Err(self.refusal(key, endpoint, known(key))),
            None => Ok(()),
        }
    }

    /// The error for a key that is not taken.
    pub(crate) fn refusal(&self, key: &str, endpoint: &Endpoint, known: bool) -> Error {
        let scheme = endpoint.scheme();
        let name = key.escape_debug();
        let reason = if known {
            format!("option '{name}' does not apply to {scheme}")
        } else {
            format!("there is no option '{name}'")
        };
        let takes = match self.options() {
            [] => "no options".to_owned(),
            keys => keys.join(", "),
        };
        Error::new(ErrorKind::InvalidOption, "use", endpoint)
            .because(reason)
            .hint(format!("{scheme} takes {takes}"))
    }
}

impl From<&'static [&'static str]> for Keys {
    fn from(options: &'static [&'static str]) -> Self {
        Keys::new(options)
    }
}

impl<const N: usize> From<&'static [&'static str; N]> for Keys {
    fn from(options: &'static [&'static str; N]) -> Self {
        Keys::new(options)
    }
}

impl From<&Keys> for Keys {
    fn from(keys: &Keys) -> Self {
        keys.clone()
    }
}
