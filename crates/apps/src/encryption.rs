//! TLS in the apps: the transports `tls`, `tls+unix` and `quic`, the directory of the certificate
//! that a server makes, and the pin in the URL that it prints.

use std::path::PathBuf;
use std::sync::LazyLock;
use std::task::{Context, Poll};

use socketry_auth::{Certificates, FirstOf};
#[cfg(feature = "quic")]
use socketry_quic::Quic;
use socketry_tls::{Pin, Tls, Trust};
use socketry_transport::{
    BoxListener, BoxSocket, Endpoint, EndpointParts, Listener, Registry, Result,
};

use tokio::signal::unix::{SignalKind, signal};

use crate::AppError;
use crate::common::state_directory;
use crate::matrix::{TLS_SCHEMES, is_over_tls};

/// The TLS of all registries of this process. It knows the pin of each listener that is over it.
static TLS: LazyLock<Tls> =
    LazyLock::new(|| Tls::new().on_failure(|failure| tracing::warn!("refused: {failure}")));

/// The same registry, with TLS over its `tcp` and its `unix`.
pub(crate) fn registered(registry: Registry) -> Registry {
    // It fails only where the registry has neither: then there is nothing to put TLS over.
    let with_tls = TLS.register(registry.clone());
    with_quic(with_tls.unwrap_or(registry))
}

/// The same registry with QUIC, which has the same certificates.
#[cfg(feature = "quic")]
fn with_quic(registry: Registry) -> Registry {
    static QUIC: LazyLock<Quic> = LazyLock::new(|| Quic::new().tls(TLS.clone()));
    QUIC.register(registry)
}

#[cfg(not(feature = "quic"))]
fn with_quic(registry: Registry) -> Registry {
    registry
}

/// Reads the certificates of this process's servers again at each SIGUSR1, so that renewed ones
/// need no restart.
pub(crate) fn reload_on_signal() {
    // Without a handler the signal ends the process, as it does by default.
    let Ok(mut asked) = signal(SignalKind::user_defined1()) else {
        return;
    };
    tokio::spawn(async move {
        while asked.recv().await.is_some() {
            match TLS.reload() {
                Ok(()) => tracing::info!("the certificates were read again"),
                Err(error) => tracing::warn!("a certificate stays as it was: {error}"),
            }
        }
    });
}

/// The keys of a URL that say which certificate a server has.
const CERTIFICATE: [&str; 3] = ["cert", "key", "identity"];

/// The URL of a server with the directory of its certificate, if it is over TLS and names none.
pub(crate) fn with_certificate(url: Endpoint) -> std::result::Result<Endpoint, AppError> {
    let has_one = url.query().any(|(key, _)| CERTIFICATE.contains(&key));
    if has_one || !is_over_tls(url.scheme()) {
        return Ok(url);
    }
    let directory = directory().ok_or_else(|| {
        let words = "there is no directory for a certificate: HOME is not set; add ?identity=DIR";
        AppError::usage(words)
    })?;
    let directory = directory.into_os_string().into_string();
    let directory = directory.map_err(|_| {
        AppError::usage("the home directory's name is no UTF-8; add ?identity=DIR to the URL")
    })?;
    Ok(url.with("identity", directory))
}

/// Whether a server at `url` is over TLS and turns away clients without a certificate.
pub(crate) fn requires_certificates(url: &Endpoint) -> std::result::Result<bool, AppError> {
    Ok(is_over_tls(url.scheme()) && TLS.requires_clients(url)?)
}

/// The same, and the clients with the certificates that the URL of a server asks for, if it is over
/// TLS and asks for some.
pub(crate) fn or_certificates(
    who: FirstOf,
    url: &Endpoint,
) -> std::result::Result<FirstOf, AppError> {
    Ok(match certificates(url)? {
        Some(certificates) => who.or(certificates),
        None => who,
    })
}

fn certificates(url: &Endpoint) -> std::result::Result<Option<Certificates>, AppError> {
    if !is_over_tls(url.scheme()) {
        return Ok(None);
    }
    let mut found = None;
    for (key, value) in url.query() {
        let mut known = || found.take().unwrap_or_else(Certificates::new);
        found = match key {
            "ca" => {
                let trust = Trust::authorities_in(value).map_err(AppError::usage)?;
                Some(known().authority(&trust).map_err(AppError::usage)?)
            }
            "pin" => {
                let keys = value.split(',').map(str::parse::<Pin>);
                let keys = keys.collect::<std::result::Result<Vec<_>, _>>();
                let keys = keys.map_err(AppError::usage)?.into_iter();
                let named = |all: Certificates, key: Pin| all.key(key, key.to_string());
                Some(keys.fold(known(), named))
            }
            _ => found,
        };
    }
    Ok(found)
}

/// The same URL over TLS. `None` where no scheme with TLS has such addresses.
pub(crate) fn encrypted(url: &Endpoint) -> Option<Endpoint> {
    let scheme = match url.scheme() {
        "tcp" | "udp" => TLS_SCHEMES[0],
        "unix" => TLS_SCHEMES[1],
        // No token is proved over WebSocket.
        "ws" | "wss" => return Some(beneath(url)),
        "ws+unix" => TLS_SCHEMES[1],
        scheme if TLS_SCHEMES.contains(&scheme) => scheme,
        _ => return None,
    };
    url.with_scheme(scheme).ok()
}

/// `$XDG_STATE_HOME/socketry/tls`, or `~/.local/state/socketry/tls`.
fn directory() -> Option<PathBuf> {
    Some(state_directory()?.join("tls"))
}

/// A listener over TLS whose addresses have its pin: all that a client needs.
struct Pinned {
    inner: BoxListener,
    locals: Vec<Endpoint>,
}

/// The same listener. One over our TLS tells its addresses with its pin.
pub(crate) fn pinned(inner: BoxListener) -> BoxListener {
    let first = TLS.pinned(&beneath(inner.local()));
    let pin = first.and_then(|first| {
        let mut query = first.query();
        let (_, pin) = query.find(|(key, _)| *key == "pin")?;
        Some(pin.to_owned())
    });
    match pin {
        Some(pin) => {
            let locals = inner.locals().into_iter();
            let locals = locals.map(|local| local.with("pin", &pin)).collect();
            BoxListener::new(Pinned { inner, locals })
        }
        None => inner,
    }
}

/// The address as TLS knows it, whatever is over that: without the path of a WebSocket.
fn beneath(local: &Endpoint) -> Endpoint {
    let (host, port) = (local.parts().host, local.parts().port);
    let parts = EndpointParts {
        scheme: TLS_SCHEMES[0],
        host,
        port,
        ..EndpointParts::default()
    };
    match local.scheme() {
        "ws" | "wss" => Endpoint::from_parts(parts).unwrap_or_else(|_| local.clone()),
        _ => local.clone(),
    }
}

impl Listener for Pinned {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        self.locals.first().unwrap_or_else(|| self.inner.local())
    }

    fn locals(&self) -> Vec<Endpoint> {
        self.locals.clone()
    }

    fn refusals(&self) -> u64 {
        self.inner.refusals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        self.inner.poll_accept(cx)
    }
}
