//! The halves of the socket to a child process.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;
use tokio::process::{ChildStdin, ChildStdout};

use super::process::{Exited, Process};
use crate::adapters::{Closing, IoRecv, IoSend};
use crate::contract::socket::forward::forward_half;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf};

/// The receiving half: the program's standard output.
#[derive(Debug)]
pub struct ExecRecv {
    pipe: IoRecv<ChildStdout>,
    process: Arc<Process>,
}

/// The sending half: the program's standard input.
#[derive(Debug)]
pub struct ExecSend {
    pipe: IoSend<Closing<ChildStdin>>,
    process: Arc<Process>,
    /// Whether the program sees the end of its input, also if it is killed later.
    finished: bool,
}

impl ExecRecv {
    pub(super) fn new(pipe: IoRecv<ChildStdout>, process: Arc<Process>) -> Self {
        ExecRecv { pipe, process }
    }
}

impl ExecSend {
    pub(super) fn new(pipe: IoSend<Closing<ChildStdin>>, process: Arc<Process>) -> Self {
        ExecSend {
            pipe,
            process,
            finished: false,
        }
    }
}

impl ExecSend {
    fn seen(&self) -> Aborted {
        match self.finished {
            true => Aborted::End,
            false => Aborted::Reset,
        }
    }
}

impl Half for ExecRecv {
    forward_half!(self => self.pipe);
}

impl Half for ExecSend {
    forward_half!(self => self.pipe);
}

impl RecvHalf for ExecRecv {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let received = ready!(self.pipe.poll_recv(cx, buf))?;
        if received != Received::End {
            return Poll::Ready(Ok(received));
        }
        let status = ready!(self.process.poll_exited(cx))?;
        match status.success() {
            true => Poll::Ready(Ok(Received::End)),
            // What it has written may not be all.
            false => Poll::Ready(Err(io::Error::new(
                io::ErrorKind::ConnectionReset,
                Exited(status),
            ))),
        }
    }
}

impl SendHalf for ExecSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.pipe.poll_send(cx, parts)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.finished = true;
        self.pipe.poll_finish(cx)
    }

    /// Kills the program's group before its input ends, so that it does not take that for an end.
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.process.kill();
        let _ended = self.pipe.abort(code)?;
        Ok(self.seen())
    }

    /// The group is always killed, if the program has not ended before.
    fn abort_on_drop(&mut self, _: bool) -> io::Result<Aborted> {
        Ok(self.seen())
    }
}
