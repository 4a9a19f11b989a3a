//! Clients with a certificate.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use socketry_tls::rustls::client::verify_server_name;
use socketry_tls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use socketry_tls::rustls::server::ParsedCertificate;
use socketry_tls::rustls::server::danger::ClientCertVerifier;
use socketry_tls::{Pin, TlsError, TlsInfo, Trust};
use socketry_transport::async_trait;
use webpki::EndEntityCert;

use crate::authenticator::{Authenticator, Peer, Refusal};
use crate::identity::{Identity, Proof};

/// Lets in the clients that have the key of a certificate: one of these keys, or of a certificate
/// that an authority has signed.
///
/// The TLS listener has to ask for certificates, with `Tls::ask_clients` or `require_clients`, or
/// `ca=` or `pin=` in its URL. What it trusts there is looked at again here.
#[derive(Clone, Default)]
pub struct Certificates {
    keys: HashMap<Pin, String>,
    authority: Option<Arc<dyn ClientCertVerifier>>,
    /// The names that are let in. `None`: all that the authority has signed.
    names: Option<Vec<ServerName<'static>>>,
}

impl Certificates {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with the client that has this key, known as `name`. Nothing else of its certificate
    /// is looked at.
    #[must_use]
    pub fn key(mut self, pin: Pin, name: impl Into<String>) -> Self {
        self.keys.insert(pin, name.into());
        self
    }

    /// The same with all clients whose certificate one of these authorities has signed, each known
    /// by the first DNS name in it, or by the pin of its key if it has none.
    ///
    /// # Errors
    /// If `trust` is no authority that signs for clients.
    pub fn authority(mut self, trust: &Trust) -> Result<Self, TlsError> {
        self.authority = Some(trust.client_verifier()?);
        Ok(self)
    }

    /// Of those that the authority has signed, only the ones with a certificate for this name, by
    /// which they are known. It may be called again for further names. A certificate for
    /// `*.example.org` is one for each name there.
    ///
    /// # Errors
    /// If it is no DNS name or IP address.
    pub fn name(mut self, name: &str) -> Result<Self, crate::AuthError> {
        let parsed = ServerName::try_from(name.to_owned()).map_err(|_| {
            let words = format!(
                "'{}' is no name in a certificate: a DNS name or an IP address",
                name.escape_debug()
            );
            crate::AuthError::new(socketry_transport::ErrorKind::InvalidOption, words)
        })?;
        self.names.get_or_insert_default().push(parsed);
        Ok(self)
    }

    fn signed(
        &self,
        first: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        pin: &str,
    ) -> Result<String, Refusal> {
        let unknown = || Refusal::new("the certificate of the client is not one of those let in");
        let authority = self.authority.as_ref();
        let authority = authority.ok_or_else(|| unknown().because(format!("no key {pin}")))?;
        let verified = authority.verify_client_cert(first, rest, UnixTime::now());
        verified.map_err(|error| unknown().because(format!("{pin}: {error}")))?;
        let odd = |_| unknown().because(format!("{pin}: the certificate cannot be parsed"));
        let Some(names) = &self.names else {
            let parsed = EndEntityCert::try_from(first).map_err(odd)?;
            let name = parsed.valid_dns_names().next().map(str::to_owned);
            return Ok(name.unwrap_or_else(|| pin.to_owned()));
        };
        let parsed = ParsedCertificate::try_from(first)
            .map_err(|error| unknown().because(format!("{pin}: {error}")))?;
        let found = names
            .iter()
            .find(|name| verify_server_name(&parsed, name).is_ok());
        let found = found.map(|name| name.to_str().into_owned());
        found.ok_or_else(|| unknown().because(format!("{pin}: it is for none of the names")))
    }
}

#[async_trait]
impl Authenticator for Certificates {
    async fn authenticate(&self, peer: &Peer<'_>) -> Result<Identity, Refusal> {
        let tls = peer.info().get::<TlsInfo>();
        let chain = tls.map(TlsInfo::peer_certificates).unwrap_or_default();
        let Some((first, rest)) = chain.split_first() else {
            return Err(Refusal::new("a client certificate is needed"));
        };
        let pin = Pin::of(first).map_err(|error| Refusal::new(error.to_string()))?;
        let text = pin.to_string();
        let name = match self.keys.get(&pin) {
            Some(name) => name.clone(),
            None => self.signed(first, rest, &text)?,
        };
        Ok(Identity::new(name, Proof::Certificate { pin: text }))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("keys", &self.keys)
            .field("authority", &self.authority.is_some())
            .field("names", &self.names)
            .finish()
    }
}
