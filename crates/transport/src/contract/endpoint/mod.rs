//! The place of a socket: a scheme, an address of any kind, and options, written as one URL.

mod address;
mod convert;
mod grammar;
mod host;
mod own;
mod parts;
mod percent;
mod query;
mod redacted;
mod refusal;
#[cfg(test)]
mod tests;
mod views;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub use address::Address;
use own::Kind;
pub use parts::EndpointParts;
use parts::scheme_and_rest;
use query::Pairs;
pub(crate) use redacted::redacted;
use refusal::Refusal;

use crate::contract::error::Result;

/// One end of a connection: `scheme://address?key=value&…`.
///
/// | form | meaning |
/// |---|---|
/// | `tcp://host:port`, `udp://host:port` | a name, an IPv4 address, or an IPv6 address in brackets |
/// | `unix:///path`, `unix-dgram:///path`, `unix-seqpacket:///path` | a socket in the file system; `unix://path` is relative to the working directory |
/// | `unix://@name`, `unix-dgram://@name`, `unix-seqpacket://@name` | a name in Linux' abstract space, which leaves no file |
/// | `mem://name` | inside this process |
/// | `scheme://user@host:port/path?query` | any other scheme, for a transport that is registered for it; each part but the scheme may be absent |
///
/// Any other scheme may have an address of any kind: the views [`host`](Endpoint::host),
/// [`port`](Endpoint::port), [`socket_addr`](Endpoint::socket_addr),
/// [`socket_path`](Endpoint::socket_path), [`abstract_name`](Endpoint::abstract_name) and
/// [`name`](Endpoint::name) read it as each of these kinds, and its transport knows which of them
/// it wants. [`Endpoint::new`] makes an endpoint from an address of any kind, and
/// [`Endpoint::from_parts`] from parts.
///
/// Bytes that have a meaning in a URL are written as `%XX` (RFC 3986). **The text is kept**: the
/// scheme is put into lower case, and all the rest is printed as it was written. Only the schemes
/// of this crate, which have one way to write each address, are rewritten in that way. Parsing a
/// printed endpoint gives the same endpoint.
///
/// The query is read once. The transport says which of its keys are options, and whether others
/// belong to the URL. This is checked when the endpoint is used.
/// [`SocketOptions`](crate::SocketOptions) has the options of this crate. A key without `=` has an
/// empty value, but the schemes of this crate refuse such a key.
///
/// Two endpoints are equal, and hashed alike, if their texts are the same. A clone is cheap, since
/// all clones share one text.
///
/// ```
/// use socketry_transport::Endpoint;
///
/// let at: Endpoint = "tcp://[::1]:9000?nodelay=true&recv_buffer=1MiB".parse()?;
/// assert_eq!(at.scheme(), "tcp");
/// assert_eq!(at.host_port(), Some(("::1".into(), 9000)));
/// assert_eq!(at.query().next(), Some(("nodelay", "true")));
///
/// let at: Endpoint = "wss://example.org/a%2Fb?room=x%20y&quiet".parse()?;
/// assert_eq!(at.to_string(), "wss://example.org/a%2Fb?room=x%20y&quiet");
/// assert_eq!((at.host(), at.port()), (Some("example.org".into()), None));
/// assert_eq!(at.raw_path(), "/a%2Fb");
/// assert_eq!(at.query().collect::<Vec<_>>(), [("room", "x y"), ("quiet", "")]);
/// # Ok::<(), socketry_transport::Error>(())
/// ```
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

/// The text, in which every part is found again, and the decoded query, which cannot be borrowed
/// from it.
struct Inner {
    text: Box<str>,
    query: Pairs,
}

impl Endpoint {
    /// `scheme` at an `address` of any kind, without a query. Each scheme of this crate has one
    /// kind of address.
    ///
    /// # Errors
    /// [`InvalidEndpoint`](crate::ErrorKind::InvalidEndpoint) if the scheme is not valid (RFC 3986:
    /// a letter, then letters, digits, `+`, `-`, `.`), if the address does not belong to it, or if
    /// the address is not valid: an empty host or path, a path with a NUL byte. A
    /// [`Host`](Address::Host) that is the text of an IP address becomes an [`Ip`](Address::Ip).
    ///
    /// ```
    /// use socketry_transport::{Address, Endpoint};
    ///
    /// let at = Endpoint::new("udp", std::net::SocketAddr::from(([127, 0, 0, 1], 9000)))?;
    /// assert_eq!(at.to_string(), "udp://127.0.0.1:9000");
    /// let at = Endpoint::new("unix-dgram", std::path::Path::new("/run/app.sock"))?;
    /// assert_eq!(at.to_string(), "unix-dgram:///run/app.sock");
    /// let at = Endpoint::new("tls", ("::1", 443))?;
    /// assert_eq!(at.to_string(), "tls://[::1]:443");
    /// let at = Endpoint::new("serial", Address::Name("COM1: left/right".into()))?;
    /// assert_eq!(at.to_string(), "serial://COM1%3A%20left%2Fright");
    /// # Ok::<(), socketry_transport::Error>(())
    /// ```
    pub fn new(scheme: &str, address: impl Into<Address>) -> Result<Self> {
        Endpoint::of(scheme, address.into()).map_err(|(refusal, text)| refusal.error("use", &text))
    }

