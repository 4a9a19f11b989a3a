//! Each stream of a connection as a socket of its own, so that a transport of connections can have
//! a scheme.

use std::fmt;
use std::task::{Context, Poll};

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::contract::connection::Connection;
use crate::contract::connection::transport::{MuxListener, MuxTransport};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, Result};
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::contract::transport::listener::Listener;

/// A transport whose sockets are streams. Connecting makes a new connection and opens one stream.
/// Listening accepts every stream of every connection.
///
/// The socket keeps its connection open. When it is dropped, the connection closes in order.
///
/// ```
/// use socketry_transport::{Listener, MemMux, Registry, Streams};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::empty().with("mem-mux", Streams::new(MemMux::default()));
/// let mut server = registry.listen("mem-mux://*").await?;
/// let _client = registry.connect(server.local()).await?;
/// let _accepted = server.accept().await?;
/// # Ok(()) }
/// ```
///
/// A peer that connects and opens no stream uses one of the [connections at
/// once](Streams::connections), and delays no other peer.
#[derive(Clone, Debug)]
pub struct Streams<M> {
    mux: M,
    connections: usize,
}

/// The default of [`Streams::connections`].
const CONNECTIONS: usize = 1024;

impl<M: MuxTransport> Streams<M> {
    /// The streams of `mux`.
    pub fn new(mux: M) -> Self {
        Streams {
            mux,
            connections: CONNECTIONS,
        }
    }

    /// The most connections from which a listener accepts streams at once, at least 1; default
    /// 1,024. Further connections wait in the backlog.
    #[must_use]
    pub fn connections(mut self, at_once: usize) -> Self {
        self.connections = at_once.max(1);
        self
    }
}

type StreamOf<M> = <<M as MuxTransport>::Connection as Connection>::Stream;

#[async_trait]
impl<M: MuxTransport> Transport for Streams<M> {
    type Socket = StreamOf<M>;
    type Listener = StreamListener<M::Listener>;

    fn keys(&self) -> Keys {
        self.mux.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let mut connection = self.mux.connect(to).await?;
        let opened = connection.open().await;
        opened.map_err(|error| Error::io("open a stream to", to, error))
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let listener = self.mux.listen(at).await?;
        Ok(StreamListener::new(listener, self.connections))
    }
}

/// Accepts every stream of every connection that a listener accepts. Made by [`Streams`].
///
/// Each connection has a task, which hands over one stream before it accepts the next. So a
/// connection that opens many streams does not hold up those of others. An error of the listener
/// inside is given when the last connection has ended. Dropping this drops the connections, except
/// those that still have a stream.
pub struct StreamListener<L: MuxListener> {
    inner: L,
    at_once: usize,
    connections: JoinSet<()>,
    give: mpsc::Sender<<L::Connection as Connection>::Stream>,
    take: mpsc::Receiver<<L::Connection as Connection>::Stream>,
    ended: Option<Error>,
}

impl<L: MuxListener> StreamListener<L> {
    fn new(inner: L, at_once: usize) -> Self {
        let (give, take) = mpsc::channel(1);
        StreamListener {
            inner,
            at_once,
            connections: JoinSet::new(),
            give,
            take,
            ended: None,
        }
    }

    /// Accepts connections that wait, as long as there are places.
    fn poll_connections(&mut self, cx: &mut Context<'_>) {
        loop {
            while let Poll::Ready(Some(_)) = self.connections.poll_join_next(cx) {}
            if self.ended.is_some() || self.connections.len() >= self.at_once {
                return;
            }
            match self.inner.poll_accept(cx) {
                Poll::Ready(Ok(connection)) => {
                    self.connections
                        .spawn(streams_of(connection, self.give.clone()));
                }
                Poll::Ready(Err(error)) => self.ended = Some(error),
                Poll::Pending => return,
            }
        }
    }
}

/// Gives the streams of one connection until it ends.
async fn streams_of<C: Connection>(mut connection: C, give: mpsc::Sender<C::Stream>) {
    loop {
        match connection.accept().await {
            Ok(Some(stream)) => match give.send(stream).await {
                Ok(()) => {}
                Err(_nobody_accepts) => return,
            },
            Ok(None) => return,
            Err(error) => {
                let peer = connection.peer().redacted();
                tracing::debug!(%peer, %error, "a connection broke");
                return;
            }
        }
    }
}

impl<L: MuxListener> Listener for StreamListener<L> {
    type Socket = <L::Connection as Connection>::Stream;

    fn local(&self) -> &Endpoint {
        self.inner.local()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        self.poll_connections(cx);
        if let Poll::Ready(Some(stream)) = self.take.poll_recv(cx) {
            return Poll::Ready(Ok(stream));
        }
        if self.ended.is_none() || !self.connections.is_empty() {
            return Poll::Pending;
        }
        // The task's budget may have held back the last stream, and no event would wake the task
        // for it.
        if let Ok(stream) = self.take.try_recv() {
            return Poll::Ready(Ok(stream));
        }
        self.ended
            .take()
            .map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
    }
}

impl<L: MuxListener> fmt::Debug for StreamListener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamListener({})", self.inner.local().redacted())
    }
}
