//! Handshakes in the background: each accepted socket goes through a handshake before it is given
//! out, and no client waits for a silent peer.

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

/// The bounds of handshakes: their number, and the time of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpgradeLimits {
    /// The most handshakes at once, at least 1; default 2,048, so that a thousand peers which stall
    /// keep no other waiting. A finished one counts until its socket is accepted. Further peers
    /// wait in the backlog of the listener inside.
    pub at_once: usize,
    /// How long a handshake may take; default 10 seconds. Then it is dropped, and its socket with
    /// it.
    pub deadline: Duration,
}

impl Default for UpgradeLimits {
    fn default() -> Self {
        UpgradeLimits {
            at_once: 2048,
            deadline: Duration::from_secs(10),
        }
    }
}

/// The methods that every listener has besides its own.
pub trait ListenerExt: Listener + Sized {
    /// A listener that gives out the socket that `upgrade` makes of each accepted one: by a TLS or
    /// WebSocket handshake, a greeting, a check of the peer.
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
    /// let silent = connect(listener.local()).await?; // delays no other client
    /// let mut client = connect(listener.local()).await?;
    /// client.send_all(&[1]).await?;
    /// let _greeted = listener.accept().await?;
    /// # drop(silent);
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// [`accept`](Listener::accept) panics outside of a tokio runtime with time enabled, since each
    /// handshake is a task of that runtime.
    fn upgrading<S, E, F, Fut>(self, limits: UpgradeLimits, upgrade: F) -> Upgrading<Self, S>
    where
        S: Socket,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
        F: Fn(Self::Socket) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<S, E>> + Send + 'static,
    {
        let upgrade = Arc::new(upgrade);
        let boxed = move |socket| {
            // The closure runs inside the future, so that a panic in it harms only one handshake.
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

/// The result of a handshake.
type Upgraded<S> = std::result::Result<S, Box<dyn std::error::Error + Send + Sync>>;

/// A listener whose sockets have gone through a handshake. Made by
/// [`upgrading`](ListenerExt::upgrading).
///
/// Each handshake is a task. They run beside one another, and go on while no task accepts. One that
/// hangs is dropped at its [deadline](UpgradeLimits::deadline). A panic ends only its own
/// handshake. Failures do not reach the accept loop. They are counted
/// ([`stats`](Upgrading::stats)), logged with the peer (as a `tracing` event of level `DEBUG`), and
/// reported to the [observer](Upgrading::on_failure).
///
/// If all [`at_once`](UpgradeLimits::at_once) handshakes hang, and sockets are accepted as they
/// finish, a new peer waits for a place: at most ⌈(b + 1) / `at_once`⌉ deadlines if b peers are
/// before it in the backlog, which is one deadline if b is less than `at_once`. The inner listener
/// refuses peers for which the backlog has no room.
///
/// An error of the inner listener is given once the sockets of all handshakes that had begun are
/// given out, or have failed. Dropping this listener drops the handshakes, and the sockets in them.
/// [`accept`](Listener::accept) is cancel-safe: a socket that is ready stays until it is given out.
pub struct Upgrading<L: Listener, S> {
    inner: L,
    limits: UpgradeLimits,
    upgrade: Box<dyn Fn(L::Socket) -> BoxFuture<'static, Upgraded<S>> + Send>,
    /// The result of each task: the socket, or `None` if it failed.
    running: JoinSet<Option<S>>,
    observer: Arc<Observer>,
    /// The reason for which the inner listener accepts no more.
    ended: Option<Error>,
}

impl<L: Listener, S: Socket> Upgrading<L, S> {
    /// Calls `observer` for each handshake that fails, in the handshake's task. It must not block.
    /// If it panics, only that task is harmed. Another observer replaces it for later failures.
    #[must_use]
    pub fn on_failure(
        mut self,
        observer: impl Fn(&UpgradeFailure<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Arc::new(self.observer.with(observer));
        self
    }

    /// The counts of finished handshakes.
    pub fn stats(&self) -> UpgradeStats {
        self.observer.stats()
    }

    /// The listener inside.
    pub fn get_ref(&self) -> &L {
        &self.inner
    }

    /// Begins handshakes for all peers that wait, as long as there are places.
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

    fn refusals(&self) -> u64 {
        self.inner.refusals()
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
