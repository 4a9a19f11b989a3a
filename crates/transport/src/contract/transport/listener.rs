//! Accepting sockets.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::socket::Socket;

/// A source of accepted sockets.
///
/// # Implementing
///
/// A whole listener: one that waits between two sockets, so that a flood of clients comes in
/// slowly.
///
/// ```
/// use std::future::Future;
/// use std::pin::Pin;
/// use std::task::{Context, Poll, ready};
/// use std::time::Duration;
///
/// use socketry_transport::{Endpoint, Listener, Result, connect, listen};
/// use tokio::time::{Sleep, sleep};
///
/// struct Paced<L> {
///     inner: L,
///     gap: Duration,
///     rest: Option<Pin<Box<Sleep>>>,
/// }
///
/// impl<L: Listener> Listener for Paced<L> {
///     type Socket = L::Socket;
///
///     fn local(&self) -> &Endpoint {
///         self.inner.local()
///     }
///
///     fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<L::Socket>> {
///         if let Some(rest) = &mut self.rest {
///             ready!(rest.as_mut().poll(cx));
///             self.rest = None;
///         }
///         let socket = ready!(self.inner.poll_accept(cx))?;
///         self.rest = Some(Box::pin(sleep(self.gap)));
///         Poll::Ready(Ok(socket))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let (inner, gap) = (listen("mem://*").await?, Duration::from_millis(1));
/// let mut paced = Paced { inner, gap, rest: None };
/// let _clients = (connect(paced.local()).await?, connect(paced.local()).await?);
/// let _accepted = (paced.accept().await?, paced.accept().await?);
/// # Ok(()) }
/// ```
///
/// Common mistakes of implementers:
///
/// * An error ends the accept loop of most programs. So the listener itself waits until a temporary
///   failure is over, and drops a client that fails.
/// * With a handshake inside of [`poll_accept`](Listener::poll_accept), one silent client holds up
///   all others. Handshakes belong into [`upgrading`](crate::ListenerExt::upgrading).
/// * Between two polls, an accepted socket is kept in the listener itself, since the caller may
///   drop the future of [`accept`](Listener::accept) at any time.
/// * Dropping the listener refuses the clients that were not accepted yet. The sockets that it gave
///   go on.
pub trait Listener: Send + Unpin + 'static {
    /// The sockets that it accepts.
    type Socket: Socket;

    /// Where it listens, with the real port.
    fn local(&self) -> &Endpoint;

    /// All endpoints where it listens, [`local`](Listener::local) first: a name may have several
    /// addresses. The default is `local` only.
    fn locals(&self) -> Vec<Endpoint> {
        vec![self.local().clone()]
    }

    /// The number of clients that it has accepted and closed at once, since the system had no
    /// descriptor or memory to serve them. It only grows, and the task that accepts is polled again
    /// after each. A listener around another passes on the number of that one. Default 0.
    fn refusals(&self) -> u64 {
        0
    }

    /// Waits for the next peer.
    ///
    /// The listener itself waits until a temporary failure is over (a client that vanished, no free
    /// file descriptor), without spinning.
    ///
    /// # Errors
    /// Only those after which this listener accepts no more.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>>;

    /// Waits for the next peer. Cancel-safe: no accepted socket is lost.
    fn accept(&mut self) -> Accept<'_, Self>
    where
        Self: Sized,
    {
        Accept { listener: self }
    }
}

/// The future of [`Listener::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct Accept<'a, L> {
    listener: &'a mut L,
}

impl<L: Listener> Future for Accept<'_, L> {
    type Output = Result<L::Socket>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.listener.poll_accept(cx)
    }
}

impl<L: Listener + ?Sized> Listener for Box<L> {
    type Socket = L::Socket;

    fn local(&self) -> &Endpoint {
        (**self).local()
    }
    fn locals(&self) -> Vec<Endpoint> {
        (**self).locals()
    }
    fn refusals(&self) -> u64 {
        (**self).refusals()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        (**self).poll_accept(cx)
    }
}
