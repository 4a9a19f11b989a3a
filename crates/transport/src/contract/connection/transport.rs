//! Connecting and listening for connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;

use crate::contract::connection::Connection;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::transport::keys::Keys;

/// A way to make connections with many streams, as [`Transport`](crate::Transport) is for sockets.
///
/// [`Streams`](crate::Streams) makes a transport of it. Each socket of that transport is a stream.
#[async_trait]
pub trait MuxTransport: Send + Sync + 'static {
    /// The connections that it makes, by connecting and by accepting.
    type Connection: Connection;
    /// The listener that [`listen`](MuxTransport::listen) gives.
    type Listener: MuxListener<Connection = Self::Connection>;

    /// The query keys that this transport understands, as
    /// [`Transport::keys`](crate::Transport::keys).
    fn keys(&self) -> Keys {
        Keys::default()
    }

    /// Connects to `to`. Cancel-safe: dropping the future abandons the attempt.
    ///
    /// # Errors
    /// As [`Transport::connect`](crate::Transport::connect).
    async fn connect(&self, to: &Endpoint) -> Result<Self::Connection>;

    /// Starts to listen at `at`.
    ///
    /// # Errors
    /// As [`Transport::listen`](crate::Transport::listen).
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener>;
}

#[async_trait]
impl<M: MuxTransport + ?Sized> MuxTransport for Arc<M> {
    type Connection = M::Connection;
    type Listener = M::Listener;

    fn keys(&self) -> Keys {
        (**self).keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Connection> {
        (**self).connect(to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        (**self).listen(at).await
    }
}

/// A source of accepted connections, as [`Listener`](crate::Listener) is for sockets.
pub trait MuxListener: Send + Unpin + 'static {
    /// The connections that it accepts.
    type Connection: Connection;

    /// Where it listens, with the real port.
    fn local(&self) -> &Endpoint;

    /// Waits for the next connection. The listener itself waits until a temporary failure is over.
    ///
    /// # Errors
    /// Only those after which this listener accepts no more.
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Connection>>;

    /// Waits for the next connection. Cancel-safe: no accepted connection is lost.
    fn accept(&mut self) -> AcceptConnection<'_, Self>
    where
        Self: Sized,
    {
        AcceptConnection { listener: self }
    }
}

/// The future of [`MuxListener::accept`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct AcceptConnection<'a, L> {
    listener: &'a mut L,
}

impl<L: MuxListener> Future for AcceptConnection<'_, L> {
    type Output = Result<L::Connection>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.listener.poll_accept(cx)
    }
}

impl<L: MuxListener + ?Sized> MuxListener for Box<L> {
    type Connection = L::Connection;

    fn local(&self) -> &Endpoint {
        (**self).local()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Connection>> {
        (**self).poll_accept(cx)
    }
}
