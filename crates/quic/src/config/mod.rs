//! How QUIC is spoken: what is set in code.

mod congestion;
mod limits;
mod url;

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use quinn::VarInt;
use socketry_tls::Tls;
use socketry_transport::{
    BoxFuture, DatagramSocket, Endpoint, Keys, MuxTransport, Registry, Resolve, Result, Streams,
    SystemResolver, async_trait,
};

use crate::client;
use crate::connection::QuicConnection;
use crate::listener::{self, QuicListener};
use crate::tokens::Tokens;
pub use congestion::Congestion;
pub use limits::QuicLimits;
pub(crate) use url::{Asked, udp};

/// Binds the datagram socket below a connection or a listener.
pub(crate) type Bind =
    Arc<dyn Fn(Endpoint) -> BoxFuture<'static, Result<Arc<dyn DatagramSocket>>> + Send + Sync>;

/// QUIC, for clients and for servers. Clones share the tokens of servers.
///
/// A client needs nothing: it trusts the authorities of the system. A server needs an
/// [identity](Tls::identity), or a URL that names one. See the [page of this crate](crate).
#[derive(Clone)]
pub struct Quic {
    tls: Tls,
    limits: QuicLimits,
    bind: Option<Bind>,
    names: Arc<dyn Resolve>,
    tokens: Tokens,
}

impl Default for Quic {
    fn default() -> Self {
        Quic {
            tls: Tls::default(),
            limits: QuicLimits::default(),
            bind: None,
            names: Arc::new(SystemResolver),
            tokens: Tokens::default(),
        }
    }
}

impl Quic {
    /// The defaults: no certificate of its own, the authorities of the system.
    pub fn new() -> Self {
        Self::default()
    }

    /// The certificates, trust and protocols.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The limits. What a URL says comes before them.
    #[must_use]
    pub fn limits(mut self, limits: QuicLimits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, where `names` knows the addresses of hosts; by default the system does.
    #[must_use]
    pub fn resolver(mut self, names: impl Resolve) -> Self {
        self.names = Arc::new(names);
        self
    }

    /// Over datagram sockets of another kind than the kernel's UDP: `bind` is asked for one for
    /// each listener, with its endpoint, and for each connection, with the wildcard address of the
    /// server's family and port 0. Their peers must be IP addresses.
    ///
    /// A client whose socket is of this kind learns late that nobody listens: when its handshake
    /// takes too long.
    ///
    /// ```
    /// use socketry_quic::Quic;
    /// use socketry_transport::UdpTransport;
    ///
    /// let quic = Quic::new().over(|at| async move {
    ///     let at = at.with_scheme("udp")?.without_query();
    ///     UdpTransport::default().bind(&at).await
    /// });
    /// # drop(quic);
    /// ```
    #[must_use]
    pub fn over<F, Fut, D>(mut self, bind: F) -> Self
    where
        F: Fn(Endpoint) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<D>> + Send + 'static,
        D: DatagramSocket,
    {
        self.bind = Some(Arc::new(move |at| {
            let binding = bind(at);
            Box::pin(async move { Ok(Arc::new(binding.await?) as Arc<dyn DatagramSocket>) })
        }));
        self
    }

    /// `registry` with `quic`, of which each socket is a stream on a connection of its own.
    ///
    /// So a socket has limits, an end and a fate of its own, as over TCP, and one that is slow or
    /// aborted touches no other. Who wants many streams on a connection uses this transport itself.
    #[must_use]
    pub fn register(&self, registry: Registry) -> Registry {
        registry.with("quic", Streams::new(self.clone()))
    }

    /// The TLS of it.
    pub(crate) fn tls_config(&self) -> &Tls {
        &self.tls
    }

    pub(crate) fn default_limits(&self) -> QuicLimits {
        self.limits
    }

    pub(crate) fn binding(&self) -> Option<&Bind> {
        self.bind.as_ref()
    }

    pub(crate) fn names(&self) -> &dyn Resolve {
        &*self.names
    }

    pub(crate) fn tokens(&self) -> &Tokens {
        &self.tokens
    }
}

/// `number`, or the largest that QUIC can write.
pub(crate) fn varint(number: u64) -> VarInt {
    VarInt::from_u64(number).unwrap_or(VarInt::MAX)
}

#[async_trait]
impl MuxTransport for Quic {
    type Connection = QuicConnection;
    type Listener = QuicListener;

    fn keys(&self) -> Keys {
        url::keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<QuicConnection> {
        client::connect(self, to).await
    }

    async fn listen(&self, at: &Endpoint) -> Result<QuicListener> {
        listener::listen(self, at).await
    }
}

impl fmt::Debug for Quic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quic")
            .field("tls", &self.tls)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
