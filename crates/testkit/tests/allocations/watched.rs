//! A socket that counts how it is read.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use socketry_transport::{Aborted, Half, Info, Received, RecvHalf, SendHalf};
use tokio::io::ReadBuf;

/// A socket that counts the receives that gave bytes, and those that had none.
pub(crate) struct Watched<S> {
    socket: S,
    reads: u64,
    waits: u64,
}

impl<S> Watched<S> {
    pub(crate) fn new(socket: S) -> Self {
        let (reads, waits) = (0, 0);
        Watched {
            socket,
            reads,
            waits,
        }
    }

    /// The number of reads, and of waits.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.reads, self.waits)
    }
}

impl<S: Half> Half for Watched<S> {
    fn info(&self) -> &Info {
        self.socket.info()
    }
}

impl<S: RecvHalf> RecvHalf for Watched<S> {
    fn recv_room(&self) -> usize {
        self.socket.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let received = self.socket.poll_recv(cx, buf);
        match received {
            Poll::Ready(_) => self.reads += 1,
            Poll::Pending => self.waits += 1,
        }
        received
    }
}

impl<S: SendHalf> SendHalf for Watched<S> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_send(cx, parts)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.socket.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.socket.abort_on_drop(on)
    }
}
