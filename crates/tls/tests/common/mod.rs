//! Certificates for tests, made when they run.

#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use tempfile::TempDir;

const DAY: u64 = 86_400;

/// An authority, in a directory of its own.
pub(crate) struct Authority {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, in two files.
pub(crate) struct Files {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
}

impl Files {
    /// As a part of a query.
    pub(crate) fn query(&self) -> String {
        format!("cert={}&key={}", self.cert.display(), self.key.display())
    }
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    params
}

impl Authority {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self::named(&format!("Authority {number}"))
    }

    /// Two of one name differ in their keys alone.
    pub(crate) fn named(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key).unwrap();
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("ca.pem"), certificate.pem()).unwrap();
        Authority {
            directory,
            issuer: Issuer::new(params, key),
        }
    }

    /// Its certificate.
    pub(crate) fn file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A certificate for `name` that it signs.
    pub(crate) fn sign(&self, name: &str) -> Files {
        self.signed(name, &params(name))
    }

    /// One that was valid until the second day of 2020.
    pub(crate) fn sign_expired(&self, name: &str) -> Files {
        let mut params = params(name);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 2);
        self.signed(&format!("expired-{name}"), &params)
    }

    /// One that is valid from tomorrow on.
    pub(crate) fn sign_early(&self, name: &str) -> Files {
        let mut params = params(name);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        params.not_before = date_time_ymd(1970, 1, 1) + now + Duration::from_secs(DAY);
        self.signed(&format!("early-{name}"), &params)
    }

    fn signed(&self, file: &str, params: &CertificateParams) -> Files {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        // Tests that run at once ask for the same name.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let file = format!("{file}-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        write(self.directory.path(), &file, &certificate, &key)
    }
}

fn write(directory: &Path, name: &str, certificate: &Certificate, key: &KeyPair) -> Files {
    let cert = directory.join(format!("{name}.pem"));
    std::fs::write(&cert, certificate.pem()).unwrap();
    let path = directory.join(format!("{name}.key"));
    std::fs::write(&path, key.serialize_pem()).unwrap();
    private(&path);
    Files { cert, key: path }
}

#[cfg(unix)]
pub(crate) fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
