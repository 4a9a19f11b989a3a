//! The sending half of a socket through proxies.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};

use socketry_transport::{Aborted, Half, Info, SendHalf, Shape};

/// The sending half of a socket through proxies.
///
/// A proxy makes an orderly end of a reset, so an [abort](SendHalf::abort) answers
/// [`Aborted::End`]: the peer cannot tell that something is missing.
#[derive(Debug)]
pub struct ViaSend<W>(W);

impl<W> ViaSend<W> {
    pub(super) fn new(inner: W) -> Self {
        ViaSend(inner)
    }
}

impl<W: Half> Half for ViaSend<W> {
    fn info(&self) -> &Info {
        self.0.info()
    }
    fn shape(&self) -> Shape {
        self.0.shape()
    }
}

impl<W: SendHalf> SendHalf for ViaSend<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.poll_send(cx, parts)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.0.abort(code).map(|_| Aborted::End)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.0.abort_on_drop(on).map(|_| Aborted::End)
    }
}
