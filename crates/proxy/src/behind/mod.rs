//! The layer of servers behind a balancer.

mod guard;
mod read;
mod sources;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{Info, Layer, Registry, Result, Transport, UpgradeFailure, UpgradeLimits};

use crate::header::{Header, LONGEST_V2};
pub use guard::BehindRecv;
pub use sources::Sources;
pub use transport::{BehindListener, BehindTransport};

/// How long a balancer may take to send its header, unless [`Behind::limits`] says otherwise: 5
/// seconds. It sends it at once; at least 3 seconds let TCP repeat a lost segment (section 2).
const DEADLINE: Duration = Duration::from_secs(5);

type Observer = Arc<dyn Fn(&UpgradeFailure<'_>) + Send + Sync>;

/// Servers behind a balancer that sends a PROXY header before each connection: a
/// [layer](socketry_transport::Layer) over any stream transport. Clients connect as without it.
///
/// It goes below the transport that encrypts, since the header comes before the handshake:
/// [`register`](Behind::register) is called before that of TLS.
///
/// A connection from a [trusted source](Sources) must begin with a header, and each header has its
/// deadline. The peer of the socket then is the client of the balancer, and [`Forwarded`] in its
/// [`Info`] has the rest. Where the header tells no client
/// ([`Origin::Local`](crate::Origin::Local), [`Origin::Unknown`](crate::Origin::Unknown)), the
/// socket keeps its own peer. A reset of such a connection before its first byte is an end, since
/// that is how a balancer ends a check; and of one whose client is the balancer itself, as HAProxy
/// tells its checks in version 1.
///
/// A connection from another source has no header, and is served as it is. If it sends one all the
/// same, receiving fails: it tries to be another client, or a balancer is missing among the
/// sources.
#[derive(Clone)]
pub struct Behind {
    trusted: Option<Sources>,
    only: bool,
    longest: usize,
    limits: UpgradeLimits,
    observer: Option<Observer>,
}

impl Default for Behind {
    fn default() -> Self {
        Self::new()
    }
}

impl Behind {
    /// The URL of a listener says which sources are trusted, with `proxy_from`. Where it says
    /// nothing, no headers are expected.
    pub fn new() -> Self {
        Behind {
            trusted: None,
            only: false,
            longest: LONGEST_V2,
            limits: UpgradeLimits {
                deadline: DEADLINE,
                ..UpgradeLimits::default()
            },
            observer: None,
        }
    }

    /// The sources that are trusted where the URL names none.
    #[must_use]
    pub fn trust(mut self, sources: Sources) -> Self {
        self.trusted = Some(sources);
        self
    }

    /// Whether connections from other sources are refused. Default: no.
    #[must_use]
    pub fn only_trusted(mut self, only: bool) -> Self {
        self.only = only;
        self
    }

    /// The longest header of version 2 that is taken, in bytes; default [`LONGEST_V2`].
    #[must_use]
    pub fn longest(mut self, bytes: usize) -> Self {
        self.longest = bytes;
        self
    }

    /// How many connections may wait for their header at once, and how long each; by default 2,048,
    /// and 5 seconds.
    #[must_use]
    pub fn limits(mut self, limits: UpgradeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Calls `observer` for each connection that is refused. It must not block.
    #[must_use]
    pub fn on_failure(
        mut self,
        observer: impl Fn(&UpgradeFailure<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// `registry` with this over its `tcp` and its `unix`, where it has those.
    ///
    /// # Errors
    /// None that a registry's own schemes can cause.
    pub fn register(&self, registry: Registry) -> Result<Registry> {
        crate::over_streams(registry, self)
    }
}

impl<T: Transport> Layer<T> for Behind {
    type Transport = BehindTransport<T>;

    fn layer(&self, inner: T) -> BehindTransport<T> {
        BehindTransport::new(inner, self.clone())
    }
}

impl fmt::Debug for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Behind")
            .field("trusted", &self.trusted)
            .field("only", &self.only)
            .field("longest", &self.longest)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// That a connection came through a balancer: in the [`Info`] of its socket.
///
/// If the header tells a client, that `Info` is a new one. What the transport inside knew of its
/// peer, such as [`Credentials`](socketry_transport::Credentials), is true of the balancer and not
/// of the client: it is only here.
#[derive(Clone, Debug)]
pub struct Forwarded {
    header: Header,
    balancer: Info,
}

impl Forwarded {
    /// What the balancer said.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The socket to the balancer, as it was without this layer: its peer is the balancer.
    pub fn balancer(&self) -> &Info {
        &self.balancer
    }
}
