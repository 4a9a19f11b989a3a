//! Whom an end trusts.

mod pinned;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use socketry_transport::ErrorKind;

use crate::error::TlsError;
use crate::identity::others_may_change;
use crate::pin::Pin;
use crate::provider::provider;
use pinned::Pinned;

/// Which certificates of a peer are accepted.
#[derive(Clone, Debug, Default)]
pub struct Trust(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    System,
    Authorities(Arc<RootCertStore>),
    Pins(Vec<Pin>),
}

impl Trust {
    /// Those that are signed by an authority of the system (`SSL_CERT_FILE` and `SSL_CERT_DIR` name
    /// others), for the name of the server, and in date.
    pub fn system() -> Self {
        Trust(Kind::System)
    }

    /// Those that are signed by an authority in this PEM file, and by no other.
    ///
    /// # Errors
    /// If the file cannot be read, or has no certificate.
    pub fn authorities_in(file: impl AsRef<Path>) -> Result<Self, TlsError> {
        let file = file.as_ref();
        let wrong = |kind, error: &dyn std::fmt::Display| {
            let file = file.display();
            TlsError::new(kind, format!("the authorities in {file}: {error}"))
        };
        let text = std::fs::read(file).map_err(|error| wrong((&error).into(), &error))?;
        // They would decide who is trusted.
        if others_may_change(file).map_err(|error| wrong((&error).into(), &error))? {
            let error = wrong(ErrorKind::Denied, &"others may change it");
            return Err(error.hint(format!("chmod o-w {}", file.display())));
        }
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
        let read = read.map_err(|error| wrong(ErrorKind::InvalidOption, &error))?;
        if read.is_empty() {
            return Err(wrong(ErrorKind::InvalidOption, &"there is no certificate"));
        }
        Self::authorities(read).map_err(|error| wrong(error.kind(), &error))
    }

    /// Those that are signed by one of these authorities.
    ///
    /// # Errors
    /// If one of them is not a certificate.
    pub fn authorities(
        all: impl IntoIterator<Item = CertificateDer<'static>>,
    ) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in all {
            roots.add(authority).map_err(|error| {
                TlsError::new(ErrorKind::InvalidOption, format!("no certificate: {error}"))
            })?;
        }
        Ok(Trust(Kind::Authorities(Arc::new(roots))))
    }

    /// Those with exactly this key, whatever else they say.
    pub fn pin(pin: Pin) -> Self {
        Self::pins([pin])
    }

    /// Those with exactly one of these keys.
    pub fn pins(pins: impl IntoIterator<Item = Pin>) -> Self {
        Trust(Kind::Pins(pins.into_iter().collect()))
    }

    /// The verifier of servers.
    pub(crate) fn servers(&self) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
        let roots = match &self.0 {
            Kind::Pins(pins) => return Ok(Arc::new(Pinned::new(pins.clone(), true))),
            Kind::Authorities(roots) => Arc::clone(roots),
            Kind::System => system()?,
        };
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider()).build();
        verifier
            .map(|verifier| verifier as _)
            .map_err(|error| TlsError::new(ErrorKind::InvalidOption, error.to_string()))
    }

    /// The verifier of clients, for other users of rustls: an authority that looks at the
    /// certificate of a connection again, say.
    ///
    /// # Errors
    /// If this is [`system`](Trust::system), or there is no authority.
    pub fn client_verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        self.clients(true)
    }

    /// The verifier of clients.
    pub(crate) fn clients(&self, required: bool) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let roots = match &self.0 {
            Kind::Pins(pins) => return Ok(Arc::new(Pinned::new(pins.clone(), required))),
            Kind::Authorities(roots) => Arc::clone(roots),
            Kind::System => {
                let words = "the system's authorities sign for servers, and know no clients";
                return Err(TlsError::new(ErrorKind::InvalidOption, words)
                    .hint("trust clients by an authority or by pins"));
            }
        };
        let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
        let builder = match required {
            true => builder,
            false => builder.allow_unauthenticated(),
        };
        builder
            .build()
            .map_err(|error| TlsError::new(ErrorKind::InvalidOption, error.to_string()))
    }
}

/// The system's authorities, read once.
fn system() -> Result<Arc<RootCertStore>, TlsError> {
    static SYSTEM: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    if let Some(roots) = SYSTEM.get() {
        return Ok(Arc::clone(roots));
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (good, _bad) = roots.add_parsable_certificates(found.certs);
    if good == 0 {
        let why = found.errors.first().map(|error| format!(": {error}"));
        let reason = format!(
            "no authorities are found on this system{}",
            why.unwrap_or_default()
        );
        return Err(TlsError::new(ErrorKind::NotFound, reason)
            .hint("name the server's authority (ca=FILE) or its key (pin=)"));
    }
    Ok(Arc::clone(SYSTEM.get_or_init(|| Arc::new(roots))))
}
