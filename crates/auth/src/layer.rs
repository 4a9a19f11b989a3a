//! The layer: who may connect, and what a client proves.

mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{Layer, Registry, Result, Transport, UpgradeFailure, UpgradeLimits};

use crate::authenticator::Authenticator;
pub use crate::exchange::AuthSocket;
use crate::token::Token;
pub use transport::{AuthListener, AuthTransport};

/// How long a client may be silent that would be let in without a token, unless
/// [`Auth::patience`] says otherwise.
const PATIENCE: Duration = Duration::from_secs(3);

type Observer = Arc<dyn Fn(&UpgradeFailure<'_>) + Send + Sync>;

/// Who a server lets in, and what a client proves: a [layer](socketry_transport::Layer).
///
/// It goes over the transport that encrypts, so that tokens are bound to its connections:
/// [`register`](Auth::register) is called last.
#[derive(Clone, Default)]
pub struct Auth {
    token: Option<Token>,
    authenticator: Option<Arc<dyn Authenticator>>,
    limits: UpgradeLimits,
    patience: Option<Duration>,
    observer: Option<Observer>,
}

impl Auth {
    /// Clients prove nothing. Listening fails until [`require`](Auth::require) says who is let in.
    pub fn new() -> Self {
        Self::default()
    }

    /// Clients prove this token, and refuse a server that does not prove the same one.
    #[must_use]
    pub fn token(mut self, token: Token) -> Self {
        self.token = Some(token);
        self
    }

    /// Servers let in the clients that `authenticator` accepts.
    #[must_use]
    pub fn require(mut self, authenticator: impl Authenticator) -> Self {
        self.authenticator = Some(Arc::new(authenticator));
        self
    }

    /// How many exchanges a listener runs at once, and how long each may take; by default 2,048,
    /// and 10 seconds. The deadline is that of clients, too.
    #[must_use]
    pub fn limits(mut self, limits: UpgradeLimits) -> Self {
        self.limits = limits;
        self
    }

    /// How long a client may be silent before it is let in without a token, where the authenticator
    /// accepts that; default 3 seconds. It is at most half of the deadline.
    ///
    /// A client that begins an exchange later than this is taken for a plain one.
    #[must_use]
    pub fn patience(mut self, time: Duration) -> Self {
        self.patience = Some(time);
        self
    }

    /// Calls `observer` for each client of a listener that is refused. It must not block.
    #[must_use]
    pub fn on_failure(
        mut self,
        observer: impl Fn(&UpgradeFailure<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// `registry` with this over each of its transports. Over datagrams or messages no token can be
    /// proved: a client with a token is refused there, and a server lets in whom the authenticator
    /// accepts without one.
    ///
    /// # Errors
    /// None that a registry's own schemes can cause.
    pub fn register(&self, registry: Registry) -> Result<Registry> {
        let schemes: Vec<_> = registry.schemes().map(str::to_owned).collect();
        let over = |registry: Registry, scheme: &String| registry.layer(scheme, self.clone());
        schemes.iter().try_fold(registry, over)
    }
}

impl<T: Transport> Layer<T> for Auth {
    type Transport = AuthTransport<T>;

    fn layer(&self, inner: T) -> AuthTransport<T> {
        AuthTransport::new(inner, self.clone())
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("token", &self.token)
            .field("requires", &self.authenticator.is_some())
            .finish_non_exhaustive()
    }
}
