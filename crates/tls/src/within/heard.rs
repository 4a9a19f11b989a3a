//! A verifier that keeps why it refused: the protocol around TLS passes on an alert alone.

use std::sync::{Arc, Mutex};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use crate::session::lock;

/// Why a certificate was refused, if it was.
pub(super) type Refusal = Arc<Mutex<Option<Error>>>;

/// The verifier inside, whose refusal is kept.
#[derive(Debug)]
pub(super) struct Heard {
    inner: Arc<dyn ServerCertVerifier>,
    refusal: Refusal,
}

impl Heard {
    pub(super) fn new(inner: Arc<dyn ServerCertVerifier>) -> (Arc<Self>, Refusal) {
        let refusal = Refusal::default();
        let heard = Heard {
            inner,
            refusal: Arc::clone(&refusal),
        };
        (Arc::new(heard), refusal)
    }

    fn note<T>(&self, verified: Result<T, Error>) -> Result<T, Error> {
        verified.inspect_err(|error| *lock(&self.refusal) = Some(error.clone()))
    }
}

impl ServerCertVerifier for Heard {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let inner = &self.inner;
        self.note(inner.verify_server_cert(certificate, chain, name, ocsp, now))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let inner = &self.inner;
        self.note(inner.verify_tls13_signature(message, certificate, signed))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
