//! The control path: connecting and listening. Both are so rare that a boxed future does not
//! matter.

pub(crate) mod keys;
pub(crate) mod layer;
pub(crate) mod listener;
pub(crate) mod registry;
mod renamed;

use std::sync::Arc;

use async_trait::async_trait;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::socket::Socket;
use keys::Keys;
use listener::Listener;

/// A way to make connected sockets, by connecting or by accepting.
///
/// The associated types keep the generic path static. With them fixed to
/// [`BoxSocket`](crate::BoxSocket) and [`BoxListener`](crate::BoxListener) the same trait is the
/// erased form: see [`erase`](crate::erase). A shared transport is a transport too: `Arc<T>`
/// forwards all methods, so an erased transport can be used wherever a transport is expected.
///
/// # Implementing
///
/// A whole transport, which connects to processes: `cat://` is a child process that sends back the
/// bytes that it receives. A socket can be made of any reader and writer. A listener is a [trait of
/// its own](crate::Listener), and this transport has no listener.
///
/// ```
/// use std::process::Stdio;
/// use std::task::{Context, Poll};
///
/// use socketry_transport::{
///     Endpoint, Error, ErrorKind, Info, IoRecv, IoSend, Joined, Keys, Listener, RecvExt, Registry,
///     Result, SendExt, Shape, SocketOptions, Transport, async_trait,
/// };
/// use tokio::process::{ChildStdin, ChildStdout, Command};
///
/// struct Cat;
///
/// type Pipes = Joined<IoRecv<ChildStdout>, IoSend<ChildStdin>>;
///
/// #[async_trait]
/// impl Transport for Cat {
///     type Socket = Pipes;
///     type Listener = Never;
///
///     fn keys(&self) -> Keys {
///         Keys::default() // no options
///     }
///
///     async fn connect(&self, to: &Endpoint) -> Result<Pipes> {
///         SocketOptions::from_query(to, self.keys())?;
///         let failed = |error| Error::io("connect to", to, error);
///         let mut command = Command::new("cat");
///         command.stdin(Stdio::piped()).stdout(Stdio::piped());
///         let mut child = command.spawn().map_err(failed)?;
///         let (Some(write), Some(read)) = (child.stdin.take(), child.stdout.take()) else {
///             return Err(Error::new(ErrorKind::Other, "connect to", to));
///         };
///         let info = Info::new(Shape::Stream, "cat://parent".parse()?, to.clone());
///         Ok(Joined::from_read_write(read, write, info))
///     }
///
///     async fn listen(&self, at: &Endpoint) -> Result<Never> {
///         Err(Error::new(ErrorKind::Unsupported, "listen at", at))
///     }
/// }
///
/// /// The listener of a transport that only connects.
/// enum Never {}
///
/// impl Listener for Never {
///     type Socket = Pipes;
///
///     fn local(&self) -> &Endpoint {
///         match *self {}
///     }
///     fn poll_accept(&mut self, _: &mut Context<'_>) -> Poll<Result<Pipes>> {
///         match *self {}
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::standard().with("cat", Cat);
/// let mut cat = registry.connect("cat://felix").await?;
/// cat.send_all(b"miau").await?;
/// let mut buf = [0; 16];
/// let (len, _) = cat.recv(&mut buf).await?;
/// assert_eq!(&buf[..len], b"miau");
/// # Ok(()) }
/// ```
///
/// Common mistakes of implementers:
///
/// * The transport ignores options that it does not know. It must refuse them. The registry checks
///   [keys](Transport::keys). A transport that is used directly checks them itself, with
///   [`SocketOptions::from_query`](crate::SocketOptions::from_query).
/// * The caller may drop the future of [`connect`](Transport::connect) at any time. All that it
///   began (a descriptor, a task, an entry in a table) must end with it.
/// * The endpoint that a socket or listener gives has no query, and a client can connect to it: the
///   local end of one socket is the peer of the other.
/// * Errors must name the action and the endpoint. [`Error::io`](crate::Error::io) does both.
///
/// The laws of `socketry_testkit` find all of these mistakes.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    /// The sockets that [`connect`](Transport::connect) gives.
    type Socket: Socket;
    /// The listener that [`listen`](Transport::listen) gives. Its sockets may be of another type
    /// than `Socket`: the session that a UDP listener accepts is not a UDP socket.
    type Listener: Listener;

    /// The query keys that this transport takes as options. They also say whether other keys belong
    /// to the URL, or are refused before a socket is made. By default there are no options, and all
    /// keys are refused.
    fn keys(&self) -> Keys {
        Keys::default()
    }

    /// Connects to `to`.
    ///
    /// Cancel-safe: dropping the future abandons the attempt.
    ///
    /// # Errors
    /// An [`Error`](crate::Error) whose [`kind`](crate::Error::kind) is the reason, for a program
    /// to match on.
    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket>;

    /// Starts to listen at `at`. Port 0 lets the system choose a port, and [`Listener::local`] has
    /// the port that it chose.
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
