//! Where a socket is: a scheme, an address, and options, written as one URL.

mod convert;
mod redacted;

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

pub(crate) use redacted::redacted;
use redacted::shown;

use crate::contract::error::{Error, ErrorKind, Result};

/// Everything but the characters that stand for themselves in a path or a name.
const ADDRESS: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/')
    .remove(b':')
    .remove(b'+')
    .remove(b',')
    .remove(b'[')
    .remove(b']');
/// The same for a third party's address, where an '@' may end a user name.
const NAME: &AsciiSet = &ADDRESS.remove(b'@');
/// The same for a query's keys and values.
const QUERY: &AsciiSet = &NAME.remove(b'*');

/// One end of a conversation: `scheme://address?key=value&…`.
///
/// | form | meaning |
/// |---|---|
/// | `tcp://host:port`, `udp://host:port` | a name, an IPv4 address, or an IPv6 address in brackets |
/// | `unix:///path`, `unix-dgram:///path` | a socket in the file system; `unix://path` is relative to the working directory |
/// | `unix://@name`, `unix-dgram://@name` | a name in Linux' abstract space, which leaves no file |
/// | `mem://name` | inside this process |
/// | any other scheme | kept as it is, for the transport that somebody registers for it |
///
/// Bytes that have a meaning in a URL are written as `%XX` (RFC 3986). Parsing what was printed gives the same
/// endpoint. Keys of the query are options, see [`SocketOptions`](crate::SocketOptions); which of them a transport
/// takes is checked when it is used.
///
/// ```
/// use socketry_transport::{Address, Endpoint};
///
/// let at: Endpoint = "tcp://[::1]:9000?nodelay=true&recv_buffer=1MiB".parse()?;
/// assert_eq!(at.scheme(), "tcp");
/// assert_eq!(at.host_port(), Some(("::1".into(), 9000)));
/// assert_eq!(at.query().next(), Some(("nodelay", "true")));
/// assert_eq!(at.to_string().parse::<Endpoint>()?, at);
/// # Ok::<(), socketry_transport::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    scheme: Cow<'static, str>,
    address: Address,
    query: Vec<(String, String)>,
}

/// The part of an [`Endpoint`] between the scheme and the query.
///
/// `{:?}` leaves out what may be a password, as [`Endpoint::redacted`] does.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Address {
    /// An address that needs no resolver.
    Ip(SocketAddr),
    /// A host name and a port.
    Host(String, u16),
    /// A socket in the file system.
    Path(PathBuf),
    /// A name in Linux' abstract space, as bytes, without the NUL that the kernel puts before it.
    Abstract(Vec<u8>),
    /// A Unix socket that nobody bound: what a server sees of most clients.
    Unnamed,
    /// What `mem` and third parties' schemes mean by it, decoded.
    Name(String),
}

impl Endpoint {
    /// `scheme` at `address`, without options.
    ///
    /// # Errors
    /// [`InvalidEndpoint`](ErrorKind::InvalidEndpoint) if the scheme is not one (RFC 3986: a letter, then letters,
    /// digits, `+`, `-`, `.`) or the address does not belong to it. A [`Host`](Address::Host) that is the text of an
    /// address becomes [`Ip`](Address::Ip).
    ///
    /// ```
    /// use socketry_transport::Endpoint;
    ///
    /// let at = Endpoint::new("udp", std::net::SocketAddr::from(([127, 0, 0, 1], 9000)))?;
    /// assert_eq!(at.to_string(), "udp://127.0.0.1:9000");
    /// let at = Endpoint::new("unix-dgram", std::path::Path::new("/run/app.sock"))?;
    /// assert_eq!(at.to_string(), "unix-dgram:///run/app.sock");
    /// # Ok::<(), socketry_transport::Error>(())
    /// ```
    pub fn new(scheme: &str, address: impl Into<Address>) -> Result<Self> {
        let endpoint = Endpoint {
            scheme: parse_scheme(scheme, scheme)?,
            address: address.into(),
            query: Vec::new(),
        };
        // What prints and parses to something else is not an endpoint: one law, checked by the law itself.
        let text = endpoint.to_string();
        let parsed: Endpoint = text.parse()?;
        match (&endpoint.address, &parsed.address) {
            (Address::Host(..), Address::Ip(_)) => Ok(parsed),
            (ours, same) if ours == same => Ok(parsed),
            _ => Err(invalid(&text, "the address does not belong to the scheme")),
        }
    }

