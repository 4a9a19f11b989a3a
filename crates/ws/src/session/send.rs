//! The sending half.

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use socketry_transport::{Aborted, Half, Info, SendHalf};

use super::wakers::{Task, Wakers};
use super::writing::{Writing, silent};
use super::{Settings, lock};
use crate::close::CloseCode;
use crate::frame::Opcode;

/// The sending half of a WebSocket.
///
/// A message is taken at once, and leaves with the next flush, with the next receive that waits, or
/// when 64 KiB wait: many that are sent before one flush are one write.
pub struct WsSend<W> {
    pub(super) info: Info,
    pub(super) writing: Arc<Mutex<Writing<W>>>,
    pub(super) wakers: Arc<Wakers>,
    pub(super) settings: Settings,
}

impl<W: SendHalf> WsSend<W> {
    /// Closes with a code and a reason of the application, in place of
    /// [`finish`](socketry_transport::SendExt::finish), which says 1000. The frame leaves with the
    /// next flush or finish. A later close changes nothing.
    ///
    /// The reason is cut to 123 bytes. A code that must not be sent (1005, 1006, or below 1000)
    /// leaves as a close frame without one.
    ///
    /// # Errors
    /// If the system has no random bytes for a mask.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> io::Result<()> {
        lock(&self.writing).close(code, reason)
    }

    fn opcode(&self, parts: &[IoSlice<'_>]) -> io::Result<Opcode> {
        if !self.settings.text {
            return Ok(Opcode::Binary);
        }
        let joined;
        let bytes = match parts {
            [part] => &**part,
            parts => {
                joined = parts
                    .iter()
                    .flat_map(|part| part.iter().copied())
                    .collect::<Vec<_>>();
                &joined[..]
            }
        };
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(Opcode::Text),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a text message is UTF-8, and this is not; without text=true it is sent as binary",
            )),
        }
    }

    /// An error if there is nothing more to be sent.
    fn check(writing: &Writing<W>) -> io::Result<()> {
        if writing.dead {
            return Err(silent());
        }
        if writing.aborted {
            let words = "the connection was aborted at this end";
            return Err(io::Error::new(io::ErrorKind::ConnectionAborted, words));
        }
        if writing.closing {
            let words = "the WebSocket was closed, and takes no more messages";
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, words));
        }
        Ok(())
    }
}

impl<W: Send + Unpin> Half for WsSend<W> {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl<W: SendHalf> SendHalf for WsSend<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let len = parts.iter().map(|part| part.len()).sum();
        let max = self.settings.max_message;
        if len > max {
            let words = format!("a message of {len} bytes is above the bound of {max}");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidInput, words)));
        }
        let opcode = self.opcode(parts)?;
        let mut writing = loop {
            let writing = lock(&self.writing);
            Self::check(&writing)?;
            if !writing.is_full() {
                break writing;
            }
            drop(writing);
            // Not under the lock: it may drop the waker of an earlier task.
            self.wakers.register(Task::Sender, cx.waker());
            ready!(lock(&self.writing).poll_out())?;
        };
        writing.message(opcode, parts, len)?;
        Poll::Ready(Ok(len))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wakers.register(Task::Sender, cx.waker());
        lock(&self.writing).poll_flush()
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.wakers.register(Task::Sender, cx.waker());
        let mut writing = lock(&self.writing);
        if writing.aborted {
            return Poll::Ready(Self::check(&writing));
        }
        writing.close(CloseCode::NORMAL, "")?;
        writing.poll_flush()
    }

    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        let mut writing = lock(&self.writing);
        let inside = writing.socket.abort(code)?;
        writing.aborted = true;
        Ok(seen(&writing, inside))
    }

    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        let mut writing = lock(&self.writing);
        let inside = writing.socket.abort_on_drop(on)?;
        Ok(seen(&writing, inside))
    }
}

/// What the peer sees where the peer of the socket inside sees `inside`: an end without a close
/// frame is a reset.
fn seen<W: SendHalf>(writing: &Writing<W>, inside: Aborted) -> Aborted {
    match inside {
        Aborted::Nothing => Aborted::Nothing,
        _ if writing.closing && !writing.has_more() => Aborted::End,
        _ => Aborted::Reset,
    }
}

impl<W> fmt::Debug for WsSend<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WsSend({:?})", self.info)
    }
}
