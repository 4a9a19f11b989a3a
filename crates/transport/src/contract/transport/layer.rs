//! Transports that wrap transports.

use async_trait::async_trait;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;

/// Makes a transport of a transport: the sockets of the new one wrap those of the transport inside.
///
/// A layer is written once for any `T`. It serves static types ([`Stack`]) and the registry
/// ([`Registry::layer`](crate::Registry::layer)), since an erased transport is a transport too. A
/// closure is a layer. [`Deadlines`](crate::Deadlines) is one that comes with this crate.
///
/// # Implementing
///
/// A whole layer, which bounds how often a transport connects:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
///
/// use socketry_transport::{
///     Endpoint, Error, ErrorKind, Keys, Layer, MemTransport, Result, Stack, Transport,
///     async_trait,
/// };
///
/// /// At most this many connects in the life of a transport.
/// struct Quota(usize);
///
/// struct Counted<T> {
///     inner: T,
///     left: Arc<AtomicUsize>,
/// }
///
/// impl<T: Transport> Layer<T> for Quota {
///     type Transport = Counted<T>;
///
///     fn layer(&self, inner: T) -> Counted<T> {
///         let left = Arc::new(AtomicUsize::new(self.0));
///         Counted { inner, left }
///     }
/// }
///
/// #[async_trait]
/// impl<T: Transport> Transport for Counted<T> {
///     type Socket = T::Socket;
///     type Listener = T::Listener;
///
///     fn keys(&self) -> Keys {
///         self.inner.keys() // and those of the layer: .and(["quota"])
///     }
///     async fn connect(&self, to: &Endpoint) -> Result<T::Socket> {
///         let one_less = |left: usize| left.checked_sub(1);
///         let (set, fetch) = (Ordering::SeqCst, Ordering::SeqCst);
///         self.left.fetch_update(set, fetch, one_less).map_err(|_| {
///             Error::new(ErrorKind::Denied, "connect to", to).because("the quota is used up")
///         })?;
///         self.inner.connect(to).await
///     }
///     async fn listen(&self, at: &Endpoint) -> Result<T::Listener> {
///         self.inner.listen(at).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let stack = Stack::new(MemTransport::default()).with(Quota(1));
/// let server = stack.listen(&"mem://quota".parse()?).await?;
/// let at = socketry_transport::Listener::local(&server);
/// let _first = stack.connect(at).await?;
/// let second = stack.connect(at).await.unwrap_err();
/// assert_eq!(second.kind(), ErrorKind::Denied);
/// # Ok(()) }
/// ```
///
/// A layer that changes the bytes that are sent or received wraps one half or both and
/// [joins](crate::Joined) them again: `examples/layered.rs` does.
///
/// Common mistakes of implementers:
///
/// * The layer leaves its own keys in the URL, and the transport inside refuses them. Take them out
///   ([`Endpoint::without_key`](crate::Endpoint::without_key)), and add them to
///   [`keys`](Transport::keys).
/// * A wrapped half makes an [`Info`](crate::Info) of its own. Pass on the one inside, or a clone
///   with one entry changed: it has the credentials and the facts that other layers added.
/// * The layer does not forward a provided method, and so its default is used: batches and runs
///   become slow ([`poll_recv_batch`](crate::RecvHalf::poll_recv_batch),
///   [`poll_send_run`](crate::SendHalf::poll_send_run)), a buffer is never flushed
///   ([`poll_flush`](crate::SendHalf::poll_flush)), and datagrams are cut
///   ([`recv_room`](crate::RecvHalf::recv_room)).
/// * A timer or a task of a socket outlives the socket. Keep timers in the halves.
pub trait Layer<T: Transport> {
    /// The type of the wrapped transport.
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

/// A transport under layers, as a static type. The last layer that was added is the outermost: it
/// is called first.
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

    /// The same with one more `layer` around all others.
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
