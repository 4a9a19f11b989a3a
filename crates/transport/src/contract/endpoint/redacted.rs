//! The text of an endpoint that may be shown: all but a user name and a password.

use std::borrow::Cow;
use std::fmt;

use super::Endpoint;
use super::grammar::check;
use super::own::Kind;
use super::parts::split;

/// The text without a user and a password, in its authority and in the URLs of its query. In a
/// well-formed endpoint they end at the `@`. From any other text, all that may be a user or a
/// password is removed.
pub(crate) fn redacted(text: &str) -> String {
    let place = without_own(text);
    without_nested(&place).into_owned()
}

fn without_own(text: &str) -> String {
    let parts = split(text);
    let well_formed = Kind::of(parts.scheme).is_none() && check(&parts, text).is_ok();
    match parts.user {
        Some(user) if well_formed && text.contains("://") => {
            let (scheme, rest) = text.split_at(parts.scheme.len() + 3);
            format!("{scheme}{}{}", hidden(user), &rest[user.len()..])
        }
        None if well_formed => text.to_owned(),
        _ => cautious(text),
    }
}

/// The text, whose query may have URLs as values, without a user and a password in those.
fn without_nested(text: &str) -> Cow<'_, str> {
    let Some((place, query)) = text.split_once('?') else {
        return text.into();
    };
    let pieces: Vec<_> = query.split('&').map(without_user_in_value).collect();
    match pieces.iter().all(|piece| matches!(piece, Cow::Borrowed(_))) {
        true => text.into(),
        false => format!("{place}?{}", pieces.join("&")).into(),
    }
}

/// A piece of a query, whose value may be a URL, encoded or not.
fn without_user_in_value(piece: &str) -> Cow<'_, str> {
    let lower = piece.to_ascii_lowercase();
    let behind = |mark: &str| lower.find(mark).map(|at| at + mark.len());
    let Some(start) = behind("://").or_else(|| behind("%3a%2f%2f")) else {
        return piece.into();
    };
    let end = lower[start..].rfind('@').max(lower[start..].rfind("%40"));
    match end {
        Some(len) if len > 0 => {
            let (before, rest) = piece.split_at(start);
            format!("{before}…{}", &rest[len..]).into()
        }
        _ => piece.into(),
    }
}

fn hidden(user: &str) -> &str {
    if user.is_empty() { "" } else { "…" }
}

/// The text, well-formed or not, without all that is before an `@` in the authority.
fn cautious(text: &str) -> String {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (text.split_at(scheme.len() + 3).0, rest),
        None => ("", text),
    };
    // These schemes have no user names, and an `@` has another meaning.
    let name = scheme.trim_end_matches("://").to_ascii_lowercase();
    if matches!(Kind::of(&name), Some(Kind::Local | Kind::Name)) {
        return text.to_owned();
    }
    let (authority, query) = rest.split_at(authority_len(rest));
    format!("{scheme}{}{query}", without_user(authority))
}

/// The authority, without a user and a password at its beginning.
pub(super) fn without_user(authority: &str) -> Cow<'_, str> {
    match authority.rfind('@') {
        Some(at) if at > 0 => format!("…{}", &authority[at..]).into(),
        _ => authority.into(),
    }
}

/// The length of the text before the query. A `?` with an `@` before the next `=` does not begin a
/// query: it belongs to a password that was not encoded.
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

/// A part of a refused text, for an error. It is shown only if it is in the redacted text too.
pub(super) fn shown(part: &str, text: &str) -> String {
    if cautious(text).contains(part) {
        part.escape_debug().to_string()
    } else {
        "…".to_owned()
    }
}

impl Endpoint {
    /// The endpoint as it may be shown: without a user name and password, also in URLs that are
    /// values of its query.
    pub fn redacted(&self) -> impl fmt::Display {
        let Some(user) = self.user() else {
            return without_nested(self.as_str()).into_owned();
        };
        let (scheme, rest) = self.as_str().split_at(self.scheme().len() + 3);
        let place = format!("{scheme}{}{}", hidden(user), &rest[user.len()..]);
        without_nested(&place).into_owned()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.redacted())
    }
}
