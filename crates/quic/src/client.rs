//! Connecting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::ClientConfig;
use quinn::crypto::rustls::QuicClientConfig;
use socketry_tls::ClientWithin;
use socketry_transport::{Endpoint, Error, ErrorKind, Result, resolve};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::{Asked, Quic};
use crate::connection::QuicConnection;
use crate::error;
use crate::udp::towards;

const CONNECT: &str = "connect to";
/// How long an attempt may take before the next address is tried beside it (RFC 8305, section 5).
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

pub(crate) async fn connect(quic: &Quic, to: &Endpoint) -> Result<QuicConnection> {
    let asked = Asked::of(to, quic.default_limits())?;
    let within = asked.connect_timeout;
    let place = to.clone().without_query();
    match timeout(within, attempts(quic, to, &place, asked)).await {
        Ok(done) => done,
        Err(_) => Err(Error::new(ErrorKind::TimedOut, CONNECT, &place)
            .because(format!("no answer within {within:?}"))
            .hint("check the address, or allow more with connect_timeout=60s, say")),
    }
}

/// Tries all addresses of the server, each a little later than the one before it. The error is that
/// of the first, which the resolver thought best.
async fn attempts(
    quic: &Quic,
    to: &Endpoint,
    place: &Endpoint,
    asked: Asked,
) -> Result<QuicConnection> {
    let mut waiting = resolve(quic.names(), CONNECT, to).await?.into_iter();
    let mut running = JoinSet::new();
    let mut failure = None;
    loop {
        if let Some(peer) = waiting.next() {
            let (quic, to, place) = (quic.clone(), to.clone(), place.clone());
            let asked = asked.clone();
            running.spawn(async move { attempt(&quic, &to, &place, peer, &asked).await });
        }
        let next = match waiting.len() {
            0 => running.join_next().await,
            _ => match timeout(ATTEMPT_DELAY, running.join_next()).await {
                Ok(next) => next,
                Err(_) => continue,
            },
        };
        match next {
            Some(Ok(Ok(connection))) => return Ok(connection),
            Some(Ok(Err(error))) => failure = failure.or(Some(error)),
            Some(Err(stopped)) => {
                let error = Error::new(ErrorKind::Other, CONNECT, place).caused_by(stopped);
                failure = failure.or(Some(error));
            }
            None if waiting.len() > 0 => {}
            None => {
                let none = || Error::new(ErrorKind::NotFound, CONNECT, place);
                return Err(failure.unwrap_or_else(none));
            }
        }
    }
}

async fn attempt(
    quic: &Quic,
    to: &Endpoint,
    place: &Endpoint,
    peer: SocketAddr,
    asked: &Asked,
) -> Result<QuicConnection> {
    let begun = Instant::now();
    let (tls, _) = quic.tls_config().client_within(to).await?;
    let config = config(quic, &tls, place, asked)?;
    let below = towards(quic, to, peer).await?;
    let failed = |error| Error::io(CONNECT, place, error);
    let endpoint = below.endpoint(None).map_err(failed)?;
    let name = tls.name().to_str();
    let connecting = endpoint.connect_with(config, peer, &name);
    let connecting = connecting
        .map_err(|error| Error::new(ErrorKind::InvalidEndpoint, CONNECT, place).caused_by(error))?;
    let handshake = async {
        tokio::select! {
            done = connecting => done.map_err(|error| error::connecting(&error, &tls, place)),
            () = below.refused() => Err(error::refused(place, peer)),
        }
    };
    // A time beyond all that the clock counts never comes.
    let connection = match begun.checked_add(tls.deadline()) {
        None => handshake.await?,
        Some(until) => timeout_at(until, handshake)
            .await
            .map_err(|_| error::silent(place))??,
    };
    let limits = asked.limits;
    QuicConnection::connected(connection, to.scheme(), below.local, endpoint, limits)
}

fn config(
    quic: &Quic,
    tls: &ClientWithin,
    place: &Endpoint,
    asked: &Asked,
) -> Result<ClientConfig> {
    let crypto = QuicClientConfig::try_from(Arc::clone(tls.config()));
    let crypto = crypto
        .map_err(|error| Error::new(ErrorKind::Unsupported, CONNECT, place).caused_by(error))?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(asked.limits.transport());
    config.token_store(quic.tokens().of(place.to_string()));
    Ok(config)
}
