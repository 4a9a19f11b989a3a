//! The configurations of the library below.

use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, KeyLogFile, ServerConfig};
use socketry_transport::{Endpoint, ErrorKind};

use super::Tls;
use crate::error::TlsError;
use crate::identity::Identity;
use crate::provider::provider;

/// The name of a server that has no host: on a Unix socket, say.
const NO_HOST: &str = "localhost";
/// Tickets for a client that resumes: as many as browsers use at once.
const TICKETS: usize = 2;

fn unusable(error: &rustls::Error) -> TlsError {
    TlsError::new(ErrorKind::InvalidOption, error.to_string())
}

impl Tls {
    /// The configuration of a client, for other users of rustls. May read the authorities of the
    /// system.
    ///
    /// # Errors
    /// If something in it cannot be used.
    pub fn client_config(&self) -> Result<ClientConfig, TlsError> {
        self.check()?;
        let verifier = self.server_verifier()?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        let mut config = match &self.identity {
            Some(identity) => builder.with_client_cert_resolver(Arc::new(identity.clone())),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&self.alpn);
        if !self.resumption {
            config.resumption = Resumption::disabled();
        }
        if self.key_log {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        Ok(config)
    }

    /// The configuration of a server, for other users of rustls.
    ///
    /// # Errors
    /// If there is no identity, or something in it cannot be used.
    pub fn server_config(&self) -> Result<ServerConfig, TlsError> {
        self.check()?;
        let identity = self.server_identity()?;
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?;
        let builder = match &self.clients {
            Some(clients) => {
                builder.with_client_cert_verifier(clients.trust.clients(clients.required)?)
            }
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(identity.clone()));
        config.alpn_protocols.clone_from(&self.alpn);
        config.send_tls13_tickets = TICKETS;
        if !self.resumption {
            config.send_tls13_tickets = 0;
            config.session_storage = Arc::new(NoServerSessionStorage {});
        }
        if self.key_log {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        Ok(config)
    }

    /// The verifier of servers.
    pub(crate) fn server_verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        self.trust.servers()
    }

    /// The identity of a server, which has to have one.
    pub(crate) fn server_identity(&self) -> Result<&Identity, TlsError> {
        self.identity.as_ref().ok_or_else(|| {
            TlsError::new(ErrorKind::InvalidOption, "a TLS server needs a certificate")
                .hint("add cert=FILE and key=FILE, or identity=DIR, where one is made")
        })
    }

    /// The name that a server at `endpoint` has to prove.
    pub(crate) fn server_name(&self, endpoint: &Endpoint) -> Result<ServerName<'static>, TlsError> {
        let host = endpoint.host_port().map(|(host, _)| host);
        let name = match (&self.name, &host) {
            (Some(name), _) => name.as_str(),
            // The zone is this machine's affair.
            (None, Some(host)) => host.split('%').next().unwrap_or(host),
            (None, None) => NO_HOST,
        };
        ServerName::try_from(name.to_owned()).map_err(|_| {
            let reason = format!("'{}' is no name of a server", name.escape_debug());
            TlsError::new(ErrorKind::InvalidOption, reason)
                .hint("name=NAME is the one in its certificate")
        })
    }

    fn check(&self) -> Result<(), TlsError> {
        if self.alpn.is_empty()
            || self
                .alpn
                .iter()
                .any(|one| one.is_empty() || one.len() > 255)
        {
            let words = "alpn has at least one protocol, each with 1 to 255 bytes";
            return Err(TlsError::new(ErrorKind::InvalidOption, words));
        }
        Ok(())
    }
}