    /// An endpoint of our own transports, whose scheme and address are known to fit.
    pub(crate) const fn known(scheme: &'static str, address: Address) -> Self {
        Endpoint {
            scheme: Cow::Borrowed(scheme),
            address,
            query: Vec::new(),
        }
    }

    /// The text before `://`, in lower case.
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The IP address and port, where it needs no resolver.
    pub fn socket_addr(&self) -> Option<SocketAddr> {
        match self.address {
            Address::Ip(address) => Some(address),
            _ => None,
        }
    }

    /// The path of a Unix socket in the file system.
    pub fn path(&self) -> Option<&Path> {
        match &self.address {
            Address::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Host and port; for a third party's scheme, where its address reads like one.
    pub fn host_port(&self) -> Option<(Cow<'_, str>, u16)> {
        match &self.address {
            Address::Ip(address) => Some((Cow::Owned(host_text(address)), address.port())),
            Address::Host(host, port) => Some((Cow::Borrowed(host), *port)),
            Address::Name(name) => match host_address(name, name).ok()? {
                Address::Ip(address) => Some((Cow::Owned(host_text(&address)), address.port())),
                Address::Host(host, port) => Some((Cow::Owned(host), port)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The options, in the order in which they were written.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The endpoint as it may be shown: without what may be a password, before an `@` in a third party's address.
    pub fn redacted(&self) -> impl fmt::Display {
        redacted(&self.to_string())
    }

    /// The same with one more option.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.query.push((key.to_owned(), value.to_string()));
        self
    }

    /// The same without options: where it is, and nothing of how to get there.
    #[must_use]
    pub fn without_query(mut self) -> Self {
        self.query.clear();
        self
    }
}

fn host_text(address: &SocketAddr) -> String {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        _ => address.ip().to_string(),
    }
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| no_scheme(text))?;
        let scheme = parse_scheme(scheme, text)?;
        let (address, query) = match rest.split_once('?') {
            Some((address, query)) => (address, parse_query(query, text)?),
            None => (rest, Vec::new()),
        };
        if rest.contains('#') {
            return Err(invalid(text, "a fragment means nothing here").hint("write '#' as %23"));
        }
        let address = match &*scheme {
            "tcp" | "udp" => host_address(address, text)?,
            "unix" | "unix-dgram" => unix_address(address, text)?,
            _ => name_address(address, text)?,
        };
        Ok(Endpoint {
            scheme,
            address,
            query,
        })
    }
}

fn invalid(text: &str, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidEndpoint, "use", text).because(reason)
}

/// What stands there instead of a scheme and `://`, and how it is to be written.
fn no_scheme(text: &str) -> Error {
    let (before, after) = text.split_once(':').unwrap_or((text, ""));
    let scheme = before.to_ascii_lowercase();
    if KNOWN.contains(&scheme.as_str()) {
        // Only a path may begin with a slash.
        let after = match &*scheme {
            "tcp" | "udp" => after.trim_start_matches('/'),
            _ => after,
        };
        let after = shown(after, text);
        return invalid(text, "'://' is missing behind the scheme")
            .hint(format!("write {scheme}://{after}"));
    }
    let scheme = match host_address(text, text) {
        _ if text.starts_with(['/', '.']) => "unix",
        Ok(_) => "tcp",
        Err(_) => {
            return invalid(text, "it has no scheme")
                .hint("write tcp://127.0.0.1:9000, say, or unix:///run/app.sock");
        }
    };
    let text_shown = shown(text, text);
    invalid(text, "it has no scheme").hint(format!("write {scheme}://{text_shown}"))
}

/// The schemes of our own transports.
const KNOWN: [&str; 5] = ["tcp", "udp", "unix", "unix-dgram", "mem"];

fn parse_scheme(scheme: &str, text: &str) -> Result<Cow<'static, str>> {
    let scheme = scheme.to_ascii_lowercase();
    if let Some(known) = KNOWN.iter().find(|k| **k == scheme) {
        return Ok(Cow::Borrowed(known));
    }
    let well_formed = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if well_formed {
        Ok(Cow::Owned(scheme))
    } else {
        Err(invalid(
            text,
            "a scheme is a letter, then letters, digits, '+', '-' or '.'",
        )
        .hint(format!("those that are here are {}", KNOWN.join(", "))))
    }
}

