//! The transport that the layer makes, and its listener.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::ClientConfig;
use socketry_transport::{
    Endpoint, Error, ErrorKind, Keys, Layer, Listener, ListenerExt, Result, SocketOptions,
    Transport, UpgradeStats, Upgrading, async_trait,
};
use tokio::time::{Instant, timeout_at};

use crate::config::{Asked, KEYS, Tls};
use crate::error::TlsError;
use crate::identity::Identity;
use crate::session::{self, Server, TlsSocket};

pub(crate) const CONNECT: &str = "connect to";
pub(crate) const LISTEN: &str = "listen at";

impl<T: Transport> Layer<T> for Tls {
    type Transport = TlsTransport<T>;

    fn layer(&self, inner: T) -> TlsTransport<T> {
        TlsTransport {
            inner,
            tls: self.clone(),
            client: OnceLock::new(),
        }
    }
}

/// A stream transport under [`Tls`].
#[derive(Debug)]
pub struct TlsTransport<T> {
    inner: T,
    tls: Tls,
    /// How clients speak it whose URL says nothing of TLS.
    client: OnceLock<Arc<Client>>,
}

#[derive(Debug)]
struct Client {
    tls: Tls,
    config: Arc<ClientConfig>,
}

impl<T: Transport> TlsTransport<T> {
    /// How TLS is spoken to a server about which the URL says `asked`.
    async fn client(&self, asked: Asked) -> std::result::Result<Arc<Client>, TlsError> {
        let plain = asked.is_nothing();
        if let Some(client) = self.client.get().filter(|_| plain) {
            return Ok(Arc::clone(client));
        }
        let client = made(&self.tls, move |tls| {
            let tls = asked.client(tls)?;
            let config = Arc::new(tls.client_config()?);
            Ok(Arc::new(Client { tls, config }))
        })
        .await?;
        if plain {
            // All that connect share the sessions that they may resume.
            return Ok(Arc::clone(self.client.get_or_init(|| client)));
        }
        Ok(client)
    }
}

/// Runs `make`, which reads files, where that keeps no other task waiting.
pub(crate) async fn made<V: Send + 'static>(
    tls: &Tls,
    make: impl FnOnce(Tls) -> std::result::Result<V, TlsError> + Send + 'static,
) -> std::result::Result<V, TlsError> {
    let tls = tls.clone();
    let running = tokio::task::spawn_blocking(move || make(tls));
    running
        .await
        .unwrap_or_else(|error| Err(TlsError::new(ErrorKind::Other, error.to_string())))
}

#[async_trait]
impl<T: Transport> Transport for TlsTransport<T> {
    type Socket = TlsSocket<T::Socket>;
    type Listener = TlsListener<T::Listener>;

    fn keys(&self) -> Keys {
        self.inner.keys().and(KEYS)
    }

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        // Most URLs have no query, and each connect passes here.
        let whole = match to.query().next() {
            Some(_) => SocketOptions::from_query(to, self.keys())?.connect_timeout,
            None => None,
        };
        let (asked, inner) = Asked::of(to)?;
        let place = to.clone().without_query();
        let failed = |error: TlsError| error.into_error(CONNECT, place.as_str());
        let client = self.client(asked).await.map_err(failed)?;
        let name = client.tls.server_name(to).map_err(failed)?;

        let begun = Instant::now();
        let socket = self.inner.connect(&inner).await?;
        let left = whole
            .unwrap_or(Duration::MAX)
            .saturating_sub(begun.elapsed())
            .min(client.tls.limits.deadline);
        let config = Arc::clone(&client.config);
        let handshake = session::connect(socket, config, name, client.tls.is_strict());
        // A time beyond all that the clock counts never comes.
        let Some(until) = Instant::now().checked_add(left) else {
            return handshake.await.map_err(failed);
        };
        match timeout_at(until, handshake).await {
            Ok(socket) => socket.map_err(failed),
            Err(_) => Err(Error::new(ErrorKind::TimedOut, CONNECT, &place)
                .because(format!("no TLS handshake within {left:?}"))
                .hint("does a TLS server listen there?")),
        }
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        SocketOptions::from_query(at, self.keys())?;
        let (asked, inner) = Asked::of(at)?;
        let place = at.clone().without_query();
        let failed = |error: TlsError| error.into_error(LISTEN, place.as_str());
        let host = at
            .host()
            .filter(|_| at.port().is_some())
            .map(Cow::into_owned);
        let made = made(&self.tls, move |tls| {
            let tls = asked.server(tls, host.as_deref())?;
            let config = Arc::new(tls.server_config()?);
            Ok((tls, config))
        });
        let (tls, config) = made.await.map_err(failed)?;
        let identity = tls.server_identity().map_err(failed)?.clone();

        let strict = tls.is_strict();
        let server = Arc::new(Server {
            config,
            identity: identity.clone(),
            strict,
        });
        let listener = self.inner.listen(&inner).await?;
        tls.remember(listener.local(), &identity);
        let upgrading = listener.upgrading(tls.limits, move |socket| {
            session::accept(socket, Arc::clone(&server))
        });
        let inner = match tls.observer {
            Some(observer) => upgrading.on_failure(move |failure| observer(failure)),
            None => upgrading,
        };
        Ok(TlsListener { inner, identity })
    }
}

/// Accepts sockets over TLS. Their handshakes run beside one another, each within its deadline.
pub struct TlsListener<L: Listener> {
    inner: Upgrading<L, TlsSocket<L::Socket>>,
    identity: Identity,
}

impl<L: Listener> TlsListener<L> {
    /// Where it listens, with the [pin](crate::Pin) of its first key: what a client needs to
    /// connect, and to know that it is here.
    ///
    /// # Errors
    /// If its certificate cannot be parsed.
    pub fn pinned(&self) -> std::result::Result<Endpoint, TlsError> {
        let pin = self.identity.pin()?;
        Ok(self.local().clone().with("pin", pin))
    }

    /// Its certificates and keys, to [reload](Identity::reload) them.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the handshakes came to so far.
    pub fn stats(&self) -> UpgradeStats {
        self.inner.stats()
    }
}

impl<L: Listener> Listener for TlsListener<L> {
    type Socket = TlsSocket<L::Socket>;

    fn local(&self) -> &Endpoint {
        self.inner.local()
    }

    fn locals(&self) -> Vec<Endpoint> {
        self.inner.locals()
    }

    fn refusals(&self) -> u64 {
        self.inner.refusals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        self.inner.poll_accept(cx)
    }
}

impl<L: Listener> fmt::Debug for TlsListener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsListener({:?})", self.inner)
    }
}
