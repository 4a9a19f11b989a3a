//! How sockets are accepted.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::socket::Socket;

/// A source of accepted sockets.
pub trait Listener: Send + Unpin + 'static {
    /// What it accepts.
    type Socket: Socket;

    /// Where it listens, with the real port.
    fn local(&self) -> &Endpoint;

    /// Everywhere it listens, [`local`](Listener::local) first: a name may have several addresses.
    /// By default that is the one.
    fn locals(&self) -> Vec<Endpoint> {
        vec![self.local().clone()]
    }

    /// Waits for the next peer.
    ///
    /// What passes by itself (a client that vanished, no free file descriptor) is waited out
    /// inside, without spinning.
    ///
    /// # Errors
    /// Only those after which this listener accepts no more.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>>;

    /// Waits for the next peer. Cancel-safe: nobody who was accepted is lost.
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
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        (**self).poll_accept(cx)
    }
}
