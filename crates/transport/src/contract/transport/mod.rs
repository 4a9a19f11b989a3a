//! The control path: how sockets come to be. Rare enough that a boxed future does not matter.

pub(crate) mod keys;
pub(crate) mod layer;
pub(crate) mod listener;
pub(crate) mod registry;

use std::sync::Arc;

use async_trait::async_trait;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::socket::Socket;
use keys::Keys;
use listener::Listener;

/// A way to make connected sockets, by connecting or by accepting.
///
/// The associated types keep the generic path static. With them fixed to [`BoxSocket`](crate::BoxSocket) and
/// [`BoxListener`](crate::BoxListener) the same trait is the erased form: see [`erase`](crate::erase). A shared transport is
/// one too: `Arc<T>` forwards everything, so that an erased one goes where a transport is asked for.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// What [`connect`](Transport::connect) gives.
    type Socket: Socket;
    /// What [`listen`](Transport::listen) gives. Its sockets may be of another type than `Socket`: the session
    /// that a UDP listener accepts is not a UDP socket.
    type Listener: Listener;

    /// The query keys that this transport takes as options, and whether others belong to the URL or
    /// are refused before a socket is made. By default there are no options, and others are refused.
    fn keys(&self) -> Keys {
        Keys::default()
    }

    /// Connects to `to`.
    ///
    /// Cancel-safe: dropping the future abandons the attempt.
    ///
    /// # Errors
    /// An [`Error`](crate::Error) whose [`kind`](crate::Error::kind) says why: a failed connect is a value to match on.
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket>;

    /// Starts to listen at `at`; port 0 lets the system choose, and [`Listener::local`] tells what it chose.
    ///
    /// # Errors
    /// As [`connect`](Transport::connect); [`InUse`](crate::ErrorKind::InUse) and
    /// [`Denied`](crate::ErrorKind::Denied) are the common ones.
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    type Socket = T::Socket;
    type Listener = T::Listener;

    fn keys(&self) -> Keys {
        (**self).keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        (**self).connect(to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        (**self).listen(at).await
    }
}
