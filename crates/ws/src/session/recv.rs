//! The receiving half.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use socketry_transport::{
    ErrorKind, Half, Info, Received, RecvHalf, SendHalf, Upcoming, poll_recv_into,
};
use tokio::io::ReadBuf;

use super::farewell::Farewell;
use super::keepalive::{Due, Keepalive};
use super::lock;
use super::wakers::{Task, Wakers};
use super::writing::Writing;
use crate::close::{Close, CloseCode};
use crate::error::WsError;
use crate::frame::decoder::{Decoder, Step};
use crate::frame::{Role, Violation};

/// The most bytes that one read asks for.
const READ: usize = 64 * 1024;
/// The first read of a connection. It doubles while reads are filled, whatever headers claim.
pub(super) const FIRST: usize = 4 * 1024;

/// The receiving half of a WebSocket: each receive gives one message.
///
/// Pings are answered, and sent, while a task waits in a receive. A connection whose task does
/// something else for longer is silent meanwhile.
pub struct WsRecv<R, W> {
    pub(super) info: Info,
    pub(super) socket: R,
    pub(super) decoder: Decoder,
    /// How many bytes the next read asks for.
    pub(super) room: usize,
    pub(super) writing: Arc<Mutex<Writing<W>>>,
    pub(super) wakers: Arc<Wakers>,
    pub(super) keepalive: Keepalive,
    pub(super) role: Role,
    /// What each later receive answers.
    pub(super) last: Option<Last>,
    /// Before the last answer is given for the first time.
    pub(super) farewell: Option<Farewell>,
}

/// The end.
#[derive(Debug)]
pub(super) enum Last {
    End,
    Failed(WsError),
}

impl<R: RecvHalf, W: SendHalf> WsRecv<R, W> {
    fn poll(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<Received>> {
        while self.last.is_none() {
            match self.decoder.step() {
                Ok(Step::Message(whole)) => {
                    let received = Received::whole(self.decoder.message(&whole), buf);
                    self.decoder.taken(&whole);
                    return Poll::Ready(Ok(received));
                }
                Ok(Step::Ping(payload)) => lock(&self.writing).pong(payload),
                Ok(Step::Pong) => {}
                Ok(Step::Close(close)) => self.closed(&close),
                Ok(Step::Need) => ready!(self.poll_fill(cx)),
                Err(violation) => self.violated(violation),
            }
        }
        ready!(self.poll_farewell(cx));
        Poll::Ready(match &self.last {
            Some(Last::Failed(error)) => Err(error.clone().into()),
            _ => Ok(Received::End),
        })
    }

    /// Receives once. What ends the connection is noted.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (here, room) = (self.decoder.buf.len(), self.room);
        match poll_recv_into(&mut self.socket, cx, &mut self.decoder.buf, room) {
            Poll::Ready(Ok(Received::End)) => {
                self.last = Some(Last::Failed(WsError::abnormal(self.role)));
            }
            Poll::Ready(Ok(_)) => {
                self.keepalive.heard();
                if self.decoder.buf.len() - here == room {
                    self.room = (2 * room).min(READ);
                }
            }
            Poll::Ready(Err(error)) => self.last = Some(Last::Failed(WsError::io(&error))),
            Poll::Pending => return self.poll_waiting(cx),
        }
        Poll::Ready(())
    }

    /// There is nothing to receive: says what is to be said, and gives memory back.
    fn poll_waiting(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.decoder.buf.is_empty() {
            self.decoder.buf = BytesMut::new();
        }
        while let Poll::Ready(due) = self.keepalive.poll(cx) {
            match due {
                Due::Ping => lock(&self.writing).ping(),
                Due::Late(_) if lock(&self.writing).took() => self.keepalive.heard(),
                Due::Late(time) => {
                    let peer = self.role.peer();
                    let words =
                        format!("{peer} was asked for a sign of life, and gave none in {time:?}");
                    self.last = Some(Last::Failed(WsError::new(ErrorKind::TimedOut, words)));
                    lock(&self.writing).dead = true;
                    self.wakers.wake_sender();
                    return Poll::Ready(());
                }
            }
        }
        // Not under the lock: it may drop the waker of an earlier task.
        self.wakers.register(Task::Receiver, cx.waker());
        let mut writing = lock(&self.writing);
        if writing.has_more() {
            // A sender is told when the sending side has failed, and a receiver may go on.
            let _ = writing.poll_flush();
        }
        Poll::Pending
    }

    /// The peer has closed. The answer has the code that came (section 5.5.1).
    fn closed(&mut self, close: &Close) {
        let mut writing = lock(&self.writing);
        let _ = writing.close(close.code, "");
        drop(writing);
        self.wakers.wake_sender();
        self.last = Some(match close.code.is_end() {
            true if self.decoder.is_inside() => Last::Failed(WsError::cut(close, self.role)),
            true => Last::End,
            false => Last::Failed(WsError::closed(close, self.role)),
        });
        self.farewell = Some(Farewell::new(false));
    }

    fn violated(&mut self, violation: Violation) {
        let error = WsError::violation(violation, self.role);
        let code = error.code().unwrap_or(CloseCode::PROTOCOL_ERROR);
        let _ = lock(&self.writing).close(code, &violation.to_string());
        self.wakers.wake_sender();
        self.last = Some(Last::Failed(error));
        self.farewell = Some(Farewell::new(true));
        self.decoder.buf = BytesMut::new();
    }

    /// Has the close frame leave, and reads on after a violation, within bounds.
    fn poll_farewell(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(farewell) = &mut self.farewell else {
            return Poll::Ready(());
        };
        // Both close frames are sent, or this end gives up: nothing more follows. A peer that waits
        // for the end of the stream (section 7.1.1) need not wait for this socket to be dropped.
        self.wakers.register(Task::Receiver, cx.waker());
        let said = lock(&self.writing).poll_end();
        while farewell.drains {
            let mut scratch = BytesMut::new();
            match poll_recv_into(&mut self.socket, cx, &mut scratch, FIRST) {
                Poll::Ready(Ok(Received::Data | Received::Cut(_))) => {
                    farewell.drained(scratch.len());
                }
                Poll::Ready(Ok(Received::End) | Err(_)) => farewell.drains = false,
                Poll::Pending => break,
            }
        }
        if (said.is_pending() || farewell.drains) && farewell.poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.farewell = None;
        Poll::Ready(())
    }
}

impl<R: Send + Unpin, W: Send + Unpin> Half for WsRecv<R, W> {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl<R: RecvHalf, W: SendHalf> RecvHalf for WsRecv<R, W> {
    fn upcoming(&self) -> Upcoming {
        match self.last {
            None => self.decoder.upcoming(),
            Some(_) => Upcoming::Unknown,
        }
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        // Messages that are here already are always ready: a task has its turn and no more.
        let turn = ready!(tokio::task::coop::poll_proceed(cx));
        let polled = self.poll(cx, buf);
        if polled.is_ready() {
            turn.made_progress();
        }
        polled
    }
}

impl<R, W> fmt::Debug for WsRecv<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WsRecv({:?})", self.info)
    }
}
