//! The layer of clients that connect through proxies.

mod chain;
mod hop;
mod http;
mod rules;
mod send;
mod socks5;
mod transport;
mod wire;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{Layer, Registry, Resolve, Result, SystemResolver, Transport};

use crate::error::ProxyError;
pub use hop::Hop;
use rules::Rules;
pub use send::ViaSend;
pub use transport::ViaTransport;

/// How long connecting through all proxies may take, unless the URL (`connect_timeout`) or
/// [`Via::deadline`] says otherwise: 30 seconds.
const DEADLINE: Duration = Duration::from_secs(30);

/// The most proxies in a chain.
const MOST_HOPS: usize = 8;

/// Clients that connect through proxies: a [layer](socketry_transport::Layer) over any stream
/// transport whose addresses are hosts and ports. Servers listen as without it.
///
/// It goes below the transport that encrypts, so that TLS is spoken with the server and not with a
/// proxy: [`register`](Via::register) is called before that of TLS.
///
/// The URL of a connect names the proxies, in the order in which they are passed:
/// `tcp://server:9000?via=socks5://first:1080&via=http://second:3128`. [`Hop`] has their forms.
/// `via=direct` is no proxy, whatever was set in code or in the environment. In a URL of `tcp`, `?`
/// and `=` of a proxy's own query may be written as they are; an `&` is `%26`.
///
/// # What gets lost on the way
///
/// A proxy makes an orderly end of a reset, and many lose a half-close: some answer it for the
/// server, and some break the connection off. The guide has a table. Over a proxy, use a codec with
/// frame boundaries and a message that is the last.
#[derive(Clone)]
pub struct Via {
    hops: Vec<Hop>,
    rules: Option<Rules>,
    deadline: Duration,
    names: Arc<dyn Resolve>,
}

impl Default for Via {
    fn default() -> Self {
        Self::new()
    }
}

impl Via {
    /// The URL of a connect says which proxies there are, and no others are used. The environment
    /// is not asked.
    pub fn new() -> Self {
        Via {
            hops: Vec::new(),
            rules: None,
            deadline: DEADLINE,
            names: Arc::new(SystemResolver),
        }
    }

    /// Where the URL says nothing: the proxy that the environment of this process names now
    /// (`ALL_PROXY`, which may have a password in it, and without a scheme is `http://`), but for
    /// the servers that `NO_PROXY` has. The forms in lower case come first.
    ///
    /// `NO_PROXY` is a list, separated by commas or spaces, of names (each with all names below
    /// it), addresses, networks such as `10.0.0.0/8`, or `*`, each perhaps with `:port` (and IPv6
    /// then in brackets). Networks are compared with addresses in URLs; no name is resolved for it.
    ///
    /// # Errors
    /// [`InvalidOption`](socketry_transport::ErrorKind::InvalidOption) if `ALL_PROXY` is no proxy.
    pub fn from_environment() -> std::result::Result<Self, ProxyError> {
        Via::from_variables(|name| std::env::var(name).ok())
    }

    /// The same with variables from elsewhere.
    ///
    /// # Errors
    /// As [`from_environment`](Via::from_environment).
    pub fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> std::result::Result<Self, ProxyError> {
        let rules = Rules::read(variable)?;
        Ok(Via {
            rules,
            ..Via::new()
        })
    }

    /// One more proxy, behind those before, where the URL says nothing. At most 8 are passed.
    #[must_use]
    pub fn through(mut self, hop: Hop) -> Self {
        self.hops.push(hop);
        self
    }

    /// How long connecting may take, through all proxies, where the URL has no `connect_timeout`;
    /// default 30 seconds.
    #[must_use]
    pub fn deadline(mut self, time: Duration) -> Self {
        self.deadline = time;
        self
    }

    /// The same, where `names` knows the addresses of the servers behind a proxy of `socks5://`; by
    /// default the system does. That of the transport inside knows the first proxy's. `socks5h://`
    /// and `http://` proxies resolve names by themselves.
    #[must_use]
    pub fn resolver(mut self, names: impl Resolve) -> Self {
        self.names = Arc::new(names);
        self
    }

    /// `registry` with this over its `tcp`.
    ///
    /// # Errors
    /// [`UnknownScheme`](socketry_transport::ErrorKind::UnknownScheme) if it has no `tcp`.
    pub fn register(&self, registry: Registry) -> Result<Registry> {
        registry.layer("tcp", self.clone())
    }
}

impl<T: Transport> Layer<T> for Via {
    type Transport = ViaTransport<T>;

    fn layer(&self, inner: T) -> ViaTransport<T> {
        ViaTransport::new(inner, self.clone())
    }
}

impl fmt::Debug for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Via")
            .field("hops", &self.hops)
            .field("rules", &self.rules)
            .field("deadline", &self.deadline)
            .finish()
    }
}

/// That a socket goes through proxies: in its [`Info`](socketry_transport::Info).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    proxies: Vec<String>,
    seen_as: Option<SocketAddr>,
}

impl Passed {
    /// The proxies, in the order in which they are passed, without user names.
    pub fn proxies(&self) -> &[String] {
        &self.proxies
    }

    /// The address from which the last proxy connects to the server, if the proxy says so: what the
    /// server sees as its peer. SOCKS5 has room for it, and many proxies leave it empty.
    pub fn seen_as(&self) -> Option<SocketAddr> {
        self.seen_as
    }
}

/// What a proxy is to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Ip(SocketAddr),
    Name(String, u16),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Ip(address) => write!(f, "{address}"),
            Target::Name(name, port) => write!(f, "{name}:{port}"),
        }
    }
}
