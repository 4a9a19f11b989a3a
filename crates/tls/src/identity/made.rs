//! Certificates that are made here.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use socketry_transport::ErrorKind;

use super::files::certified;
use crate::error::TlsError;

const DAY: Duration = Duration::from_secs(86_400);
/// A clock of another machine may be behind ours.
const BEFORE: Duration = DAY;
const VALID: Duration = Duration::from_secs(10 * 365 * 86_400);

fn failed(error: &rcgen::Error) -> TlsError {
    TlsError::new(
        ErrorKind::InvalidOption,
        format!("no certificate is made: {error}"),
    )
}

pub(super) fn key() -> Result<KeyPair, TlsError> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(|error| failed(&error))
}

/// A certificate that `key` signs itself, with what Python 3.13 and OpenSSL 3 insist on: both key
/// identifiers, the usages, and the word that it is no authority.
pub(super) fn certificate(key: &KeyPair, names: Vec<String>) -> Result<Certificate, TlsError> {
    let mut params = CertificateParams::new(names.clone()).map_err(|error| failed(&error))?;
    let name = names.into_iter().next();
    params.distinguished_name.push(
        DnType::CommonName,
        name.unwrap_or_else(|| "socketry".to_owned()),
    );
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(BEFORE);
    params.not_after = epoch + (now + VALID);
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params.self_signed(key).map_err(|error| failed(&error))
}

pub(super) fn made(names: Vec<String>) -> Result<Arc<CertifiedKey>, TlsError> {
    let key = key()?;
    let certificate = certificate(&key, names)?;
    let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    certified(vec![certificate.der().clone()], der)
        .map_err(|reason| TlsError::new(ErrorKind::Other, reason))
}
