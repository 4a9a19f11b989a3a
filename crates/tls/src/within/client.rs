//! A client whose TLS is inside of another protocol.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig};
use socketry_transport::{Endpoint, ErrorKind, Result};

use super::alerted;
use super::heard::{Heard, Refusal};
use crate::config::{Asked, Tls};
use crate::error::{Role, TlsError};
use crate::session::{lock, offered};
use crate::transport::{CONNECT, made};

/// What one connect of a client needs whose TLS is inside of another protocol: made by
/// [`Tls::client_within`].
pub struct ClientWithin {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    deadline: Duration,
    refusal: Refusal,
}

impl Tls {
    /// How a client speaks TLS inside of another protocol (QUIC) to the server at `to`, whose query
    /// is read, and `to` without the keys of TLS. Reads files, in another thread.
    ///
    /// The configuration has the trust, the certificate, the protocols (ALPN) and the key log of
    /// this, as that of `tls://` has. Of a server that the URL says nothing of, it has the sessions
    /// of this `Tls` too, where [resumption](Tls::resumption) is on.
    ///
    /// # Errors
    /// If the query or something that it names cannot be used.
    pub async fn client_within(&self, to: &Endpoint) -> Result<(ClientWithin, Endpoint)> {
        let (asked, rest) = Asked::of(to)?;
        let place = to.clone().without_query();
        let failed = |error: TlsError| error.into_error(CONNECT, place.as_str());
        let made = made(self, move |tls| {
            let tls = asked.client(tls)?;
            let mut config = tls.client_config()?;
            let (verifier, refusal) = Heard::new(tls.server_verifier()?);
            config.dangerous().set_certificate_verifier(verifier);
            Ok((tls, config, refusal))
        });
        let (tls, config, refusal) = made.await.map_err(failed)?;
        let client = ClientWithin {
            config: Arc::new(config),
            name: tls.server_name(to).map_err(failed)?,
            deadline: tls.limits.deadline,
            refusal,
        };
        Ok((client, rest))
    }
}

impl ClientWithin {
    /// The configuration, for one connect.
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// The name that the server has to prove.
    pub fn name(&self) -> &ServerName<'static> {
        &self.name
    }

    /// How long the handshake may take.
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Why the handshake failed, in the words of `tls://`, if TLS was the reason. `alert` is the
    /// one that ended it (RFC 8446 §6), which the peer sent or this end.
    pub fn failure(&self, alert: u8, by_peer: bool) -> TlsError {
        let certified = self.config.client_auth_cert_resolver.has_certs();
        let role = Role::Client { certified };
        if let Some(refusal) = lock(&self.refusal).take() {
            return TlsError::of(refusal, role);
        }
        let mismatch = AlertDescription::from(alert) == AlertDescription::NoApplicationProtocol;
        if mismatch {
            let ours = offered(self.config.alpn_protocols.iter().map(Vec::as_slice));
            return alerted(alert, role)
                .hint(format!("we offer {ours}: add alpn=NAME of one that it has"));
        }
        match by_peer {
            true => alerted(alert, role),
            false => {
                let alert = AlertDescription::from(alert);
                let words = format!("this end broke the handshake off ({alert:?})");
                TlsError::new(ErrorKind::Protocol, words)
            }
        }
    }
}

impl fmt::Debug for ClientWithin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientWithin")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
