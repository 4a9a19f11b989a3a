//! The transport that the layer makes, and its listener.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use socketry_transport::{
    Endpoint, Error, ErrorKind, Half, Keys, Layer, Listener, ListenerExt, Result, SocketOptions,
    Transport, UpgradeStats, Upgrading, async_trait,
};
use tokio::time::{Instant, timeout_at};

use crate::config::Ws;
use crate::error::WsError;
use crate::handshake;
use crate::session::WsSocket;
use crate::url::{Asked, KEYS};

const CONNECT: &str = "connect to";

impl<T: Transport> Layer<T> for Ws {
    type Transport = WsTransport<T>;

    fn layer(&self, inner: T) -> WsTransport<T> {
        WsTransport {
            inner,
            ws: self.clone(),
        }
    }
}

/// A stream transport under [`Ws`].
#[derive(Debug)]
pub struct WsTransport<T> {
    inner: T,
    ws: Ws,
}

#[async_trait]
impl<T: Transport> Transport for WsTransport<T> {
    type Socket = WsSocket<T::Socket>;
    type Listener = WsListener<T::Listener>;

    /// Those of the transport inside, and of this. The rest of a query is the request's.
    fn keys(&self) -> Keys {
        self.inner.keys().and(KEYS).with_others()
    }

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let asked = Asked::of(&self.ws, to, &self.inner.keys())?;
        let whole = SocketOptions::from_query(&asked.inner, self.inner.keys())?.connect_timeout;
        let place = to.clone().without_query();
        let failed = |error: WsError| error.into_error(CONNECT, place.as_str());

        let begun = Instant::now();
        let connected = self.inner.connect(&asked.inner).await;
        let socket = connected.map_err(|error| error.at(&place))?;
        if !socket.shape().is_stream() {
            return Err(Error::new(ErrorKind::Unsupported, CONNECT, &place)
                .because("WebSocket needs a stream inside"));
        }
        let left = whole
            .unwrap_or(Duration::MAX)
            .saturating_sub(begun.elapsed())
            .min(asked.ws.limits.deadline);
        let peer = asked.seen(socket.peer());
        let describe = |info: socketry_transport::Info| info.with_peer(peer);
        let handshake = handshake::connect(socket, asked.asking(), describe);
        // A time beyond all that the clock counts never comes.
        let Some(until) = Instant::now().checked_add(left) else {
            return handshake.await.map_err(failed);
        };
        match timeout_at(until, handshake).await {
            Ok(socket) => socket.map_err(failed),
            Err(_) => Err(Error::new(ErrorKind::TimedOut, CONNECT, &place)
                .because(format!(
                    "no answer to the WebSocket handshake within {left:?}"
                ))
                .hint("does a WebSocket server listen there?")),
        }
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let asked = Asked::of(&self.ws, at, &self.inner.keys())?;
        let keys = self.keys();
        if let Some((key, _)) = at.query().find(|(key, _)| !keys.contains(key)) {
            let (key, takes) = (key.escape_debug(), keys.options().join(", "));
            let place = at.clone().without_query();
            return Err(Error::new(ErrorKind::InvalidOption, "use", place)
                .because(format!("there is no option '{key}'"))
                .hint(format!(
                    "a listener takes {takes}; WsInfo has the queries of requests"
                )));
        }
        SocketOptions::from_query(&asked.inner, self.inner.keys())?;
        let listening = self.inner.listen(&asked.inner).await;
        let listener = listening.map_err(|error| error.at(at.clone().without_query()))?;
        let local = asked.seen(listener.local());
        let accepting = Arc::new(asked.accepting());
        let (limits, observer) = (asked.ws.limits, asked.ws.observer.clone());
        let asked = Arc::new(asked);
        let each = Arc::clone(&asked);
        let upgrading = listener.upgrading(limits, move |socket| {
            let (accepting, asked) = (Arc::clone(&accepting), Arc::clone(&each));
            async move {
                let local = asked.seen(socket.local());
                let describe = |info: socketry_transport::Info| info.with_local(local);
                handshake::accept(socket, accepting, describe).await
            }
        });
        let inner = match observer {
            Some(observer) => upgrading.on_failure(move |failure| observer(failure)),
            None => upgrading,
        };
        Ok(WsListener {
            inner,
            asked,
            local,
        })
    }
}

/// Accepts WebSockets. Their handshakes run beside one another, each within its deadline.
pub struct WsListener<L: Listener> {
    inner: Upgrading<L, WsSocket<L::Socket>>,
    asked: Arc<Asked>,
    local: Endpoint,
}

impl<L: Listener> WsListener<L> {
    /// What the handshakes came to so far.
    pub fn stats(&self) -> UpgradeStats {
        self.inner.stats()
    }
}

impl<L: Listener> Listener for WsListener<L> {
    type Socket = WsSocket<L::Socket>;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn locals(&self) -> Vec<Endpoint> {
        let all = self.inner.locals();
        all.iter().map(|at| self.asked.seen(at)).collect()
    }

    fn refusals(&self) -> u64 {
        self.inner.refusals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        self.inner.poll_accept(cx)
    }
}

impl<L: Listener> fmt::Debug for WsListener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WsListener({:?})", self.inner)
    }
}
