//! A server whose TLS is inside of another protocol.

use std::borrow::Cow;
use std::sync::Arc;

use rustls::ServerConfig;
use socketry_transport::{Endpoint, Result, UpgradeLimits};

use super::alerted;
use crate::config::{Asked, Tls};
use crate::error::{Role, TlsError};
use crate::identity::Identity;
use crate::transport::{LISTEN, made};

/// What a server needs whose TLS is inside of another protocol: made by [`Tls::server_within`].
#[derive(Debug)]
pub struct ServerWithin {
    config: Arc<ServerConfig>,
    identity: Identity,
    tls: Tls,
}

impl Tls {
    /// How a server at `at` speaks TLS inside of another protocol (QUIC), and `at` without the keys
    /// of TLS. Reads files in another thread, and makes a certificate where `identity=` asks for
    /// it.
    ///
    /// # Errors
    /// If the query or something that it names cannot be used, or there is no certificate.
    pub async fn server_within(&self, at: &Endpoint) -> Result<(ServerWithin, Endpoint)> {
        let (asked, rest) = Asked::of(at)?;
        let place = at.clone().without_query();
        let failed = |error: TlsError| error.into_error(LISTEN, place.as_str());
        let host = at.host().filter(|_| at.port().is_some());
        let host = host.map(Cow::into_owned);
        let made = made(self, move |tls| {
            let tls = asked.server(tls, host.as_deref())?;
            Ok(ServerWithin {
                config: Arc::new(tls.server_config()?),
                identity: tls.server_identity()?.clone(),
                tls,
            })
        });
        Ok((made.await.map_err(failed)?, rest))
    }
}

impl ServerWithin {
    /// The configuration. It asks the identity for a certificate at each handshake, so
    /// [`Tls::reload`] needs no new one.
    pub fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// Its certificates and keys.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The bounds of its handshakes.
    pub fn limits(&self) -> UpgradeLimits {
        self.tls.limits
    }

    /// Makes it known that it listens at `local`, as long as its identity is in use: for
    /// [`Tls::pinned`] and [`Tls::reload`].
    pub fn listens_at(&self, local: &Endpoint) {
        self.tls.remember(local, &self.identity);
    }

    /// The words for an `alert` of the client that ended a handshake (RFC 8446 §6).
    pub fn failure(&self, alert: u8) -> TlsError {
        alerted(alert, Role::Server)
    }
}
