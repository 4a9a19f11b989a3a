//! Handshakes in the background: what a listener accepts becomes another socket before it is given
//! out, and nobody waits for a peer that says nothing.

mod handshake;
mod observer;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::JoinSet;

use crate::contract::datagram::BoxFuture;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, Result};
use crate::contract::socket::Socket;
use crate::contract::transport::listener::Listener;
use handshake::Handshake;
use observer::Observer;
pub use observer::{UpgradeFailure, UpgradeStats, UpgradeTrouble};

/// How many handshakes run at once, and how long each may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpgradeLimits {
    /// The most handshakes at once, at least 1; default 256. One that is finished counts until its
    /// socket is accepted. Further peers wait in the backlog of the listener inside.
    pub at_once: usize,
    /// How long a handshake may take; default 10 seconds. Then it is dropped, and its socket with
    /// it.
    pub deadline: Duration,
}

impl Default for UpgradeLimits {
    fn default() -> Self {
        UpgradeLimits {
            at_once: 256,
            deadline: Duration::from_secs(10),
        }
    }
}

/// What every listener can become.
pub trait ListenerExt: Listener + Sized {
    /// A listener that gives out what `upgrade` makes of each accepted socket: a TLS or WebSocket
    /// handshake, a greeting, a check of the peer.
    ///
    /// ```
    /// use std::io;
    /// use socketry_transport::{
    ///     BoxSocket, Listener, ListenerExt, RecvExt, SendExt, UpgradeLimits, connect, listen,
    /// };
    ///
    /// /// The client says which version it speaks.
    /// async fn greet(mut socket: BoxSocket) -> io::Result<BoxSocket> {
    ///     let mut version = [0];
    ///     let _ = socket.recv(&mut version).await?;
    ///     match version {
    ///         [1] => Ok(socket),
    ///         _ => Err(io::Error::other("not version 1")),
    ///     }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let listener = listen("tcp://127.0.0.1:0").await?;
    /// let mut listener = listener.upgrading(UpgradeLimits::default(), greet);
    /// let silent = connect(listener.local()).await?; // delays nobody
    /// let mut client = connect(listener.local()).await?;
    /// client.send_all(&[1]).await?;
    /// let _greeted = listener.accept().await?;
    /// # drop(silent);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// [`accept`](Listener::accept) does, outside of a tokio runtime with time enabled: each
    /// handshake is a task of its own there.
    fn upgrading<S, E, F, Fut>(self, limits: UpgradeLimits, upgrade: F) -> Upgrading<Self, S>
    where
        S: Socket,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
        F: Fn(Self::Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<S, E>> + Send + 'static,
    {
        let upgrade = Arc::new(upgrade);
        let boxed = move |socket| {
            // The closure runs inside the future, so that a panic in it harms one handshake.
            let upgrade = Arc::clone(&upgrade);
            let future = async move { upgrade(socket).await.map_err(Into::into) };
            Box::pin(future) as BoxFuture<'static, _>
        };
        Upgrading {
            inner: self,
            limits,
            upgrade: Box::new(boxed),
            running: JoinSet::new(),
            observer: Arc::default(),
            ended: None,
        }
    }
}

impl<L: Listener> ListenerExt for L {}

/// What a handshake comes to.
type Upgraded<S> = std::result::Result<S, Box<dyn std::error::Error + Send + Sync>>;

/// A listener whose sockets have gone through a handshake. Made by
/// [`upgrading`](ListenerExt::upgrading).
///
/// Each handshake is a task: they run beside one another, and go on while nobody accepts. One that
/// hangs is dropped at its [deadline](UpgradeLimits::deadline), and one that panics ends alone.
/// What fails never reaches the accept loop: it is counted ([`stats`](Upgrading::stats)), logged
/// with its peer (as a `tracing` event of level `DEBUG`), and told to the
/// [observer](Upgrading::on_failure).
///
/// How long a newcomer waits for a place, if all [`at_once`](UpgradeLimits::at_once) of them hang
/// and sockets are accepted as they finish: at most one deadline if fewer than `at_once` peers
/// stand before it in the backlog, and at most ⌈(b + 1) / `at_once`⌉ deadlines if b do. What does
/// not fit into the backlog is the inner listener's to refuse.
///
/// An error of the inner listener is given once all handshakes that had begun are given out or have
/// failed. Dropping this listener drops the handshakes, and the sockets in them.
/// [`accept`](Listener::accept) is cancel-safe: a socket that is ready stays until it is given out.
pub struct Upgrading<L: Listener, S> {
    inner: L,
    limits: UpgradeLimits,
    upgrade: Box<dyn Fn(L::Socket) -> BoxFuture<'static, Upgraded<S>> + Send>,
    /// What each task gives: the socket, or nothing where the observer was told why.
    running: JoinSet<Option<S>>,
    observer: Arc<Observer>,
    /// Why the inner listener accepts no more.
    ended: Option<Error>,
}

impl<L: Listener, S: Socket> Upgrading<L, S> {
    /// Calls `observer` for each handshake that fails, in the handshake's task. It must not block;
    /// if it panics, nothing else is harmed. Another one takes its place for later failures.
    #[must_use]
    pub fn on_failure(
        mut self,
        observer: impl Fn(&UpgradeFailure<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Arc::new(self.observer.with(observer));
        self
    }

    /// What the handshakes came to so far.
    pub fn stats(&self) -> UpgradeStats {
        self.observer.stats()
    }

    /// The listener inside.
    pub fn get_ref(&self) -> &L {
        &self.inner
    }

    /// Begins handshakes for all that wait, as far as there are places.
    fn poll_newcomers(&mut self, cx: &mut Context<'_>) {
        while self.ended.is_none() && self.running.len() < self.limits.at_once.max(1) {
            match self.inner.poll_accept(cx) {
                Poll::Ready(Ok(socket)) => {
                    let handshake = Handshake::new(&socket, &self.observer, self.limits.deadline);
                    self.running.spawn(handshake.run((self.upgrade)(socket)));
                }
                Poll::Ready(Err(error)) => self.ended = Some(error),
                Poll::Pending => return,
            }
        }
    }
}

impl<L: Listener, S: Socket> Listener for Upgrading<L, S> {
    type Socket = S;

    fn local(&self) -> &Endpoint {
        self.inner.local()
    }

    fn locals(&self) -> Vec<Endpoint> {
        self.inner.locals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<S>> {
        loop {
            self.poll_newcomers(cx);
            match ready!(self.running.poll_join_next(cx)) {
                Some(Ok(Some(socket))) => return Poll::Ready(Ok(socket)),
                // It failed or panicked, and its place is free.
                Some(_) => {}
                None => match self.ended.take() {
                    Some(error) => return Poll::Ready(Err(error)),
                    None => return Poll::Pending,
                },
            }
        }
    }
}

impl<L: Listener, S> fmt::Debug for Upgrading<L, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upgrading({})", self.inner.local().redacted())
    }
}
