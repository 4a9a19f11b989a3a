//! A socket without a kernel: it always has bytes to read, and takes all that are written.

use std::hint::black_box;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use socketry_transport::{
    Aborted, Endpoint, Half, Info, Received, RecvHalf, SendHalf, Shape, Socket,
};
use tokio::io::ReadBuf;

/// The same bytes again and again.
#[derive(Clone)]
pub(crate) struct Endless {
    wire: Vec<u8>,
    /// The position in `wire` where the next read begins.
    at: usize,
    info: Info,
}

impl Endless {
    pub(crate) fn new(wire: &[u8]) -> Self {
        let name: Endpoint = "mem://endless".parse().unwrap();
        let info = Info::new(Shape::Stream, name.clone(), name);
        let wire = wire.to_vec();
        Endless { wire, at: 0, info }
    }
}

impl Half for Endless {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl RecvHalf for Endless {
    fn poll_recv(
        &mut self,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        while buf.remaining() > 0 {
            let rest = &self.wire[self.at..];
            let len = rest.len().min(buf.remaining());
            buf.put_slice(&rest[..len]);
            self.at = (self.at + len) % self.wire.len();
        }
        Poll::Ready(Ok(Received::Data))
    }
}

impl SendHalf for Endless {
    fn poll_send(&mut self, _: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(black_box(parts).iter().map(|part| part.len()).sum()))
    }
    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn abort(&mut self, _: u64) -> io::Result<Aborted> {
        Ok(Aborted::Reset)
    }
}

impl Socket for Endless {
    type Recv = Endless;
    type Send = Endless;

    fn split(self) -> (Endless, Endless) {
        (self.clone(), self)
    }
}
