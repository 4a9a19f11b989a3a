//! Two halves as one socket.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::{Credentials, Half, Received, RecvHalf, SendHalf, Shape, Socket};

/// Two halves as one [`Socket`]: those of a socket that was split, together again, or two that somebody made.
///
/// What it says of itself (its ends, its shape, its credentials) is what the receiving half says. Splitting it gives
/// the halves back.
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
#[derive(Debug)]
pub struct Joined<R, W> {
    recv: R,
    send: W,
}

impl<R: RecvHalf, W: SendHalf> Joined<R, W> {
    /// Joins two halves. That they belong together is for the caller to know.
    pub fn new(recv: R, send: W) -> Self {
        Joined { recv, send }
    }
}

impl<R: Half, W: Half> Half for Joined<R, W> {
    fn shape(&self) -> Shape {
        self.recv.shape()
    }
    fn local(&self) -> &Endpoint {
        self.recv.local()
    }
    fn peer(&self) -> &Endpoint {
        self.recv.peer()
    }
    fn credentials(&self) -> Option<Credentials> {
        self.recv.credentials()
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
    fn set_abort_on_drop(&self, on: bool) -> io::Result<()> {
        self.send.set_abort_on_drop(on)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send.poll_finish(cx)
    }
}

impl<R: RecvHalf + 'static, W: SendHalf + 'static> Socket for Joined<R, W> {
    type Recv = R;
    type Send = W;

    fn split(self) -> (R, W) {
        (self.recv, self.send)
    }
}
