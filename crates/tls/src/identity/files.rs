//! Certificates and keys in files.

use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustls::InconsistentKeys;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use socketry_transport::ErrorKind;

use super::made;
use crate::error::TlsError;
use crate::provider::provider;

fn wrong(kind: ErrorKind, thing: &str, file: &Path, error: impl Display) -> TlsError {
    TlsError::new(kind, format!("the {thing} in {}: {error}", file.display()))
}

fn io_error<'a>(thing: &'a str, file: &'a Path) -> impl Fn(io::Error) -> TlsError + 'a {
    move |error| wrong(ErrorKind::from(&error), thing, file, error)
}

/// A certificate, with those behind it, and its key.
pub(super) fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, TlsError> {
    let text = fs::read(certificate).map_err(io_error("certificate", certificate))?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain
        .map_err(|error| wrong(ErrorKind::InvalidOption, "certificate", certificate, error))?;
    if chain.is_empty() {
        let kind = ErrorKind::InvalidOption;
        return Err(wrong(kind, "certificate", certificate, "there is none"));
    }
    private(key)?;
    let text = fs::read(key).map_err(io_error("key", key))?;
    let found = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|error| wrong(ErrorKind::InvalidOption, "key", key, error))?;
    certified(chain, found).map_err(|error| wrong(ErrorKind::InvalidOption, "key", key, error))
}

pub(super) fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<CertifiedKey>, String> {
    let key = provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| error.to_string())?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // Some keys do not tell their public half.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
            Ok(Arc::new(certified))
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(match certified.cert.len() {
            1 => "it is not the key of the certificate".to_owned(),
            _ => "it is not the key of the first certificate, and those of authorities stand \
                      behind the server's or client's own"
                .to_owned(),
        }),
        Err(error) => Err(error.to_string()),
    }
}

/// An error if others may read the file.
#[cfg(unix)]
fn private(key: &Path) -> Result<(), TlsError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(key)
        .map_err(io_error("key", key))?
        .permissions()
        .mode();
    if mode & 0o007 == 0 {
        return Ok(());
    }
    let error = wrong(
        ErrorKind::Denied,
        "key",
        key,
        "others may read or change it",
    );
    Err(error.hint(format!("chmod o= {}", key.display())))
}

/// An error if others may put another key into the directory.
fn unchanged(directory: &Path) -> Result<(), TlsError> {
    if !others_may_change(directory).map_err(io_error("identity", directory))? {
        return Ok(());
    }
    let words = "others may change what is in it";
    let error = wrong(ErrorKind::Denied, "identity", directory, words);
    Err(error.hint(format!("chmod o-w {}", directory.display())))
}

/// Whether all users may write a file, or into a directory.
#[cfg(unix)]
pub(crate) fn others_may_change(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::metadata(path)?.permissions().mode() & 0o002 != 0)
}

#[cfg(not(unix))]
pub(crate) fn others_may_change(_path: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(not(unix))]
fn private(_key: &Path) -> Result<(), TlsError> {
    Ok(())
}

/// The files of a certificate and its key in `directory`, made if they are not there.
pub(super) fn keep(directory: &Path, names: Vec<String>) -> Result<(PathBuf, PathBuf), TlsError> {
    make_directory(directory).map_err(io_error("identity", directory))?;
    unchanged(directory)?;
    let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    if !key.exists() {
        let made = made::key()?.serialize_pem();
        // Two processes that start at once have one key: the first that puts it there wins.
        place(&key, &made, |from, to| match fs::hard_link(from, to) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            done => done,
        })
        .map_err(io_error("key", &key))?;
    }
    if !certificate.exists() {
        private(&key)?;
        let text = fs::read_to_string(&key).map_err(io_error("key", &key))?;
        let pair = rcgen::KeyPair::from_pem(&text)
            .map_err(|error| wrong(ErrorKind::InvalidOption, "key", &key, error))?;
        let made = made::certificate(&pair, names)?.pem();
        place(&certificate, &made, |from, to| fs::rename(from, to))
            .map_err(io_error("certificate", &certificate))?;
    }
    Ok((certificate, key))
}

/// Writes a file that only its owner may read beside its place, and then puts it there whole.
fn place(to: &Path, text: &str, put: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let beside = to.with_extension(format!("{}-{number}.new", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        put(&beside, to)
    });
    // It is still there if it was linked, or if something failed.
    let _ = fs::remove_file(&beside);
    written
}

fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}
