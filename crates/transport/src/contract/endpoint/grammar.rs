//! Parsing an endpoint, and the grammar of third parties' schemes (RFC 3986).

use std::net::Ipv6Addr;
use std::str::FromStr;

use super::Endpoint;
use super::host::{address, bracketed, no_brackets, no_number};
use super::own::{self, Kind};
use super::parts::{EndpointParts, split};
use super::percent;
use super::query::{self, Flags, Pairs};
use super::redacted::shown;
use super::refusal::Refusal;
use crate::contract::error::{Error, Result};

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        read(text).map_err(|refusal| refusal.error("use", text))
    }
}

/// Parses `text`.
pub(super) fn read(text: &str) -> Result<Endpoint, Refusal> {
    let (written, rest) = text.split_once("://").ok_or_else(|| no_scheme(text))?;
    let scheme = scheme(written)?;
    if let Some(kind) = Kind::of(&scheme) {
        return own::read(kind, &scheme, rest, text);
    }
    let pairs = check(&split(text), text)?;
    Ok(Endpoint::made(format!("{scheme}://{rest}"), pairs))
}

/// The scheme in lower case.
pub(super) fn scheme(written: &str) -> Result<String, Refusal> {
    let scheme = written.to_ascii_lowercase();
    let well_formed = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if well_formed {
        return Ok(scheme);
    }
    Err(
        Refusal::new("a scheme is a letter, then letters, digits, '+', '-' or '.'")
            .hint(format!("those that are here are {}", own::schemes())),
    )
}

/// Checks the parts of `text`, whose scheme is not ours, and reads the query.
///
/// The text is kept as it is written, so it must not hide characters where it is shown. Apart from
/// the printable characters of ASCII, only letters and digits (of any script) may be in it
/// unencoded.
pub(super) fn check(parts: &EndpointParts<'_>, text: &str) -> Result<Pairs, Refusal> {
    let hidden = |c: &char| !c.is_ascii_graphic() && !c.is_alphanumeric();
    if let Some(found) = text.chars().find(hidden) {
        let mut encoded = String::new();
        percent::encode(found.to_string().as_bytes(), percent::QUERY, &mut encoded);
        let found = found.escape_debug();
        return Err(Refusal::new(format!("'{found}' cannot stand in it"))
            .hint(format!("write '{found}' as {encoded}")));
    }
    if text.contains('#') {
        return Err(Refusal::new("a fragment means nothing here").hint("write '#' as %23"));
    }
    if let Some(user) = parts.user {
        if user.contains('@') {
            return Err(Refusal::new("'@' stands twice before the path")
                .hint("write one that belongs to a user name or password as %40"));
        }
        percent::check(user)?;
    }
    check_host(parts.host, text)?;
    percent::check(parts.path)?;
    match parts.query {
        Some(query) => query::read(query, Flags::Allowed, text),
        None => Ok(Pairs::default()),
    }
}

/// Checks a host without its port. A `:` that is left in it is followed by a port that is not
/// valid.
fn check_host(host: &str, text: &str) -> Result<(), Refusal> {
    if let Some(inner) = host.strip_prefix('[') {
        let (inner, behind) = inner
            .split_once(']')
            .ok_or_else(|| Refusal::new("']' is missing"))?;
        bracketed(inner)?;
        return match behind.strip_prefix(':') {
            Some(port) => Err(no_port(port, text)),
            None if behind.is_empty() => Ok(()),
            None => Err(Refusal::new("only a port may stand behind ']'")),
        };
    }
    if let Some((_, port)) = host.rsplit_once(':') {
        return Err(match host.parse::<Ipv6Addr>() {
            Ok(_) => no_brackets(&shown(host, text)),
            Err(_) => no_port(port, text),
        });
    }
    if host.contains(['[', ']']) {
        return Err(Refusal::new(
            "'[' and ']' stand around an IPv6 address only",
        ));
    }
    percent::check(host)
}

/// The refusal of a port that is not valid.
fn no_port(port: &str, text: &str) -> Refusal {
    let zeros = port.starts_with('0') && port.bytes().all(|b| b.is_ascii_digit());
    match zeros {
        true => Refusal::new(format!("port '{port}' begins with 0")).hint("write it without"),
        false => no_number(port, text),
    }
}

/// The refusal of a text without `://`, with a hint how to write it.
fn no_scheme(text: &str) -> Refusal {
    let (before, after) = text.split_once(':').unwrap_or((text, ""));
    let scheme = before.to_ascii_lowercase();
    if let Some(kind) = Kind::of(&scheme) {
        // Only a path may begin with a slash.
        let after = match kind {
            Kind::Internet => after.trim_start_matches('/'),
            Kind::Local | Kind::Name => after,
        };
        let after = shown(after, text);
        return Refusal::new("'://' is missing behind the scheme")
            .hint(format!("write {scheme}://{after}"));
    }
    let scheme = match address(text, text) {
        _ if text.starts_with(['/', '.']) => "unix",
        Ok(_) => "tcp",
        Err(_) => {
            return Refusal::new("it has no scheme")
                .hint("write tcp://127.0.0.1:9000, say, or unix:///run/app.sock");
        }
    };
    let text_shown = shown(text, text);
    Refusal::new("it has no scheme").hint(format!("write {scheme}://{text_shown}"))
}
