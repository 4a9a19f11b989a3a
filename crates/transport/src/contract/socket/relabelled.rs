//! A socket of which something else is known.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf, Socket};

/// A half that is the one inside, under another [`Info`].
///
/// It is for what a layer learns about a connection: the peer behind a proxy, a protocol that was
/// agreed on. [`relabel`] wraps a whole socket.
#[derive(Debug)]
pub struct Relabelled<H> {
    inner: H,
    info: Info,
}

/// `socket` with what `change` makes of its [`Info`]. Its shape stays what it is.
///
/// ```
/// use socketry_transport::{Half, Listener, connect, listen, relabel};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = listen("mem://relabelled").await?;
/// let _client = connect(server.local()).await?;
/// // What a header of the proxy said, for instance.
/// let client = "tcp://192.0.2.1:7000".parse()?;
/// let socket = relabel(server.accept().await?, |info| info.with_peer(client));
/// assert_eq!(socket.peer().to_string(), "tcp://192.0.2.1:7000");
/// # Ok(()) }
/// ```
pub fn relabel<S: Socket>(
    socket: S,
    change: impl FnOnce(Info) -> Info,
) -> Joined<Relabelled<S::Recv>, Relabelled<S::Send>> {
    let info = change(socket.info().clone());
    let (recv, send) = socket.split();
    Joined::new(
        Relabelled::new(recv, info.clone()),
        Relabelled::new(send, info),
    )
}

impl<H: Half> Relabelled<H> {
    /// `inner` with `info` in place of its own, but for its shape.
    pub fn new(inner: H, info: Info) -> Self {
        let info = info.with_shape(inner.shape());
        Relabelled { inner, info }
    }

    /// The half inside, which knows what it knew.
    pub fn into_inner(self) -> H {
        self.inner
    }
}

impl<H: Half> Half for Relabelled<H> {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl<H: RecvHalf> RecvHalf for Relabelled<H> {
    fn recv_room(&self) -> usize {
        self.inner.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.inner.poll_recv(cx, buf)
    }
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        self.inner.poll_recv_batch(cx, batch)
    }
}

impl<H: SendHalf> SendHalf for Relabelled<H> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_send(cx, parts)
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_send_run(cx, bytes, size)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.inner.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.inner.abort_on_drop(on)
    }
}
