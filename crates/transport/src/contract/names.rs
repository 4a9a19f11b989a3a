//! Names: the addresses of a host, and the servers of a service.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;

use crate::contract::error::{Error, ErrorKind, Result};

/// What is done while a name is resolved, as an error tells it.
const RESOLVE: &str = "resolve";

/// Where names are looked up. A transport that connects to hosts is given one: `SystemResolver`,
/// which is the default, that of `socketry-names`, which asks DNS servers by itself, or any other.
///
/// An answer has no time to live: it is used at once and then forgotten. A resolver that keeps
/// answers knows for how long they hold.
///
/// # Implementing
///
/// ```
/// use std::net::IpAddr;
/// use socketry_transport::{Error, ErrorKind, Resolve, Result, async_trait};
///
/// /// One host, and no services.
/// #[derive(Debug)]
/// struct Only(&'static str, IpAddr);
///
/// #[async_trait]
/// impl Resolve for Only {
///     async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
///         let known = host.strip_suffix('.').unwrap_or(host);
///         if let Ok(address) = host.parse() {
///             return Ok(vec![address]);
///         }
///         match known.eq_ignore_ascii_case(self.0) {
///             true => Ok(vec![self.1]),
///             false => Err(Error::new(ErrorKind::NotFound, "resolve", host)),
///         }
///     }
/// }
///
/// # #[cfg(unix)]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// use socketry_transport::{Listener, Registry};
///
/// let registry = Registry::standard_with(Only("chat.example", "127.0.0.1".parse()?));
/// let server = registry.listen("tcp://chat.example:0").await?;
/// assert_eq!(server.local().host().as_deref(), Some("127.0.0.1"));
/// # Ok(()) }
/// # #[cfg(not(unix))] fn main() {}
/// ```
///
/// The laws of `socketry_testkit` hold for each resolver. Common mistakes of implementers:
///
/// * A name without addresses gives an empty list. It is an error of the kind
///   [`NotFound`](ErrorKind::NotFound).
/// * A server that does not answer is waited for without a limit. It is an error of the kind
///   [`TimedOut`](ErrorKind::TimedOut).
/// * An answer is as long as a server wants it to be. Bound it.
/// * A name is compared by its case, or a dot at its end makes another name of it.
#[async_trait]
pub trait Resolve: fmt::Debug + Send + Sync + 'static {
    /// The addresses of `host`, at least one, in the order in which they should be tried. A host
    /// that is an address is that address.
    ///
    /// Cancel-safe: dropping the future abandons the question.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if there is no such name or it has no address,
    /// [`InvalidEndpoint`](ErrorKind::InvalidEndpoint) or `NotFound` if it cannot be one,
    /// [`TimedOut`](ErrorKind::TimedOut) if no server answers. The error names the host.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>>;

    /// The servers of the service `name`, such as `_chat._tcp.example`, as its SRV records have
    /// them (RFC 2782), at least one, in any order. A name that has one record with the target `.`
    /// gives that record.
    ///
    /// Cancel-safe: dropping the future abandons the question.
    ///
    /// # Errors
    /// As [`addresses`](Resolve::addresses). [`Unsupported`](ErrorKind::Unsupported) if the
    /// resolver has no services, which is what this method does if it is not implemented.
    async fn services(&self, name: &str) -> Result<Vec<Service>> {
        Err(Error::new(ErrorKind::Unsupported, RESOLVE, name)
            .because("this resolver has the addresses of hosts, and no SRV records of services")
            .hint("the crate socketry-names with its feature hickory has one that does"))
    }
}

#[async_trait]
impl<R: Resolve + ?Sized> Resolve for Arc<R> {
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
        (**self).addresses(host).await
    }
    async fn services(&self, name: &str) -> Result<Vec<Service>> {
        (**self).services(name).await
    }
}

/// A server of a service: one SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Service {
    /// Servers with the smallest number are tried first.
    pub priority: u16,
    /// The share of clients that this one gets among those of its priority.
    pub weight: u16,
    /// Where it listens.
    pub port: u16,
    /// Its host, an absolute name: it ends in a dot. A single dot says that the service is
    /// decidedly not to be had at this domain.
    pub target: String,
}

/// The error of a name that is not there.
pub(crate) fn not_found(host: &str, reason: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, RESOLVE, host).because(reason);
    match host.is_ascii() {
        true => error.hint("check the spelling of the host name"),
        false => error.hint("a name with other letters has a form in ASCII, xn--…: write that"),
    }
}
