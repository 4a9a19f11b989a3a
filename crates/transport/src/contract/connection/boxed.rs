//! The erased forms of connections.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_trait::async_trait;

use crate::contract::boxed::BoxSocket;
use crate::contract::connection::Connection;
use crate::contract::connection::transport::{MuxListener, MuxTransport};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::socket::info::Info;
use crate::contract::transport::keys::Keys;

/// The methods that [`BoxConnection`] needs: [`Connection`] with erased streams, and cloning
/// through a box.
trait Erased: Send + Unpin {
    fn clone_boxed(&self) -> Box<dyn Erased>;
    fn info(&self) -> &Info;
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<BoxSocket>>;
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<BoxSocket>>>;
    fn close(&self, code: u64, reason: &str);
    fn datagrams(&self) -> Option<BoxSocket>;
}

impl<C: Connection> Erased for C {
    fn clone_boxed(&self) -> Box<dyn Erased> {
        Box::new(self.clone())
    }
    fn info(&self) -> &Info {
        Connection::info(self)
    }
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<BoxSocket>> {
        Connection::poll_open(self, cx).map_ok(BoxSocket::new)
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<BoxSocket>>> {
        Connection::poll_accept(self, cx).map_ok(|stream| stream.map(BoxSocket::new))
    }
    fn close(&self, code: u64, reason: &str) {
        Connection::close(self, code, reason);
    }
    fn datagrams(&self) -> Option<BoxSocket> {
        Connection::datagrams(self)
    }
}

/// A [`Connection`] of any transport; its streams are [`BoxSocket`]s.
pub struct BoxConnection(Box<dyn Erased>);

impl BoxConnection {
    /// Hides the type of `connection`.
    pub fn new(connection: impl Connection) -> Self {
        BoxConnection(Box::new(connection))
    }
}

impl Clone for BoxConnection {
    fn clone(&self) -> Self {
        BoxConnection(self.0.clone_boxed())
    }
}

impl Connection for BoxConnection {
    type Stream = BoxSocket;

    fn info(&self) -> &Info {
        self.0.info()
    }
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<BoxSocket>> {
        self.0.poll_open(cx)
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<BoxSocket>>> {
        self.0.poll_accept(cx)
    }
    fn close(&self, code: u64, reason: &str) {
        self.0.close(code, reason);
    }
    fn datagrams(&self) -> Option<BoxSocket> {
        self.0.datagrams()
    }
}

impl fmt::Debug for BoxConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (local, peer) = (self.local().redacted(), self.peer().redacted());
        write!(f, "BoxConnection({local} to {peer})")
    }
}

/// A listener of any kind that accepts [`BoxConnection`]s.
pub type BoxMuxListener = Box<dyn MuxListener<Connection = BoxConnection>>;

/// A [`MuxTransport`] of any kind, shared.
pub type BoxMux = Arc<dyn MuxTransport<Connection = BoxConnection, Listener = BoxMuxListener>>;

/// The erased form of a transport of connections.
pub fn erase_mux(transport: impl MuxTransport) -> BoxMux {
    Arc::new(Boxing(transport))
}

/// Boxes the connections and listeners that the listener or transport inside gives.
struct Boxing<T>(T);

impl<L: MuxListener> MuxListener for Boxing<L> {
    type Connection = BoxConnection;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }
    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxConnection>> {
        self.0.poll_accept(cx).map_ok(BoxConnection::new)
    }
}

#[async_trait]
impl<M: MuxTransport> MuxTransport for Boxing<M> {
    type Connection = BoxConnection;
    type Listener = BoxMuxListener;

    fn keys(&self) -> Keys {
        self.0.keys()
    }
    async fn connect(&self, to: &Endpoint) -> Result<BoxConnection> {
        self.0.connect(to).await.map(BoxConnection::new)
    }
    async fn listen(&self, at: &Endpoint) -> Result<BoxMuxListener> {
        let listener = self.0.listen(at).await?;
        Ok(Box::new(Boxing(listener)))
    }
}
