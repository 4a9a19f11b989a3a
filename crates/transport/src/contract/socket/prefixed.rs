//! A socket from which too much was read.

use std::io;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::ReadBuf;

use crate::contract::datagram::batch::Batch;
use crate::contract::socket::forward::forward_half;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::{Half, Received, RecvHalf, Socket, Upcoming};

/// A receiving half that first gives bytes that were read too early, and then receives from the
/// half inside.
///
/// On a stream, they are its next bytes. Where the peer sees boundaries, they are one message or
/// datagram, which is cut where the buffer is too small. An empty one cannot be put back: without
/// bytes, this half only receives from the one inside.
#[derive(Debug)]
pub struct Prefixed<R> {
    inner: R,
    prefix: Bytes,
}

/// `socket`, from which `bytes` are received before anything else.
///
/// ```
/// use socketry_transport::{Listener, RecvExt, SendExt, connect, listen, prefix};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut server = listen("mem://prefixed").await?;
/// let mut client = connect(server.local()).await?;
/// client.send_all(b"HELLO and more").await?;
/// let mut socket = server.accept().await?;
///
/// let mut buf = [0; 64];
/// let (len, _) = socket.recv(&mut buf).await?;
/// let (greeting, rest) = buf[..len].split_at(5);
/// assert_eq!(greeting, b"HELLO");
/// let mut socket = prefix(socket, rest.to_vec());
///
/// let (len, _) = socket.recv(&mut buf).await?;
/// assert_eq!(&buf[..len], b" and more");
/// # Ok(()) }
/// ```
pub fn prefix<S: Socket>(socket: S, bytes: impl Into<Bytes>) -> Joined<Prefixed<S::Recv>, S::Send> {
    let (recv, send) = socket.split();
    Joined::new(Prefixed::new(recv, bytes), send)
}

impl<R: RecvHalf> Prefixed<R> {
    /// Gives `bytes` before those that `inner` receives.
    pub fn new(inner: R, bytes: impl Into<Bytes>) -> Self {
        let prefix = bytes.into();
        Prefixed { inner, prefix }
    }

    /// The bytes that were not received yet, and the half inside.
    pub fn into_inner(self) -> (Bytes, R) {
        (self.prefix, self.inner)
    }

    fn take(&mut self, buf: &mut ReadBuf<'_>) -> Received {
        let received = match self.shape().is_stream() {
            true => {
                let fits = self.prefix.len().min(buf.remaining());
                buf.put_slice(&self.prefix[..fits]);
                self.prefix.advance(fits);
                Received::Data
            }
            false => Received::whole(&std::mem::take(&mut self.prefix), buf),
        };
        if self.prefix.is_empty() {
            // The bytes may keep a larger buffer alive.
            self.prefix = Bytes::new();
        }
        received
    }
}

impl<R: RecvHalf> Half for Prefixed<R> {
    forward_half!(self => self.inner);
}

impl<R: RecvHalf> RecvHalf for Prefixed<R> {
    fn recv_room(&self) -> usize {
        match self.shape().is_stream() {
            true => self.inner.recv_room(),
            false => self.inner.recv_room().max(self.prefix.len()),
        }
    }
    fn upcoming(&self) -> Upcoming {
        match (self.shape().is_stream(), self.prefix.len()) {
            (false, 1..) => Upcoming::Whole(self.prefix.len()),
            _ => self.inner.upcoming(),
        }
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if self.prefix.is_empty() {
            return self.inner.poll_recv(cx, buf);
        }
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        Poll::Ready(Ok(self.take(buf)))
    }
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        if self.prefix.is_empty() {
            return self.inner.poll_recv_batch(cx, batch);
        }
        batch.poll_one(self.recv_room(), |buf| self.poll_recv(cx, buf))
    }
}