fn parse_query(query: &str, text: &str) -> Result<Vec<(String, String)>> {
    let mut pairs = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            let pair = shown(pair, text);
            invalid(text, &format!("option '{pair}' has no value"))
                .hint(format!("write {pair}=true, say"))
        })?;
        pairs.push((decoded(key, text)?, decoded(value, text)?));
    }
    Ok(pairs)
}

/// Percent-decoded bytes; a `%` that begins no `%XX` is an error, not a guess.
fn decoded_bytes(part: &str, text: &str) -> Result<Vec<u8>> {
    for (at, _) in part.match_indices('%') {
        let hex = part.as_bytes().get(at + 1..at + 3);
        if !hex.is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
            return Err(
                invalid(text, "'%' is not followed by two hex digits").hint("write '%' as %25")
            );
        }
    }
    Ok(percent_decode_str(part).collect())
}

fn decoded(part: &str, text: &str) -> Result<String> {
    String::from_utf8(decoded_bytes(part, text)?).map_err(|_| invalid(text, "it is not UTF-8"))
}

fn host_address(part: &str, text: &str) -> Result<Address> {
    let part = part.strip_suffix('/').unwrap_or(part);
    if part.contains('@') {
        return Err(invalid(text, "a user name or password means nothing here")
            .hint("leave out what stands before '@'"));
    }
    let (host, port) = part
        .rsplit_once(':')
        .filter(|(host, _)| !host.contains(':') || host.ends_with(']'))
        .ok_or_else(|| no_port(part, text))?;
    let port = parse_port(port, text)?;
    if host.starts_with('/') {
        return Err(invalid(text, "it has no host").hint("two slashes stand before the host"));
    }
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner
            .strip_suffix(']')
            .ok_or_else(|| invalid(text, "']' is missing"))?;
        return bracketed(&inner.replacen("%25", "%", 1), port, text);
    }
    let host = decoded(host, text)?;
    let name_like = |c: char| c.is_alphanumeric() || "-._".contains(c);
    match host.parse::<IpAddr>() {
        Ok(ip) => Ok(Address::Ip(SocketAddr::new(ip, port))),
        Err(_) if host.is_empty() || host == "*" => Err(no_host(text)),
        Err(_) if host.chars().all(name_like) => Ok(Address::Host(host, port)),
        Err(_) => Err(invalid(text, "the host is not a name")),
    }
}

fn parse_port(port: &str, text: &str) -> Result<u16> {
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    port.parse().ok().filter(|_| digits).ok_or_else(|| {
        let shown = shown(port, text);
        let reason = format!("port '{shown}' is not a number from 0 to 65535");
        match port.contains('/') {
            true => invalid(text, &reason).hint("a path means nothing behind the port"),
            false => invalid(text, &reason),
        }
    })
}

