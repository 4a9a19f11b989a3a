//! Listening: handshakes beside one another, and connections that wait to be accepted.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint as Port, Incoming, ServerConfig};
use socketry_tls::{ServerWithin, TlsError};
use socketry_transport::{Connection, Endpoint, Error, ErrorKind, MuxListener, Result, resolve};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::config::{Asked, Quic, QuicLimits};
use crate::connection::QuicConnection;
use crate::error;
use crate::udp::bound;

const LISTEN: &str = "listen at";
/// How often to try another port, where the system chooses one that is taken at another address.
const TRIES: usize = 16;

/// Accepts connections over QUIC. Made by [`Quic`].
///
/// Handshakes run in tasks, also while nothing is accepted. Dropping it closes the connections that
/// wait to be accepted. Those that were accepted live on, at the same port: until the last of them
/// has ended the port is in use, and refuses newcomers.
pub struct QuicListener {
    local: Endpoint,
    locals: Vec<Endpoint>,
    shared: Arc<Shared>,
    accepted: mpsc::Receiver<QuicConnection>,
}

/// The code of a close for want of a place: anything but an end in order.
const FULL: u64 = 1;

/// What became of the clients of a listener so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QuicStats {
    /// Handshakes that ended well.
    pub done: u64,
    /// Handshakes that failed, or took too long.
    pub failed: u64,
    /// Clients that were turned away, since there were too many.
    pub refused: u64,
    /// Clients that were asked to prove their address first.
    pub retried: u64,
}

#[derive(Default)]
struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
    refused: AtomicU64,
    retried: AtomicU64,
}

/// What all ports of a listener share.
struct Shared {
    tls: ServerWithin,
    limits: QuicLimits,
    scheme: String,
    counts: Counts,
    handshakes: AtomicUsize,
    /// Whether somebody listens.
    open: AtomicBool,
    give: mpsc::WeakSender<QuicConnection>,
}

pub(crate) async fn listen(quic: &Quic, at: &Endpoint) -> Result<QuicListener> {
    let asked = Asked::of(at, quic.default_limits())?;
    let place = at.clone().without_query();
    let (tls, _) = quic.tls_config().server_within(at).await?;
    let config = config(&tls, &asked.limits)
        .map_err(|error| Error::new(ErrorKind::Unsupported, LISTEN, &place).caused_by(error))?;
    let ports = ports(quic, at, &config).await?;

    let (give, accepted) = mpsc::channel(asked.limits.backlog.max(1));
    let shared = Arc::new(Shared {
        tls,
        limits: asked.limits,
        scheme: at.scheme().to_owned(),
        counts: Counts::default(),
        handshakes: AtomicUsize::new(0),
        open: AtomicBool::new(true),
        give: give.downgrade(),
    });
    let mut locals = Vec::new();
    for (port, address) in ports {
        let local = Endpoint::new(at.scheme(), address)?;
        shared.tls.listens_at(&local);
        locals.push(local);
        tokio::spawn(serve(port, address, Arc::clone(&shared), give.clone()));
    }
    let none = || Error::new(ErrorKind::NotAvailable, LISTEN, &place);
    Ok(QuicListener {
        local: locals.first().cloned().ok_or_else(none)?,
        locals,
        shared,
        accepted,
    })
}

fn config(
    tls: &ServerWithin,
    limits: &QuicLimits,
) -> std::result::Result<ServerConfig, quinn::crypto::rustls::NoInitialCipherSuite> {
    let crypto = QuicServerConfig::try_from(Arc::clone(tls.config()))?;
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config
        .transport_config(limits.transport())
        .migration(limits.migration);
    Ok(config)
}

/// A port at each address of `at`, all with one number. Addresses that this machine has not are
/// left out.
async fn ports(
    quic: &Quic,
    at: &Endpoint,
    config: &ServerConfig,
) -> Result<Vec<(Port, SocketAddr)>> {
    let addresses = resolve(quic.names(), LISTEN, at).await?;
    let chosen = at.port() == Some(0) && addresses.len() > 1;
    for _ in 1..TRIES {
        match ports_at(quic, at, &addresses, config).await {
            Err(error) if error.kind() == ErrorKind::InUse && chosen => {}
            done => return done,
        }
    }
    ports_at(quic, at, &addresses, config).await
}

async fn ports_at(
    quic: &Quic,
    at: &Endpoint,
    addresses: &[SocketAddr],
    config: &ServerConfig,
) -> Result<Vec<(Port, SocketAddr)>> {
    let mut ports: Vec<(Port, SocketAddr)> = Vec::new();
    let mut left_out = None;
    for address in addresses {
        let mut address = *address;
        if let (0, Some((_, first))) = (address.port(), ports.first()) {
            address.set_port(first.port());
        }
        match bound(quic, at, address).await {
            Ok(below) => {
                let port = below.endpoint(Some(config.clone()));
                let port = port.map_err(|error| Error::io(LISTEN, at, error))?;
                ports.push((port, below.local));
            }
            Err(error) if error.kind() == ErrorKind::NotAvailable => {
                tracing::warn!(%error, "an address is left out");
                left_out = left_out.or(Some(error));
            }
            Err(error) => return Err(error),
        }
    }
    match left_out {
        Some(error) if ports.is_empty() => Err(error),
        _ => Ok(ports),
    }
}