    fn of(scheme: &str, address: Address) -> Result<Self, (Refusal, String)> {
        let scheme = grammar::scheme(scheme).map_err(|refusal| (refusal, scheme.to_owned()))?;
        let address = match address {
            Address::Host(host, port) => Address::from((host, port)),
            Address::Ip(address) => Address::from(address),
            address => address,
        };
        let text = address.text(&scheme);
        // An address is valid only if its text can be parsed again and gives the same address.
        match grammar::read(&text) {
            Ok(endpoint) if endpoint.is_at(&address) => Ok(endpoint),
            Ok(_) => {
                let reason = "the address does not belong to the scheme";
                Err((Refusal::new(reason), text))
            }
            Err(refusal) => Err((refusal, text)),
        }
    }

    /// Whether the view for addresses of this kind gives `address`.
    fn is_at(&self, address: &Address) -> bool {
        match address {
            Address::Ip(address) => self.socket_addr() == Some(*address),
            Address::Host(host, port) => self.host_port() == Some((host.into(), *port)),
            Address::Path(path) => self.socket_path().is_some_and(|found| found == *path),
            Address::Abstract(name) => self.abstract_name().is_some_and(|found| found == *name),
            Address::Unnamed => self.place().is_empty(),
            Address::Name(name) => self.name().is_some_and(|found| found == *name),
        }
    }

    /// An endpoint of this crate's transports. The caller knows that the address belongs to the
    /// scheme.
    pub(crate) fn known(scheme: &'static str, address: &Address) -> Self {
        Endpoint::made(address.text(scheme), Pairs::default())
    }

    /// The endpoint with this text, whose query was read before.
    fn made(text: String, query: Pairs) -> Self {
        let text = text.into_boxed_str();
        Endpoint(Arc::new(Inner { text, query }))
    }

    /// The text before `://`, in lower case.
    pub fn scheme(&self) -> &str {
        let text = self.as_str();
        scheme_and_rest(text).map_or(text, |(scheme, _)| scheme)
    }

    /// The text, as `Display` prints it: with a user name and password, if there are some.
    /// [`redacted`](Endpoint::redacted) leaves them out.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// The same address and query for another scheme. A transport that wraps another one needs it
    /// to call that one.
    ///
    /// ```
    /// use socketry_transport::Endpoint;
    ///
    /// let at: Endpoint = "tls://example.org:443?nodelay=true".parse()?;
    /// assert_eq!(at.with_scheme("tcp")?.to_string(), "tcp://example.org:443?nodelay=true");
    /// # Ok::<(), socketry_transport::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidEndpoint`](crate::ErrorKind::InvalidEndpoint), with words for this endpoint, if the
    /// address does not belong to the other scheme: `tcp` has no user name and no path.
    pub fn with_scheme(&self, scheme: &str) -> Result<Self> {
        self.moved(scheme)
            .map_err(|refusal| refusal.error("use", self.as_str()))
    }

    fn moved(&self, scheme: &str) -> Result<Self, Refusal> {
        let scheme = grammar::scheme(scheme)?;
        let kind = Kind::of(self.scheme());
        // A path or a name of this crate's schemes may have characters with a meaning in other
        // schemes.
        let whole = matches!(kind, Some(Kind::Local | Kind::Name));
        let moved = match self.address() {
            Some(address) if whole && kind != Kind::of(&scheme) => {
                Endpoint::of(&scheme, address).map_err(|(refusal, _)| refusal)?
            }
            _ => grammar::read(&format!("{scheme}://{}", self.place()))?,
        };
        match self.raw_query() {
            Some(query) => grammar::read(&format!("{moved}?{query}")),
            None => Ok(moved),
        }
    }
}

/// By the text.
impl PartialEq for Endpoint {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.as_str() == other.as_str()
    }
}

impl Eq for Endpoint {}

/// By the text.
impl Hash for Endpoint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

/// The text, with a user name and password, if there are some.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
