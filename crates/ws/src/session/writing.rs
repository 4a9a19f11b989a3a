//! The sending side, which both halves use.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, BytesMut};
use socketry_transport::SendHalf;

use super::wakers::Wakers;
use crate::close::{self, CloseCode};
use crate::frame::{self, Opcode, Role, mask};

/// How many bytes wait to be written, at most, before a sender waits. One message may be above it.
pub(super) const HIGH: usize = 64 * 1024;
/// From this length on, in bytes, a payload that is not masked is written from where it lies.
const LARGE: usize = 16 * 1024;
/// How much memory a connection keeps that has sent all.
const KEPT: usize = 1024;

/// The sending half of the socket inside, with the bytes that it has not taken yet.
pub(super) struct Writing<W> {
    pub(super) socket: W,
    pub(super) wakers: Arc<Wakers>,
    waker: Waker,
    /// Whole frames, but for the front of the first.
    out: BytesMut,
    /// The answer to the latest ping. An earlier one that was not sent needs none (section 5.5.3).
    pong: Option<Vec<u8>>,
    /// Whether a ping has to be sent.
    ping: bool,
    role: Role,
    /// Whether the socket inside took no more bytes when it was last asked.
    waits: bool,
    /// Whether it has taken some after such a wait, since the last ping.
    took: bool,
    /// Whether a close frame is sent, or among the bytes.
    pub(super) closing: bool,
    /// Whether this end has aborted the connection.
    pub(super) aborted: bool,
    /// Whether the peer gave no sign of life. Nothing that waits will ever leave.
    pub(super) dead: bool,
}

impl<W: SendHalf> Writing<W> {
    pub(super) fn new(socket: W, role: Role) -> Self {
        let wakers = Arc::<Wakers>::default();
        Writing {
            socket,
            waker: Waker::from(Arc::clone(&wakers)),
            wakers,
            out: BytesMut::new(),
            pong: None,
            ping: false,
            role,
            waits: false,
            took: false,
            closing: false,
            aborted: false,
            dead: false,
        }
    }

    /// Whether bytes wait to be written.
    pub(super) fn has_more(&self) -> bool {
        !self.out.is_empty() || self.pong.is_some() || self.ping
    }

    /// Whether a sender has to wait.
    pub(super) fn is_full(&self) -> bool {
        self.out.len() >= HIGH
    }

    /// A client's mask.
    fn mask(&self) -> io::Result<Option<[u8; 4]>> {
        match self.role {
            Role::Client => mask::new().map(Some),
            Role::Server => Ok(None),
        }
    }

    /// Takes a message. The caller has seen that it need not wait.
    pub(super) fn message(
        &mut self,
        opcode: Opcode,
        parts: &[IoSlice<'_>],
        len: usize,
    ) -> io::Result<()> {
        let mask = self.mask()?;
        if mask.is_none() && len >= LARGE {
            return self.large(opcode, parts, len);
        }
        let parts = parts.iter().map(|part| &**part);
        frame::put(&mut self.out, opcode, parts, mask);
        Ok(())
    }

    /// The same without a copy of what the socket takes at once.
    fn large(&mut self, opcode: Opcode, parts: &[IoSlice<'_>], len: usize) -> io::Result<()> {
        frame::put_header(&mut self.out, opcode, len, None);
        let before = self.out.len();
        let mut all = Vec::with_capacity(1 + parts.len());
        all.push(IoSlice::new(&self.out));
        all.extend(parts.iter().map(|part| IoSlice::new(part)));
        let cx = &mut Context::from_waker(&self.waker);
        let polled = self.socket.poll_send(cx, &all);
        drop(all);
        let sent = match self.noting(polled) {
            Poll::Ready(sent) => sent?,
            Poll::Pending => 0,
        };
        let mut skip = sent.saturating_sub(before);
        self.out.advance(sent.min(before));
        for part in parts {
            let passed = skip.min(part.len());
            self.out.extend_from_slice(&part[passed..]);
            skip -= passed;
        }
        Ok(())
    }

    /// Takes a control frame.
    fn control(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<()> {
        let mask = self.mask()?;
        frame::put(&mut self.out, opcode, [payload], mask);
        Ok(())
    }

    /// Asks the peer for a sign of life. After a close its answer is one.
    pub(super) fn ping(&mut self) {
        self.took = false;
        self.ping = !self.closing;
    }

    /// Whether the peer has taken bytes that had to wait, since the last ping.
    pub(super) fn took(&mut self) -> bool {
        std::mem::take(&mut self.took)
    }

    /// Notes whether the socket inside has taken bytes.
    fn noting(&mut self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match polled {
            Poll::Pending => self.waits = true,
            Poll::Ready(Ok(_)) => self.took |= std::mem::take(&mut self.waits),
            Poll::Ready(Err(_)) => {}
        }
        polled
    }

    /// Answers a ping.
    pub(super) fn pong(&mut self, payload: Vec<u8>) {
        if !self.closing {
            self.pong = Some(payload);
        }
    }

    /// Takes a close frame, unless one was taken before.
    pub(super) fn close(&mut self, code: CloseCode, reason: &str) -> io::Result<()> {
        if !self.closing {
            self.closing = true;
            self.pong = None;
            self.ping = false;
            self.control(Opcode::Close, &close::payload(code, reason))?;
        }
        Ok(())
    }

    /// Takes what is to be said between messages, unless many bytes wait before it.
    fn add_control(&mut self) -> io::Result<()> {
        if self.is_full() {
            return Ok(());
        }
        if let Some(payload) = self.pong.take() {
            self.control(Opcode::Pong, &payload)?;
        }
        if std::mem::take(&mut self.ping) {
            self.control(Opcode::Ping, b"")?;
        }
        Ok(())
    }

    /// Hands on all bytes that wait. The caller has registered its task.
    pub(super) fn poll_out(&mut self) -> Poll<io::Result<()>> {
        if self.dead {
            return Poll::Ready(Err(silent()));
        }
        loop {
            self.add_control()?;
            if self.out.is_empty() {
                break;
            }
            let cx = &mut Context::from_waker(&self.waker);
            let polled = self.socket.poll_send(cx, &[IoSlice::new(&self.out)]);
            let sent = ready!(self.noting(polled))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(sent);
        }
        if self.out.capacity() > KEPT {
            self.out = BytesMut::new();
        }
        Poll::Ready(Ok(()))
    }

    /// The same, through the buffers of the socket inside.
    pub(super) fn poll_flush(&mut self) -> Poll<io::Result<()>> {
        ready!(self.poll_out())?;
        let cx = &mut Context::from_waker(&self.waker);
        self.socket.poll_flush(cx)
    }

    /// Ends the stream inside.
    pub(super) fn poll_end(&mut self) -> Poll<io::Result<()>> {
        ready!(self.poll_out())?;
        let cx = &mut Context::from_waker(&self.waker);
        self.socket.poll_finish(cx)
    }
}

pub(super) fn silent() -> io::Error {
    let words = "the peer gave no sign of life, and was given up";
    io::Error::new(io::ErrorKind::TimedOut, words)
}