/// Serves one port as long as somebody listens, and then refuses newcomers until its last
/// connection has ended.
async fn serve(
    port: Port,
    local: SocketAddr,
    shared: Arc<Shared>,
    give: mpsc::Sender<QuicConnection>,
) {
    let mut handshakes = JoinSet::new();
    loop {
        tokio::select! {
            () = give.closed() => break,
            incoming = port.accept() => match incoming {
                Some(incoming) => shared.meet(incoming, local, &mut handshakes),
                None => break,
            },
            Some(_) = handshakes.join_next(), if !handshakes.is_empty() => {}
        }
    }
    drop(give);
    handshakes.shutdown().await;
    loop {
        tokio::select! {
            biased;
            incoming = port.accept() => match incoming {
                Some(incoming) => incoming.refuse(),
                None => return,
            },
            () = port.wait_idle() => return,
        }
    }
}

impl Shared {
    /// Begins the handshake of a client, or turns it away.
    fn meet(self: &Arc<Self>, client: Incoming, local: SocketAddr, running: &mut JoinSet<()>) {
        let Some(give) = self.give.upgrade().filter(|_| self.open.load(Relaxed)) else {
            return client.refuse();
        };
        let handshakes = self.handshakes.load(Relaxed);
        if handshakes >= self.tls.limits().at_once || give.capacity() == 0 {
            self.counts.refused.fetch_add(1, Relaxed);
            return client.refuse();
        }
        let proved = client.remote_address_validated();
        if !proved && handshakes >= self.limits.retry_above {
            self.counts.retried.fetch_add(1, Relaxed);
            // It fails for a client that has proved its address.
            let _ = client.retry();
            return;
        }
        self.handshakes.fetch_add(1, Relaxed);
        let shared = Arc::clone(self);
        running.spawn(async move {
            let _counted = Counted(&shared.handshakes);
            let peer = client.remote_address();
            match shared.handshake(client, local).await {
                Ok(connection) => {
                    shared.counts.done.fetch_add(1, Relaxed);
                    // Others may have taken the last places meanwhile. It counts while it waits.
                    match timeout(shared.tls.limits().deadline, give.reserve()).await {
                        Ok(Ok(place)) => place.send(connection),
                        Ok(Err(_closed)) => {}
                        Err(_) => {
                            shared.counts.refused.fetch_add(1, Relaxed);
                            connection.close(FULL, "there are too many clients");
                        }
                    }
                }
                Err(error) => {
                    shared.counts.failed.fetch_add(1, Relaxed);
                    tracing::debug!(%peer, %error, "a handshake of QUIC failed");
                }
            }
        });
    }

    async fn handshake(
        &self,
        client: Incoming,
        local: SocketAddr,
    ) -> std::result::Result<QuicConnection, Box<dyn std::error::Error + Send + Sync>> {
        let explain = |alert: u8| -> TlsError { self.tls.failure(alert) };
        let failed = |error| error::accepting(&error, explain);
        let connecting = client.accept().map_err(failed)?;
        let connection = timeout(self.tls.limits().deadline, connecting).await;
        let connection = connection
            .map_err(|_| "it took too long")?
            .map_err(|error| error::accepting(&error, explain))?;
        let identity = self.tls.identity().clone();
        let accepted =
            QuicConnection::accepted(connection, &self.scheme, local, identity, self.limits)?;
        Ok(accepted)
    }
}

/// Counts one handshake less when it ends.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl QuicListener {
    /// Where it listens: at a name, at several addresses.
    pub fn locals(&self) -> &[Endpoint] {
        &self.locals
    }

    /// Where it listens, with the [pin](socketry_tls::Pin) of its first key: what a client needs to
    /// connect, and to know that it is here.
    ///
    /// # Errors
    /// If its certificate cannot be parsed.
    pub fn pinned(&self) -> std::result::Result<Endpoint, TlsError> {
        let pin = self.shared.tls.identity().pin()?;
        Ok(self.local.clone().with("pin", pin))
    }

    /// What became of its clients so far.
    pub fn stats(&self) -> QuicStats {
        let counts = &self.shared.counts;
        QuicStats {
            done: counts.done.load(Relaxed),
            failed: counts.failed.load(Relaxed),
            refused: counts.refused.load(Relaxed),
            retried: counts.retried.load(Relaxed),
        }
    }
}

impl MuxListener for QuicListener {
    type Connection = QuicConnection;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<QuicConnection>> {
        let closed = || Error::new(ErrorKind::Closed, "accept at", &self.local);
        Poll::Ready(ready!(self.accepted.poll_recv(cx)).ok_or_else(closed))
    }
}

impl Drop for QuicListener {
    fn drop(&mut self) {
        self.shared.open.store(false, Relaxed);
    }
}

impl fmt::Debug for QuicListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QuicListener({})", self.local.redacted())
    }
}