fn no_port(part: &str, text: &str) -> Error {
    let shown = shown(part, text);
    match part.parse::<std::net::Ipv6Addr>() {
        Ok(_) => invalid(text, "an IPv6 address needs brackets")
            .hint(format!("write [{shown}]:9000, say")),
        Err(_) if part.is_empty() => no_host(text),
        Err(_) => invalid(text, "it has no port").hint(format!(
            "write {shown}:9000, say, or :0 to let the system choose"
        )),
    }
}

fn no_host(text: &str) -> Error {
    invalid(text, "it has no host")
        .hint("write 127.0.0.1 for this machine only, 0.0.0.0 or [::] for all its addresses")
}

/// What stands in brackets: an IPv6 address, with a zone perhaps (RFC 6874), by number or by interface name.
fn bracketed(inner: &str, port: u16, text: &str) -> Result<Address> {
    let (ip, zone) = match inner.split_once('%') {
        Some((ip, zone)) => (ip, Some(zone)),
        None => (inner, None),
    };
    let ip: std::net::Ipv6Addr = ip
        .parse()
        .map_err(|_| invalid(text, "what stands in brackets is not an IPv6 address"))?;
    let zone_like = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match zone.map(|zone| (zone, zone.parse::<u32>())) {
        None => Ok(Address::Ip(SocketAddr::new(IpAddr::V6(ip), port))),
        Some((_, Ok(scope))) => Ok(Address::Ip(
            std::net::SocketAddrV6::new(ip, port, 0, scope).into(),
        )),
        Some((zone, Err(_))) if !zone.is_empty() && zone.chars().all(zone_like) => {
            Ok(Address::Host(format!("{ip}%{zone}"), port))
        }
        Some(_) => Err(invalid(text, "the zone after '%' is not an interface")),
    }
}

fn unix_address(part: &str, text: &str) -> Result<Address> {
    let bytes = decoded_bytes(part.strip_prefix('@').unwrap_or(part), text)?;
    if part.starts_with('@') {
        return Ok(Address::Abstract(bytes));
    }
    if bytes.is_empty() {
        return Ok(Address::Unnamed);
    }
    if bytes.contains(&0) {
        return Err(invalid(text, "a path has no NUL byte")
            .hint("an abstract name is written unix://@name"));
    }
    Ok(Address::Path(PathBuf::from(std::ffi::OsString::from_vec(
        bytes,
    ))))
}

fn name_address(part: &str, text: &str) -> Result<Address> {
    let name = decoded(part, text)?;
    if name.is_empty() {
        return Err(invalid(text, "it has no name after '://'"));
    }
    Ok(Address::Name(name))
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        self.address.fmt_url(f)?;
        for (i, (key, value)) in self.query.iter().enumerate() {
            let separator = if i == 0 { '?' } else { '&' };
            let key = percent_encode(key.as_bytes(), QUERY);
            let value = percent_encode(value.as_bytes(), QUERY);
            write!(f, "{separator}{key}={value}")?;
        }
        Ok(())
    }
}

impl Address {
    fn fmt_url(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Ip(SocketAddr::V6(v6)) if v6.scope_id() != 0 => {
                write!(f, "[{}%25{}]:{}", v6.ip(), v6.scope_id(), v6.port())
            }
            Address::Ip(address) => write!(f, "{address}"),
            Address::Host(host, port) => match host.split_once('%') {
                Some((ip, zone)) => write!(f, "[{ip}%25{zone}]:{port}"),
                None => write!(f, "{host}:{port}"),
            },
            Address::Path(path) => encode(path.as_os_str().as_bytes(), ADDRESS, f),
            Address::Abstract(name) => {
                f.write_str("@")?;
                encode(name, ADDRESS, f)
            }
            Address::Unnamed => Ok(()),
            Address::Name(name) => encode(name.as_bytes(), NAME, f),
        }
    }
}

fn encode(bytes: &[u8], set: &'static AsciiSet, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}", percent_encode(bytes, set))
}

#[cfg(test)]
mod tests;
