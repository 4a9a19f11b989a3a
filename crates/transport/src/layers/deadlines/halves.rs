//! The two halves of a socket under deadlines.

use std::io::{self, IoSlice};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::ReadBuf;

use super::patience::Patience;
use crate::{Aborted, Batch, Half, Info, Received, RecvHalf, SendHalf, Upcoming};

/// A receiving half with a bound for silence.
#[derive(Debug)]
pub struct DeadlineRecv<R> {
    inner: R,
    silence: Patience,
}

impl<R> DeadlineRecv<R> {
    pub(super) fn new(inner: R, silence: Option<Duration>) -> Self {
        let silence = Patience::new(silence);
        DeadlineRecv { inner, silence }
    }
}

const SILENT: &str = "the peer sent nothing";

impl<R: Half> Half for DeadlineRecv<R> {
    fn info(&self) -> &Info {
        self.inner.info()
    }
}

impl<R: RecvHalf> RecvHalf for DeadlineRecv<R> {
    fn recv_room(&self) -> usize {
        self.inner.recv_room()
    }

    fn upcoming(&self) -> Upcoming {
        self.inner.upcoming()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let received = self.inner.poll_recv(cx, buf);
        self.silence.bound(cx, SILENT, received)
    }
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        let received = self.inner.poll_recv_batch(cx, batch);
        self.silence.bound(cx, SILENT, received)
    }
}

/// A sending half with a bound for blocked sends.
#[derive(Debug)]
pub struct DeadlineSend<W> {
    inner: W,
    blocked: Patience,
}

impl<W> DeadlineSend<W> {
    pub(super) fn new(inner: W, within: Option<Duration>) -> Self {
        let blocked = Patience::new(within);
        DeadlineSend { inner, blocked }
    }
}

const BLOCKED: &str = "the peer took nothing";

impl<W: Half> Half for DeadlineSend<W> {
    fn info(&self) -> &Info {
        self.inner.info()
    }
}

impl<W: SendHalf> SendHalf for DeadlineSend<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = self.inner.poll_send(cx, parts);
        self.blocked.bound(cx, BLOCKED, sent)
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        let sent = self.inner.poll_send_run(cx, bytes, size);
        self.blocked.bound(cx, BLOCKED, sent)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.inner.poll_flush(cx);
        self.blocked.bound(cx, BLOCKED, flushed)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let finished = self.inner.poll_finish(cx);
        self.blocked.bound(cx, BLOCKED, finished)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.inner.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.inner.abort_on_drop(on)
    }
}
