//! Two halves as one socket.

use std::fmt;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::socket::info::Info;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf, Socket};

/// The whole [`Socket`]: a receiving and a sending half, and nothing else.
///
/// All sockets of this crate are one, and those of others become one by this: a transport or a
/// layer writes two halves, and joins them. What the socket knows of itself ([`Half::info`]) is
/// what its receiving half knows. Splitting it gives the halves back.
///
/// ```
/// use socketry_transport::{Joined, Listener, Socket, SendExt, connect, listen};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = listen("mem://joined").await?;
/// let (recv, mut send) = connect(server.local()).await?.split();
/// send.send_all(b"split").await?;
/// let whole = Joined::new(recv, send);
/// socketry_transport::close(whole, 1024, std::time::Duration::ZERO).await?;
/// # Ok(()) }
/// ```
pub struct Joined<R, W> {
    recv: R,
    send: W,
}

impl<R, W> Joined<R, W> {
    /// Joins two halves. That they belong together is for the caller to know.
    pub fn new(recv: R, send: W) -> Self {
        Joined { recv, send }
    }

    /// Both halves, to look at.
    pub fn halves(&self) -> (&R, &W) {
        (&self.recv, &self.send)
    }

    /// Both halves, to use at once.
    pub fn halves_mut(&mut self) -> (&mut R, &mut W) {
        (&mut self.recv, &mut self.send)
    }

    /// Both halves.
    pub fn into_halves(self) -> (R, W) {
        (self.recv, self.send)
    }
}

impl<R: Half, W> fmt::Debug for Joined<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let info = self.recv.info();
        let (local, peer) = (info.local().redacted(), info.peer().redacted());
        write!(f, "Joined({local} to {peer})")
    }
}

impl<R: Half, W: Half> Half for Joined<R, W> {
    fn info(&self) -> &Info {
        self.recv.info()
    }
}

impl<R: RecvHalf, W: Half> RecvHalf for Joined<R, W> {
    fn recv_room(&self) -> usize {
        self.recv.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.recv.poll_recv(cx, buf)
    }
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        self.recv.poll_recv_batch(cx, batch)
    }
}

impl<R: Half, W: SendHalf> SendHalf for Joined<R, W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.send.poll_send(cx, parts)
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        self.send.poll_send_run(cx, bytes, size)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send.poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.send.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.send.abort_on_drop(on)
    }
}

impl<R: RecvHalf + 'static, W: SendHalf + 'static> Socket for Joined<R, W> {
    type Recv = R;
    type Send = W;

    fn split(self) -> (R, W) {
        (self.recv, self.send)
    }
}
