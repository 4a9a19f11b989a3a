//! Hosts and ports: their grammar, and words for those that are wrong.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

use super::parts::{EndpointParts, host_and_port};
use super::percent::checked;
use super::redacted::shown;
use super::refusal::Refusal;
use super::{Address, Endpoint};
use crate::contract::error::Result;

impl Endpoint {
    /// Host and port, for a transport that needs both. If one is missing, the error has the same
    /// words as that of `tcp`. The host is decoded as by [`host`](Endpoint::host).
    ///
    /// ```
    /// use socketry_transport::Endpoint;
    ///
    /// let at: Endpoint = "tls://example.org".parse()?;
    /// let error = at.require_host_port("connect to").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "cannot connect to tls://example.org: it has no port; \
    ///      write example.org:9000, say, or :0 to let the system choose"
    /// );
    /// # Ok::<(), socketry_transport::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidEndpoint`](crate::ErrorKind::InvalidEndpoint) if there is no host or no port, or
    /// the host is neither an address nor a name.
    pub fn require_host_port(&self, action: &'static str) -> Result<(Cow<'_, str>, u16)> {
        self.host_and_port()
            .map_err(|refusal| refusal.error(action, self.as_str()))
    }

    fn host_and_port(&self) -> Result<(Cow<'_, str>, u16), Refusal> {
        if !self.may_have_a_host() {
            return Err(Refusal::new("it has no host and port"));
        }
        let EndpointParts { host, port, .. } = self.parts();
        let port = port.ok_or_else(|| no_port(host, self.as_str()))?;
        named(host)?;
        Ok((self.host().unwrap_or_default(), port))
    }
}

/// A host that was parsed.
pub(super) enum Host<'a> {
    Ip(IpAddr),
    /// An IPv6 address in an interface's zone, which has a number or a name (RFC 6874).
    Zoned(Ipv6Addr, &'a str),
    Name(Cow<'a, str>),
}

impl Host<'_> {
    pub(super) fn at(self, port: u16) -> Address {
        match self {
            Host::Ip(ip) => Address::Ip(SocketAddr::new(ip, port)),
            Host::Zoned(ip, zone) => match zone.parse() {
                Ok(scope) => Address::Ip(SocketAddrV6::new(ip, port, 0, scope).into()),
                Err(_) => Address::Host(format!("{ip}%{zone}"), port),
            },
            Host::Name(name) => Address::Host(name.into_owned(), port),
        }
    }
}

/// Parses the text between `://` and the query of `tcp` and `udp`.
pub(super) fn address(place: &str, text: &str) -> Result<Address, Refusal> {
    let place = place.strip_suffix('/').unwrap_or(place);
    if place.contains('@') {
        return Err(Refusal::new("a user name or password means nothing here")
            .hint("leave out what stands before '@'"));
    }
    let (host, Some(port)) = host_and_port(place) else {
        return Err(no_port(place, text));
    };
    let port = number(port, text)?;
    if host.starts_with('/') {
        return Err(Refusal::new("it has no host").hint("two slashes stand before the host"));
    }
    Ok(named(host)?.at(port))
}

/// Parses a host: an IP address, or a name that can be resolved.
fn named(host: &str) -> Result<Host<'_>, Refusal> {
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner
            .strip_suffix(']')
            .ok_or_else(|| Refusal::new("']' is missing"))?;
        return bracketed(inner);
    }
    let host = checked(host)?;
    let name_like = |c: char| c.is_alphanumeric() || "-._".contains(c);
    match host.parse::<IpAddr>() {
        Ok(ip) => Ok(Host::Ip(ip)),
        Err(_) if host.is_empty() || host == "*" => Err(no_host()),
        Err(_) if host.chars().all(name_like) => Ok(Host::Name(host)),
        Err(_) => Err(Refusal::new("the host is not a name")),
    }
}

/// Parses the text in brackets: an IPv6 address, and perhaps a zone, by number or by interface
/// name.
pub(super) fn bracketed(inner: &str) -> Result<Host<'_>, Refusal> {
    let (ip, zone) = match inner.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone.strip_prefix("25").unwrap_or(zone))),
        None => (inner, None),
    };
    let ip: Ipv6Addr = ip
        .parse()
        .map_err(|_| Refusal::new("what stands in brackets is not an IPv6 address"))?;
    let zone_like = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match zone {
        None => Ok(Host::Ip(IpAddr::V6(ip))),
        Some(zone) if !zone.is_empty() && zone.chars().all(zone_like) => Ok(Host::Zoned(ip, zone)),
        Some(_) => Err(Refusal::new("the zone after '%' is not an interface")),
    }
}

/// Parses a port.
fn number(port: &str, text: &str) -> Result<u16, Refusal> {
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    let number = port.parse().ok().filter(|_| digits);
    number.ok_or_else(|| no_number(port, text))
}

pub(super) fn no_number(port: &str, text: &str) -> Refusal {
    let shown = shown(port, text);
    let refusal = Refusal::new(format!("port '{shown}' is not a number from 0 to 65535"));
    match port.contains('/') {
        true => refusal.hint("a path means nothing behind the port"),
        false => refusal,
    }
}

fn no_port(place: &str, text: &str) -> Refusal {
    let shown = shown(place, text);
    match place.parse::<Ipv6Addr>() {
        Ok(_) => no_brackets(&shown),
        Err(_) if place.is_empty() => no_host(),
        Err(_) => Refusal::new("it has no port").hint(format!(
            "write {shown}:9000, say, or :0 to let the system choose"
        )),
    }
}

pub(super) fn no_brackets(shown: &str) -> Refusal {
    Refusal::new("an IPv6 address needs brackets").hint(format!("write [{shown}]:9000, say"))
}

fn no_host() -> Refusal {
    Refusal::new("it has no host")
        .hint("write 127.0.0.1 for this machine only, 0.0.0.0 or [::] for all its addresses")
}
