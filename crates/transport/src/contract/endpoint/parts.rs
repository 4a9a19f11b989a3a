//! The parts of an endpoint: only this file says where each begins and ends.

use std::fmt;
use std::net::Ipv6Addr;

use super::Endpoint;
use super::host::no_brackets;
use super::own::Kind;
use super::refusal::Refusal;
use crate::contract::error::Result;

/// The parts of an [`Endpoint`], each as it is written: `scheme://user@host:port/path?query`.
///
/// They are the whole endpoint: [`Endpoint::from_parts`] is the inverse of [`Endpoint::parts`].
/// `unix`, `unix-dgram`, `unix-seqpacket` and `mem` have no user, host and port: all of their
/// address is `path`.
///
/// ```
/// use socketry_transport::{Endpoint, EndpointParts};
///
/// let at = Endpoint::from_parts(EndpointParts {
///     scheme: "wss",
///     host: "example.org",
///     port: Some(443),
///     path: "/a%2Fb",
///     ..EndpointParts::default()
/// })?;
/// assert_eq!(at.to_string(), "wss://example.org:443/a%2Fb");
/// assert_eq!(at.with("room", "x y").raw_query(), Some("room=x%20y"));
/// # Ok::<(), socketry_transport::Error>(())
/// ```
///
/// `{:?}` does not show the user.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct EndpointParts<'a> {
    /// A letter, then letters, digits, `+`, `-`, `.`; an endpoint has it in lower case.
    pub scheme: &'a str,
    /// The text before the `@`: a user name, and perhaps a `:` and a password.
    pub user: Option<&'a str>,
    /// A name or an IPv4 address, or an IPv6 address in brackets; empty for none.
    pub host: &'a str,
    /// The number after the `:`.
    pub port: Option<u16>,
    /// Empty, or a `/` and the text after it.
    pub path: &'a str,
    /// The text after the `?`.
    pub query: Option<&'a str>,
}

impl fmt::Debug for EndpointParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndpointParts")
            .field("scheme", &self.scheme)
            .field("user", &self.user.map(|_| "…"))
            .field("host", &self.host)
            .field("port", &self.port)
            .field("path", &self.path)
            .field("query", &self.query)
            .finish()
    }
}

/// The text before and after the first `://`. A scheme has no colon, and to find one character is
/// faster than to find three. Each connect does this several times.
pub(super) fn scheme_and_rest(text: &str) -> Option<(&str, &str)> {
    let colon = text.split_once(':')?;
    let rest = colon.1.strip_prefix("//").map(|rest| (colon.0, rest));
    rest.or_else(|| text.split_once("://"))
}

/// The parts of any text, well-formed or not. Joined again, they are the same text.
pub(super) fn split(text: &str) -> EndpointParts<'_> {
    let (scheme, rest) = scheme_and_rest(text).unwrap_or(("", text));
    let (place, query) = match rest.split_once('?') {
        Some((place, query)) => (place, Some(query)),
        None => (rest, None),
    };
    let whole = EndpointParts {
        scheme,
        path: place,
        query,
        ..EndpointParts::default()
    };
    if let Some(Kind::Local | Kind::Name) = Kind::of(scheme) {
        return whole;
    }
    let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
    let (user, rest) = match authority.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, authority),
    };
    let (host, port) = match host_and_port(rest) {
        (host, Some(port)) => match number(port) {
            Some(number) => (host, Some(number)),
            None => (rest, None),
        },
        (host, None) => (host, None),
    };
    EndpointParts {
        user,
        host,
        port,
        path,
        ..whole
    }
}

/// Host and port as they are written. The port may be no number.
pub(super) fn host_and_port(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    }
}

/// The number of a port, if the port is written as a number is printed: without leading zeros.
fn number(port: &str) -> Option<u16> {
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    let zeros = port.len() > 1 && port.starts_with('0');
    port.parse().ok().filter(|_| digits && !zeros)
}

impl EndpointParts<'_> {
    fn text(&self) -> String {
        let mut text = format!("{}://", self.scheme);
        if let Some(user) = self.user {
            text += user;
            text += "@";
        }
        text += self.host;
        if let Some(port) = self.port {
            text += &format!(":{port}");
        }
        text += self.path;
        if let Some(query) = self.query {
            text += "?";
            text += query;
        }
        text
    }

    /// The refusal of parts whose text would be parsed as `read`: names the part that reaches into
    /// another one.
    fn misread(&self, read: &EndpointParts<'_>) -> Refusal {
        if !self.path.is_empty() && !self.path.starts_with('/') {
            return Refusal::new("its path does not begin with '/'");
        }
        if self.host.parse::<Ipv6Addr>().is_ok() {
            return no_brackets(self.host);
        }
        let name = match () {
            () if self.scheme != read.scheme => "scheme",
            () if self.user != read.user => "user",
            () if self.host != read.host => "host",
            () if self.port != read.port => "port",
            () if self.path != read.path => "path",
            () => "query",
        };
        let refusal = Refusal::new(format!("its {name} would be read as another"));
        refusal.hint("write ':', '/', '?' and '@' that belong to a part as %XX")
    }
}

impl Endpoint {
    /// Makes an endpoint of its parts.
    ///
    /// # Errors
    /// [`InvalidEndpoint`](crate::ErrorKind::InvalidEndpoint) if their text cannot be parsed, or if
    /// a part would be read as another one: a path without the first `/`, a `?` in a host.
    pub fn from_parts(parts: EndpointParts<'_>) -> Result<Self> {
        let text = parts.text();
        let read = split(&text);
        if read == parts {
            return text.parse();
        }
        // The error must not show the user, even where the text would be parsed so that a part of
        // the user is elsewhere.
        let user = parts.user.map(|_| "…");
        let shown = EndpointParts { user, ..parts }.text();
        Err(parts.misread(&read).error("use", &shown))
    }

    /// The parts, each as it is written.
    pub fn parts(&self) -> EndpointParts<'_> {
        split(self.as_str())
    }
}
