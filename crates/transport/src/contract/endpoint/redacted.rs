//! What of an endpoint may be shown: all but a password.

use std::borrow::Cow;
use std::fmt;

use super::{Address, Endpoint};

/// The text without what may be a password: everything before an `@` in the authority, well-formed or not.
pub(crate) fn redacted(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (text.split_at(scheme.len() + 3).0, rest),
        None => ("", text),
    };
    // These have no user names, and an `@` of their own.
    if ["unix://", "unix-dgram://", "mem://"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return text.to_owned();
    }
    let (authority, query) = rest.split_at(authority_len(rest));
    format!("{scheme}{}{query}", without_user(authority))
}

/// The authority, with nothing told of a user and a password that it may begin with.
fn without_user(authority: &str) -> Cow<'_, str> {
    match authority.rfind('@') {
        Some(at) if at > 0 => format!("…{}", &authority[at..]).into(),
        _ => authority.into(),
    }
}

/// Up to the query, if it is one: a `?` with an `@` before the next `=` stands in a password that nobody encoded.
fn authority_len(rest: &str) -> usize {
    match rest.split_once('?') {
        Some((authority, query)) => match (query.find('='), query.find('@')) {
            (Some(equals), Some(at)) if at < equals => rest.len(),
            (None, Some(_)) => rest.len(),
            _ => authority.len(),
        },
        None => rest.len(),
    }
}

/// A part of the text for use in a reason: only if the text that is shown has it too.
pub(super) fn shown(part: &str, text: &str) -> String {
    if redacted(text).contains(part) {
        part.escape_debug().to_string()
    } else {
        "…".to_owned()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(address) => f.debug_tuple("Ip").field(address).finish(),
            Address::Host(host, port) => f.debug_tuple("Host").field(host).field(port).finish(),
            Address::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Address::Abstract(name) => f.debug_tuple("Abstract").field(name).finish(),
            Address::Unnamed => f.write_str("Unnamed"),
            Address::Name(name) => f.debug_tuple("Name").field(&without_user(name)).finish(),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.redacted())
    }
}
