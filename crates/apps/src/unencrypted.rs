//! The apps without TLS, in place of `encryption.rs`: without the feature `tls`.

use socketry_auth::FirstOf;
use socketry_transport::{BoxListener, Endpoint, Registry};

use crate::AppError;

pub(crate) fn registered(registry: Registry) -> Registry {
    registry
}

pub(crate) fn reload_on_signal() {}

pub(crate) fn with_certificate(url: Endpoint) -> Result<Endpoint, AppError> {
    Ok(url)
}

pub(crate) fn requires_certificates(_url: &Endpoint) -> Result<bool, AppError> {
    Ok(false)
}

pub(crate) fn or_certificates(who: FirstOf, _url: &Endpoint) -> Result<FirstOf, AppError> {
    Ok(who)
}

pub(crate) fn encrypted(_url: &Endpoint) -> Option<Endpoint> {
    None
}

pub(crate) fn pinned(listener: BoxListener) -> BoxListener {
    listener
}
