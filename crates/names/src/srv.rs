//! The layer whose URLs name a service.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use socketry_transport::{Layer, Registry, Resolve, Transport};

use crate::order::STEP;
use crate::transport::SrvTransport;

/// The transports of [`Srv::register`].
const USUAL: [&str; 4] = ["tcp", "tls", "quic", "udp"];

/// What stands behind the scheme of the transport inside.
pub(crate) const SUFFIX: &str = "+srv";

/// Connects to a service, whose servers are in the DNS (SRV records, RFC 2782): a
/// [layer](socketry_transport::Layer) over any transport whose addresses are hosts and ports.
///
/// Its scheme is that of the transport inside with `+srv`. It goes over everything else, TLS and
/// proxies too: `tls+srv://_chat._tcp.example` connects with `tls://`, to the host and port of a
/// record. See the [page of this crate](crate) for what it does with the records.
///
/// ```
/// use std::net::IpAddr;
/// use socketry_names::Srv;
/// use socketry_transport::{Error, ErrorKind, Listener, Registry, Resolve, Result, Service, async_trait};
///
/// /// Knows one service: what a DNS server would say.
/// #[derive(Debug)]
/// struct Known(u16);
///
/// #[async_trait]
/// impl Resolve for Known {
///     async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>> {
///         Err(Error::new(ErrorKind::NotFound, "resolve", host))
///     }
///     async fn services(&self, _: &str) -> Result<Vec<Service>> {
///         let target = "localhost".to_owned();
///         Ok(vec![Service { priority: 1, weight: 1, port: self.0, target }])
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let mut server = socketry_transport::listen("tcp://127.0.0.1:0").await?;
/// let port = server.local().port().unwrap_or_default();
/// let registry = Srv::new(Known(port)).register(Registry::standard());
/// let _client = registry.connect("tcp+srv://_chat._tcp.example").await?;
/// server.accept().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Srv {
    pub(crate) names: Arc<dyn Resolve>,
    state: Arc<AtomicU64>,
}

impl Srv {
    /// The records are those that `names` has.
    pub fn new(names: impl Resolve) -> Self {
        let random = RandomState::new().build_hasher().finish();
        Srv {
            names: Arc::new(names),
            state: Arc::new(AtomicU64::new(random)),
        }
    }

    /// The same, where `seed` decides in which order the servers of one priority are tried by each
    /// connect. By default chance does.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.state = Arc::new(AtomicU64::new(seed));
        self
    }

    /// `registry` with this over its `tcp`, `tls`, `quic` and `udp`, where it has those, as
    /// `tcp+srv` and so on. They are registered before.
    ///
    /// `ws` and `wss` are not among them: HTTP has no services (RFC 9110, section 4.3.3), and a
    /// page in a browser could not connect so.
    #[must_use]
    pub fn register(&self, registry: Registry) -> Registry {
        USUAL
            .into_iter()
            .fold(registry, |registry, scheme| match registry.get(scheme) {
                Some(inner) => registry.with(&format!("{scheme}{SUFFIX}"), self.layer(inner)),
                None => registry,
            })
    }

    /// The seed of one connect.
    pub(crate) fn next_seed(&self) -> u64 {
        // Each gets numbers of the sequence that no other one gets soon.
        self.state.fetch_add(STEP.wrapping_mul(1 << 32), Relaxed)
    }
}

impl<T: Transport> Layer<T> for Srv {
    type Transport = SrvTransport<T>;

    fn layer(&self, inner: T) -> SrvTransport<T> {
        let srv = self.clone();
        SrvTransport { inner, srv }
    }
}
