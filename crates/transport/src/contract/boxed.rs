//! The erased forms: one socket type, one listener type and one transport type for every scheme.
//!
//! There is no twin of the traits. [`erase`] fixes the associated types of [`Transport`] to the
//! boxed ones.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::socket::forward::{forward_half, forward_recv, forward_send};
use crate::contract::socket::{Half, RecvHalf, SendHalf, Socket};
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::contract::transport::listener::Listener;

/// A receiving half of any transport.
pub type BoxRecv = Box<dyn RecvHalf>;
/// A sending half of any transport.
pub type BoxSend = Box<dyn SendHalf>;
/// A transport of any kind, shared.
pub type BoxTransport = Arc<dyn Transport<Socket = BoxSocket, Listener = BoxListener>>;

/// The methods that [`BoxSocket`] needs: `split` by value, through a box.
///
/// A blanket trait, because a hand-written `split_boxed(self: Box<Self>) { self.split() }` would
/// resolve to the `Socket` of `Box<Self>` and call itself for ever.
trait Erased: RecvHalf + SendHalf {
    fn split_boxed(self: Box<Self>) -> (BoxRecv, BoxSend);
    fn any(&self) -> &dyn Any;
    fn any_mut(&mut self) -> &mut dyn Any;
    fn any_boxed(self: Box<Self>) -> Box<dyn Any>;
}

impl<S: Socket> Erased for S {
    fn split_boxed(self: Box<Self>) -> (BoxRecv, BoxSend) {
        let (recv, send) = S::split(*self);
        (Box::new(recv), Box::new(send))
    }
    fn any(&self) -> &dyn Any {
        self
    }
    fn any_mut(&mut self) -> &mut dyn Any {
        self
    }
    fn any_boxed(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

/// A connected socket of any transport.
///
/// The socket inside can be looked at, and taken out:
///
/// ```
/// use socketry_transport::{BoxSocket, Listener, MemSocket, connect, listen};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = listen("mem://boxed").await?;
/// let socket: BoxSocket = connect(server.local()).await?;
/// assert!(socket.is::<MemSocket>());
/// let socket: MemSocket = socket.downcast().expect("it is one");
/// # Ok(()) }
/// ```
pub struct BoxSocket(Box<dyn Erased>);

impl BoxSocket {
    /// Hides the type of `socket`. One whose type is hidden already is not boxed again.
    pub fn new(socket: impl Socket) -> Self {
        let boxed = BoxSocket(Box::new(socket));
        boxed.downcast().unwrap_or_else(|boxed| boxed)
    }

    /// The socket inside, of any type.
    pub fn as_any(&self) -> &dyn Any {
        self.0.any()
    }

    /// Whether an `S` is inside.
    pub fn is<S: Socket>(&self) -> bool {
        self.as_any().is::<S>()
    }

    /// The `S` that is inside.
    pub fn downcast_ref<S: Socket>(&self) -> Option<&S> {
        self.as_any().downcast_ref()
    }

    /// The `S` that is inside, to change it.
    pub fn downcast_mut<S: Socket>(&mut self) -> Option<&mut S> {
        self.0.any_mut().downcast_mut()
    }

    /// Takes the `S` out.
    ///
    /// # Errors
    /// The socket as it was, if something else is inside.
    pub fn downcast<S: Socket>(self) -> std::result::Result<S, Self> {
        if !self.is::<S>() {
            return Err(self);
        }
        match self.0.any_boxed().downcast() {
            Ok(socket) => Ok(*socket),
            Err(_) => unreachable!("its type was asked for"),
        }
    }
}

impl fmt::Debug for BoxSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, peer) = (self.local().redacted(), self.peer().redacted());
        write!(f, "BoxSocket({local} to {peer})")
    }
}

impl Half for BoxSocket {
    forward_half!(self => self.0);
}

impl RecvHalf for BoxSocket {
    forward_recv!(self => self.0);
}

impl SendHalf for BoxSocket {
    forward_send!(self => self.0);
}

impl Socket for BoxSocket {
    type Recv = BoxRecv;
    type Send = BoxSend;

    fn split(self) -> (BoxRecv, BoxSend) {
        self.0.split_boxed()
    }
}

/// A listener of any transport, accepting [`BoxSocket`]s.
pub struct BoxListener(Box<dyn Listener<Socket = BoxSocket>>);

impl BoxListener {
    /// Hides the type of `listener`.
    pub fn new(listener: impl Listener) -> Self {
        BoxListener(Box::new(Boxing(listener)))
    }
}

impl fmt::Debug for BoxListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BoxListener({})", self.local().redacted())
    }
}

impl Listener for BoxListener {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn locals(&self) -> Vec<Endpoint> {
        self.0.locals()
    }
    fn refusals(&self) -> u64 {
        self.0.refusals()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        self.0.poll_accept(cx)
    }
}

/// Boxes the sockets and listeners that the listener or transport inside gives.
struct Boxing<T>(T);

impl<L: Listener> Listener for Boxing<L> {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn locals(&self) -> Vec<Endpoint> {
        self.0.locals()
    }
    fn refusals(&self) -> u64 {
        self.0.refusals()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        self.0.poll_accept(cx).map_ok(BoxSocket::new)
    }
}

#[async_trait]
impl<T: Transport> Transport for Boxing<T> {
    type Socket = BoxSocket;
    type Listener = BoxListener;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        self.0.connect(to).await.map(BoxSocket::new)
    }
    async fn listen(&self, at: &Endpoint) -> Result<BoxListener> {
        self.0.listen(at).await.map(BoxListener::new)
    }
}

/// The erased form of a transport.
pub fn erase(transport: impl Transport) -> BoxTransport {
    Arc::new(Boxing(transport))
}
