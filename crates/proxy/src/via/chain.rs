//! Connecting through proxies, one behind another.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use socketry_transport::{Endpoint, Error, ErrorKind, Resolve, Transport};

use super::hop::{Hop, Kind};
use super::wire::Wire;
use super::{Target, http, socks5};
use crate::error::ProxyError;

/// The most addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// Proxies, and what each of them is to connect to.
pub(super) struct Chain<'a> {
    hops: &'a [Hop],
    /// For each hop, the addresses of the next one or of the server.
    targets: Vec<Vec<Target>>,
    /// Where the first one is.
    first: Endpoint,
}

/// What went wrong at which hop.
#[derive(Debug)]
pub(super) enum Failure {
    /// The first proxy was not reached.
    First(Error),
    Hop(usize, ProxyError),
}

impl<'a> Chain<'a> {
    /// The chain of `hops` to `host`, where a URL has `first` for the first one. Names are resolved
    /// here that no proxy is to resolve.
    pub(super) async fn to(
        hops: &'a [Hop],
        first: Endpoint,
        (host, port): (&str, u16),
        names: &dyn Resolve,
    ) -> Result<Self, Failure> {
        let next = hops.iter().skip(1).map(|hop| (hop.host.as_str(), hop.port));
        let mut targets = Vec::with_capacity(hops.len());
        for (at, (hop, (host, port))) in hops.iter().zip(next.chain([(host, port)])).enumerate() {
            let found = resolved(hop.kind, host, port, names).await;
            targets.push(found.map_err(|error| Failure::Hop(at, error))?);
        }
        Ok(Chain {
            hops,
            targets,
            first,
        })
    }

    /// Connects. If a proxy does not reach an address that this machine has found for a name, the
    /// next one is tried. `stage` is the hop that is under way.
    pub(super) async fn connect<T: Transport>(
        &self,
        inner: &T,
        stage: &AtomicUsize,
    ) -> Result<(Wire<T::Socket>, Option<SocketAddr>), Failure> {
        let mut chosen = vec![0; self.hops.len()];
        loop {
            let failure = match self.attempt(inner, &chosen, stage).await {
                Err(failure) => failure,
                connected => return connected,
            };
            match &failure {
                Failure::Hop(at, error)
                    if is_elsewhere(error.kind()) && chosen[*at] + 1 < self.targets[*at].len() =>
                {
                    chosen[*at] += 1;
                }
                _ => return Err(failure),
            }
        }
    }

    async fn attempt<T: Transport>(
        &self,
        inner: &T,
        chosen: &[usize],
        stage: &AtomicUsize,
    ) -> Result<(Wire<T::Socket>, Option<SocketAddr>), Failure> {
        stage.store(0, Ordering::Relaxed);
        let socket = inner.connect(&self.first).await.map_err(Failure::First)?;
        let mut wire = Wire::new(socket);
        let mut seen_as = None;
        for (at, hop) in self.hops.iter().enumerate() {
            stage.store(at, Ordering::Relaxed);
            let target = &self.targets[at][chosen[at]];
            let spoken = async {
                let credentials = hop.credentials().await?;
                match hop.kind {
                    Kind::Socks5 | Kind::Socks5h => {
                        socks5::connect(&mut wire, credentials.as_ref(), target).await
                    }
                    Kind::Http => {
                        let connected = http::connect(&mut wire, credentials.as_ref(), target);
                        connected.await.map(|()| None)
                    }
                }
            };
            seen_as = spoken.await.map_err(|error| Failure::Hop(at, error))?;
        }
        Ok((wire, seen_as))
    }
}

/// Whether another address may do better.
fn is_elsewhere(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unreachable | ErrorKind::Refused)
}

/// What the proxy is to be told: a name, or the addresses that `names` has for it.
async fn resolved(
    kind: Kind,
    host: &str,
    port: u16,
    names: &dyn Resolve,
) -> Result<Vec<Target>, ProxyError> {
    if let Ok(ip) = host.parse() {
        return Ok(vec![Target::Ip(SocketAddr::new(ip, port))]);
    }
    if host.is_empty()
        || !host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
    {
        let words = format!("'{}' is no name that a proxy takes", host.escape_debug());
        return Err(ProxyError::new(ErrorKind::InvalidEndpoint, words)
            .hint("a name with other letters has a form in ASCII: xn--…"));
    }
    if kind != Kind::Socks5 {
        // A proxy asks DNS for it, where the dot says nothing, or looks into its /etc/hosts, where
        // no name has one.
        let name = host.strip_suffix('.').unwrap_or(host);
        return Ok(vec![Target::Name(name.to_owned(), port)]);
    }
    let found = names.addresses(host).await;
    let found = found.map_err(|error| {
        let reason = error.reason();
        let words = format!("this machine does not know the name {host}: {reason}");
        ProxyError::new(error.kind(), words)
            .hint("with socks5h:// the proxy resolves names, and not this machine")
    })?;
    let target = |ip| Target::Ip(SocketAddr::new(ip, port));
    Ok(found.into_iter().take(ADDRESSES).map(target).collect())
}
