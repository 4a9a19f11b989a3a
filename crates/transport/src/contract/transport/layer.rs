//! Transports that wrap transports.

use async_trait::async_trait;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;

/// Makes a transport of a transport: the same sockets with something between them and their user.
///
/// A layer is written once for any `T` and serves static types ([`Stack`]) and the registry
/// ([`Registry::layer`](crate::Registry::layer)) alike, since an erased transport is a transport
/// too. A closure is a layer:
///
/// ```
/// use socketry_transport::{Layer, MemTransport, Stack, Transport};
///
/// let stack = Stack::new(MemTransport::default()).with(|inner| std::sync::Arc::new(inner));
/// # let _: &dyn Transport<Socket = _, Listener = _> = &stack;
/// ```
pub trait Layer<T: Transport> {
    /// What the wrapped transport is.
    type Transport: Transport;

    /// Wraps `inner`.
    fn layer(&self, inner: T) -> Self::Transport;
}

impl<T: Transport, U: Transport, F: Fn(T) -> U> Layer<T> for F {
    type Transport = U;

    fn layer(&self, inner: T) -> U {
        self(inner)
    }
}

/// A transport under layers, as a static type: the last layer added is the outermost, and is asked
/// first.
///
/// A `Stack` is a transport itself, and forwards everything to the outermost layer.
#[derive(Clone, Debug, Default)]
pub struct Stack<T> {
    transport: T,
}

impl<T: Transport> Stack<T> {
    /// `transport` without a layer.
    pub fn new(transport: T) -> Self {
        Stack { transport }
    }

    /// The same with one more `layer`, around all that is there.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a layer is made where it is given"
    )]
    pub fn with<L: Layer<T>>(self, layer: L) -> Stack<L::Transport> {
        Stack::new(layer.layer(self.transport))
    }

    /// The outermost transport.
    pub fn into_inner(self) -> T {
        self.transport
    }
}

#[async_trait]
impl<T: Transport> Transport for Stack<T> {
    type Socket = T::Socket;
    type Listener = T::Listener;

    fn keys(&self) -> Keys {
        self.transport.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<T::Socket> {
        self.transport.connect(to).await
    }
    async fn listen(&self, at: &Endpoint) -> Result<T::Listener> {
        self.transport.listen(at).await
    }
}
