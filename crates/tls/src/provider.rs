//! The cryptography: one provider for all that this crate does.

use std::sync::{Arc, OnceLock};

#[cfg(feature = "aws-lc-rs")]
use rustls::crypto::aws_lc_rs as chosen;
#[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
use rustls::crypto::ring as chosen;

#[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
compile_error!("socketry-tls needs its feature `ring` (the default) or `aws-lc-rs`");

use rustls::SupportedCipherSuite;
use rustls::crypto::CryptoProvider;

/// The provider. That of the process, which others may have installed, is not looked at.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(chosen::default_provider())))
}

/// The SHA-256 of `bytes`.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let suite = chosen::cipher_suite::TLS13_AES_128_GCM_SHA256;
    let SupportedCipherSuite::Tls13(suite) = suite else {
        unreachable!("it is a suite of TLS 1.3");
    };
    let hash = suite.common.hash_provider.hash(bytes);
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
