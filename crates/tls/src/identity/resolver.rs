//! Which certificate a handshake gets.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::{ResolvesClientCert, verify_server_name};
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::Identity;

impl ResolvesServerCert for Identity {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.shown(hello.server_name())
    }
}

impl Identity {
    /// The certificate for a client that asks for `name`.
    pub(crate) fn shown(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let certificates = self.certificates();
        if let [one] = certificates.as_slice() {
            return Some(Arc::clone(one));
        }
        let name = name.and_then(|name| ServerName::try_from(name).ok());
        let has_name = |one: &&Arc<CertifiedKey>| {
            let Some(name) = &name else { return false };
            one.cert
                .first()
                .and_then(|der| ParsedCertificate::try_from(der).ok())
                .is_some_and(|parsed| verify_server_name(&parsed, name).is_ok())
        };
        let found = certificates.iter().find(has_name);
        found.or(certificates.first()).cloned()
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(
        &self,
        _authorities: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let certificates = self.certificates();
        let usable = certificates
            .iter()
            .find(|one| one.key.choose_scheme(schemes).is_some());
        usable.cloned()
    }

    fn has_certs(&self) -> bool {
        true
    }
}
