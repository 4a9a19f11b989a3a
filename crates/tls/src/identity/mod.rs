//! Who this end is: its certificates and keys.

mod files;
mod made;
mod resolver;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, Weak};

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use socketry_transport::ErrorKind;

use crate::error::TlsError;
use crate::pin::Pin;
pub(crate) use files::others_may_change;

/// The certificates and keys of this end.
///
/// A server that has several gives each client the first that has the name which the client asks
/// for (SNI), or else the first of all. A client gives its first to servers that ask.
///
/// Clones are handles of one identity: [`reload`](Identity::reload) changes it for all of them, and
/// for each listener that has it. Connections that stand go on as they are.
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

pub(crate) struct Inner {
    sources: Vec<Source>,
    /// One for each source.
    current: RwLock<Arc<Certificates>>,
}

type Certificates = Vec<Arc<CertifiedKey>>;

enum Source {
    Files { certificate: PathBuf, key: PathBuf },
    Given(Arc<CertifiedKey>),
}

impl Source {
    fn read(&self) -> Result<Arc<CertifiedKey>, TlsError> {
        match self {
            Source::Files { certificate, key } => files::read(certificate, key),
            Source::Given(given) => Ok(Arc::clone(given)),
        }
    }
}

impl Identity {
    /// From PEM files: pairs of a certificate, with those that lead to its authority behind it, and
    /// of its key. The file of a key must not be readable by others.
    ///
    /// ```no_run
    /// # use socketry_tls::Identity;
    /// let identity = Identity::from_files([
    ///     ("/etc/app/example.org.pem", "/etc/app/example.org.key"),
    ///     ("/etc/app/example.net.pem", "/etc/app/example.net.key"),
    /// ])?;
    /// # Ok::<(), socketry_tls::TlsError>(())
    /// ```
    ///
    /// # Errors
    /// If a file cannot be read, holds something else, or a key is not the certificate's.
    pub fn from_files<C: Into<PathBuf>, K: Into<PathBuf>>(
        pairs: impl IntoIterator<Item = (C, K)>,
    ) -> Result<Self, TlsError> {
        let source = |(certificate, key): (C, K)| Source::Files {
            certificate: certificate.into(),
            key: key.into(),
        };
        Self::of(pairs.into_iter().map(source).collect())
    }

    /// From a directory, where it is made at the first start: the files `cert.pem` and `key.pem`,
    /// which only their owner may read. The certificate is [made](Identity::made) for `names`.
    ///
    /// Where there is a key and no certificate, one is made for that key: so the names can be
    /// changed, and the pin stays.
    ///
    /// # Errors
    /// If the files cannot be made, or read.
    pub fn kept_in<N: Into<String>>(
        directory: impl AsRef<Path>,
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, TlsError> {
        let names = names.into_iter().map(Into::into).collect();
        let (certificate, key) = files::keep(directory.as_ref(), names)?;
        Self::of(vec![Source::Files { certificate, key }])
    }

    /// Made on the spot, and gone with the process: a key on the curve P-256, and a certificate for
    /// `names` (host names and IP addresses) that it signs itself. The certificate is valid for ten
    /// years, for servers and for clients.
    ///
    /// # Errors
    /// If a name is none.
    pub fn made<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Result<Self, TlsError> {
        let names = names.into_iter().map(Into::into).collect();
        Self::of(vec![Source::Given(made::made(names)?)])
    }

    /// From a certificate, with those that lead to its authority behind it, and its key.
    ///
    /// # Errors
    /// If the key is of a kind that is not supported, or not the certificate's.
    pub fn from_der(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        let given = files::certified(chain, key)
            .map_err(|reason| TlsError::new(ErrorKind::InvalidOption, reason))?;
        Self::of(vec![Source::Given(given)])
    }

    fn of(sources: Vec<Source>) -> Result<Self, TlsError> {
        if sources.is_empty() {
            let words = "an identity has at least one certificate";
            return Err(TlsError::new(ErrorKind::InvalidOption, words));
        }
        let current = RwLock::new(Arc::new(read(&sources)?));
        Ok(Identity(Arc::new(Inner { sources, current })))
    }

    /// Reads the files again, for all handshakes from now on.
    ///
    /// # Errors
    /// As when it was made. Then it stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let read = Arc::new(read(&self.0.sources)?);
        let mut current = self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = read;
        Ok(())
    }

    /// The pin of the first key: what a client needs to know this end.
    ///
    /// # Errors
    /// If the certificate cannot be parsed.
    pub fn pin(&self) -> Result<Pin, TlsError> {
        let pin = self
            .certificates()
            .first()
            .map(|first| Pin::of(&first.cert[0]));
        let unknown = || TlsError::new(ErrorKind::InvalidOption, "there is no certificate");
        pin.ok_or_else(unknown)?
            .map_err(|error| TlsError::new(ErrorKind::InvalidOption, error.to_string()))
    }

    /// The certificates that it has now, each with those behind it.
    pub fn chains(&self) -> Vec<Vec<CertificateDer<'static>>> {
        let certificates = self.certificates();
        certificates.iter().map(|one| one.cert.clone()).collect()
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.0)
    }

    /// The identity, if it is still in use.
    pub(crate) fn alive(weak: &Weak<Inner>) -> Option<Self> {
        weak.upgrade().map(Identity)
    }

    fn certificates(&self) -> Arc<Certificates> {
        let current = self.0.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }
}

fn read(sources: &[Source]) -> Result<Certificates, TlsError> {
    sources.iter().map(Source::read).collect()
}

/// Its pins, and no keys.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let certificates = self.certificates();
        let pins = certificates.iter().map(|one| Pin::of(&one.cert[0]).ok());
        f.debug_list().entries(pins).finish()
    }
}
