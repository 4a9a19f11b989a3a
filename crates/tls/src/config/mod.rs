//! How TLS is spoken: the layer, before it is put over a transport.

mod build;
mod url;

use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use socketry_transport::{Endpoint, Registry, Result, UpgradeFailure, UpgradeLimits};

use crate::error::TlsError;
use crate::identity::{self, Identity};
use crate::session::lock;
use crate::trust::Trust;
pub(crate) use url::{Asked, KEYS};

/// The protocol that both ends name by default (ALPN, RFC 7301): bytes of an application of
/// socketry. So a browser, which names others, is refused in the handshake.
pub const ALPN: &[u8] = b"socketry/1";

/// How TLS is spoken, by clients and by servers: a [layer](socketry_transport::Layer).
///
/// A client needs nothing: it trusts the authorities of the system. A server needs an
/// [identity](Tls::identity). See the [page of this crate](crate) for what a URL can say instead.
#[derive(Clone)]
pub struct Tls {
    identity: Option<Identity>,
    trust: Trust,
    clients: Option<Clients>,
    name: Option<String>,
    alpn: Vec<Vec<u8>>,
    resumption: bool,
    key_log: bool,
    strict: bool,
    pub(crate) limits: UpgradeLimits,
    pub(crate) observer: Option<Observer>,
    /// The listeners that have it, and clones of it, and the identity of each.
    listening: Arc<Mutex<Vec<Listening>>>,
}

/// Where a listener is, and its identity for as long as that is in use.
type Listening = (Endpoint, Weak<identity::Inner>);

pub(crate) type Observer = Arc<dyn Fn(&UpgradeFailure<'_>) + Send + Sync>;

/// Which certificates of clients a server accepts, and whether it lets in those without.
#[derive(Clone, Debug)]
struct Clients {
    trust: Trust,
    required: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Tls {
            identity: None,
            trust: Trust::default(),
            clients: None,
            name: None,
            alpn: vec![ALPN.to_vec()],
            resumption: false,
            key_log: false,
            strict: false,
            limits: UpgradeLimits::default(),
            observer: None,
            listening: Arc::default(),
        }
    }
}

impl Tls {
    /// The defaults: no certificate of its own, the authorities of the system, [`ALPN`].
    pub fn new() -> Self {
        Self::default()
    }

    /// The certificates of this end: those of a server, or of a client for servers that ask.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Which servers a client trusts; by default those that the system trusts.
    #[must_use]
    pub fn trust(mut self, trust: Trust) -> Self {
        self.trust = trust;
        self
    }

    /// A server asks clients for a certificate, and turns away those without one. By default it
    /// does not ask. [`Trust::system`] is no trust in clients.
    #[must_use]
    pub fn require_clients(mut self, trust: Trust) -> Self {
        let required = true;
        self.clients = Some(Clients { trust, required });
        self
    }

    /// A server asks clients for a certificate, and lets in those without one; what one sends has
    /// to be trusted.
    #[must_use]
    pub fn ask_clients(mut self, trust: Trust) -> Self {
        let required = false;
        self.clients = Some(Clients { trust, required });
        self
    }

    /// The name that has to be in the server's certificate; by default the host of the URL, or
    /// `localhost` where it has none.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The protocols on offer, best first; by default [`ALPN`].
    ///
    /// If both ends offer some and none is in common, the handshake fails. A peer that offers none
    /// is let in. An empty list is refused when a socket is made: it would mean "none" over TCP and
    /// an error over QUIC.
    #[must_use]
    pub fn alpn<P: Into<Vec<u8>>>(mut self, protocols: impl IntoIterator<Item = P>) -> Self {
        self.alpn = protocols.into_iter().map(Into::into).collect();
        self
    }

    /// Whether sessions are resumed: a server sends tickets, and a client uses them. By default
    /// not: tickets that a client never reads make the kernel answer that client's close with a
    /// reset, which destroys what it sent last.
    #[must_use]
    pub fn resumption(mut self, on: bool) -> Self {
        self.resumption = on;
        self
    }

    /// Whether the secrets of each connection are written into the file that the environment
    /// variable `SSLKEYLOGFILE` names, for Wireshark and its like. By default that variable is not
    /// looked at.
    #[must_use]
    pub fn key_log(mut self, on: bool) -> Self {
        self.key_log = on;
        self
    }

    /// Whether an end of the peer's stream without a `close_notify` is an error. By default it is
    /// an end, since many peers never send one.
    #[must_use]
    pub fn require_close_notify(mut self, on: bool) -> Self {
        self.strict = on;
        self
    }

