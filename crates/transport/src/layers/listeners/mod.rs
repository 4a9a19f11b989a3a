//! Several listeners as one.

mod handle;
mod members;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::contract::boxed::{BoxListener, BoxSocket};
use crate::contract::endpoint::{Address, Endpoint};
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::socket::relabelled::relabel;
use crate::contract::transport::listener::Listener;
use crate::contract::transport::registry::Registry;
pub use handle::{ListenersHandle, TooLate};
pub use members::{AcceptedBy, ListenerFailure, ListenerId};
use members::{Members, Turn};

/// A listener made of any number of others, which can be added and removed while it accepts.
///
/// The listeners inside take turns, so that a flood at one does not hold up the clients of another.
/// Each socket comes with the [listener that accepted it](AcceptedBy). A listener that fails is
/// removed, logged (as a `tracing` event of level `WARN`) and reported to the
/// [observer](Listeners::on_failure). The others go on.
///
/// ```
/// use socketry_transport::{Listeners, Registry, connect};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::standard();
/// let mut listeners = Listeners::at(&registry, ["tcp://127.0.0.1:0", "mem://*"]).await?;
/// let handle = listeners.handle(); // for other tasks: adds, removes, lists
/// let [(tcp, _), (_, mem)] = &handle.locals()[..] else { unreachable!() };
///
/// let _client = connect(mem).await?;
/// let (_socket, by) = listeners.accept_from().await.expect("a handle is left");
/// assert_eq!(&by.local, mem);
/// handle.remove(*tcp);
/// # Ok(()) }
/// ```
///
/// Without a listener inside, accepting waits until a [handle](ListenersHandle) adds one. When no
/// handle is left either, it ends. Dropping this drops the listeners inside.
pub struct Listeners {
    members: Arc<Members>,
    /// Its endpoint before a listener is added.
    none: Endpoint,
    observer: Option<Observer>,
}

type Observer = Box<dyn Fn(&ListenerFailure) + Send>;

impl Listeners {
    /// Without a listener.
    pub fn new() -> Self {
        Listeners {
            members: Arc::default(),
            none: Endpoint::known("listeners", &Address::Name("none".to_owned())),
            observer: None,
        }
    }

    /// Listens at each of `urls`, with the transports of `registry`.
    ///
    /// # Errors
    /// As [`Registry::listen`], for the first that fails. The listeners before it are dropped.
    pub async fn at<E>(registry: &Registry, urls: impl IntoIterator<Item = E>) -> Result<Self>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let mut listeners = Listeners::new();
        for url in urls {
            listeners.add(registry.listen(url).await?);
        }
        Ok(listeners)
    }

    /// Accepts from `listener`, too.
    pub fn add(&mut self, listener: impl Listener) -> ListenerId {
        let listener = BoxListener::new(listener);
        self.members.add(listener)
    }

    /// Calls `observer` for each listener that fails, while accepting.
    #[must_use]
    pub fn on_failure(mut self, observer: impl Fn(&ListenerFailure) + Send + 'static) -> Self {
        self.observer = Some(Box::new(observer));
        self
    }

    /// A handle that adds and removes listeners from anywhere.
    pub fn handle(&self) -> ListenersHandle {
        ListenersHandle::new(&self.members)
    }

    /// The id and endpoint of each listener inside, in the order in which they were added.
    pub fn locals(&self) -> Vec<(ListenerId, Endpoint)> {
        self.members.locals()
    }

    /// Waits for the next peer. Gives its socket, and the listener that accepted it. `None` when no
    /// listener is left, and no handle that could add one.
    pub fn poll_accept_from(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<(BoxSocket, AcceptedBy)>> {
        loop {
            match ready!(self.members.poll_turn(cx)) {
                Turn::Accepted(socket, by) => return Poll::Ready(Some((socket, by))),
                Turn::Failed(failure) => {
                    tracing::warn!("{failure}");
                    if let Some(observer) = &self.observer {
                        observer(&failure);
                    }
                }
                Turn::Ended => return Poll::Ready(None),
            }
        }
    }

    /// As [`poll_accept_from`](Listeners::poll_accept_from), to await. Cancel-safe: no accepted
    /// socket is lost.
    pub async fn accept_from(&mut self) -> Option<(BoxSocket, AcceptedBy)> {
        poll_fn(|cx| self.poll_accept_from(cx)).await
    }
}

impl Default for Listeners {
    fn default() -> Self {
        Self::new()
    }
}

/// Its own endpoint is that of the first listener that was added, here or by a handle. It stays so
/// when that listener is removed, while `locals` has those that are left. The
/// [`Info`](crate::Info) of each socket has the extension [`AcceptedBy`]: the listener that
/// accepted it. It fails with [`Closed`](ErrorKind::Closed) when no listener and no handle is left.
impl Listener for Listeners {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        self.members.first().unwrap_or(&self.none)
    }

    fn locals(&self) -> Vec<Endpoint> {
        let locals = self.members.locals().into_iter();
        locals.map(|(_, local)| local).collect()
    }

    /// The sum over all listeners. It falls when one is removed.
    fn refusals(&self) -> u64 {
        self.members.refusals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        let accepted = ready!(self.poll_accept_from(cx));
        Poll::Ready(accepted.map(labelled).ok_or_else(|| {
            Error::new(ErrorKind::Closed, "accept at", self.local())
                .because("no listener is left, and no handle that could add one")
        }))
    }
}

/// The socket, with the listener that accepted it in its `Info`.
fn labelled((socket, by): (BoxSocket, AcceptedBy)) -> BoxSocket {
    BoxSocket::new(relabel(socket, |info| info.with(by)))
}

impl Drop for Listeners {
    fn drop(&mut self) {
        self.members.close();
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Listeners").field(&self.members).finish()
    }
}