    /// How long a handshake may take; default 10 seconds. A `connect_timeout` of the URL bounds
    /// connecting with the handshake.
    #[must_use]
    pub fn handshake_timeout(mut self, time: Duration) -> Self {
        self.limits.deadline = time;
        self
    }

    /// How many handshakes a listener runs at once; default 2,048. Each holds some 7 KiB while it
    /// waits for its client, and 11 KiB once that has begun. Further clients wait in the backlog.
    #[must_use]
    pub fn handshakes_at_once(mut self, most: usize) -> Self {
        self.limits.at_once = most;
        self
    }

    /// Calls `observer` for each handshake of a listener that fails. It must not block.
    #[must_use]
    pub fn on_failure(
        mut self,
        observer: impl Fn(&UpgradeFailure<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// `registry` with `tls` over its `tcp` and `tls+unix` over its `unix`, where it has those.
    ///
    /// # Errors
    /// [`UnknownScheme`](socketry_transport::ErrorKind::UnknownScheme) if it has neither.
    pub fn register(&self, registry: Registry) -> Result<Registry> {
        if registry.get("unix").is_none() {
            return registry.layer_as("tls", "tcp", self.clone());
        }
        let registry = registry.layer_as("tls+unix", "unix", self.clone())?;
        match registry.get("tcp") {
            Some(_) => registry.layer_as("tls", "tcp", self.clone()),
            None => Ok(registry),
        }
    }

    /// Reads the files of all [identities](Identity) again: of its own, and of those that the URLs
    /// of listeners named. Handshakes from now on have what is in them.
    ///
    /// # Errors
    /// The first of [`Identity::reload`]; the others are read all the same.
    pub fn reload(&self) -> std::result::Result<(), TlsError> {
        let mut all: Vec<_> = self.identity.iter().cloned().collect();
        let listening = lock(&self.listening);
        all.extend(
            listening
                .iter()
                .filter_map(|(_, identity)| Identity::alive(identity)),
        );
        drop(listening);
        let failed = |identity: Identity| identity.reload().err();
        // All of them first, and then the error.
        let failures: Vec<_> = all.into_iter().filter_map(failed).collect();
        failures.into_iter().next().map_or(Ok(()), Err)
    }

    /// The URL for clients of a listener at `local` that has this `Tls`, or a clone of it: with the
    /// [pin](crate::Pin) of its first key. So a server can print it whose listener is erased;
    /// another one has [`TlsListener::pinned`](crate::TlsListener::pinned).
    ///
    /// ```
    /// # use socketry_tls::{Identity, Tls};
    /// # use socketry_transport::{Listener, Registry};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tls = Tls::new().identity(Identity::made(["localhost"])?);
    /// let listener = tls.register(Registry::standard())?.listen("tls://127.0.0.1:0").await?;
    /// let url = tls.pinned(listener.local()).ok_or("no listener is there")?;
    /// assert!(url.as_str().contains("?pin=sha256:"));
    /// # Ok(()) }
    /// ```
    pub fn pinned(&self, local: &Endpoint) -> Option<Endpoint> {
        let listening = lock(&self.listening);
        let here = listening.iter().rfind(|(place, _)| place == local);
        let pin = Identity::alive(&here?.1)?.pin().ok()?;
        Some(local.clone().with("pin", pin))
    }

    /// Whether a listener at `at` turns away clients without a certificate, by this `Tls` and by
    /// the query of `at`. Reads no files.
    ///
    /// ```
    /// # use socketry_tls::Tls;
    /// # fn main() -> socketry_transport::Result<()> {
    /// let tls = Tls::new();
    /// assert!(!tls.requires_clients(&"tls://[::]:9000".parse()?)?);
    /// assert!(tls.requires_clients(&"tls://[::]:9000?ca=clients.pem".parse()?)?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// If the query cannot be understood.
    pub fn requires_clients(&self, at: &Endpoint) -> Result<bool> {
        let (asked, _) = Asked::of(at)?;
        let by_default = self.clients.as_ref().map(|clients| clients.required);
        Ok(asked.requires_clients(by_default))
    }

    pub(crate) fn remember(&self, local: &Endpoint, identity: &Identity) {
        let mut listening = lock(&self.listening);
        listening.retain(|(_, one)| Identity::alive(one).is_some());
        listening.push((local.clone(), identity.downgrade()));
    }

    /// Whether an end needs a `close_notify`.
    pub(crate) fn is_strict(&self) -> bool {
        self.strict
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("identity", &self.identity)
            .field("trust", &self.trust)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}
