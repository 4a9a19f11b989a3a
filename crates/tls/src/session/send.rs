//! The sending half.

use std::fmt;
use std::io::{self, IoSlice, Write};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use socketry_transport::{Aborted, Half, Info, RecvHalf, SendHalf};

use super::lock;
use super::recv::Reading;
use super::shared::Shared;
use super::writing::Writing;
use crate::error::{Role, TlsError};

/// The sending half of a socket over TLS.
///
/// A send makes records of all its parts together, each as full as a record gets, and hands them to
/// the socket inside at once. What that does not take at once goes out with the next send or flush;
/// until then no more is taken.
pub struct TlsSend<R, W> {
    pub(super) shared: Arc<Shared>,
    pub(super) reading: Arc<Mutex<Reading<R>>>,
    pub(super) writing: Arc<Mutex<Writing<W>>>,
    pub(super) role: Role,
    /// Whether the `close_notify` is sent, or among the ciphertext.
    pub(super) closing: bool,
}

impl<R: RecvHalf, W: SendHalf> TlsSend<R, W> {
    /// Hands on all ciphertext that there is.
    fn poll_out(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = {
            let mut conn = lock(&self.shared.connection);
            lock(&self.writing).poll_out(cx, &mut conn)
        };
        polled.map_err(|error| self.or_alert(error))
    }

    /// The alert that came before a write failed, or else the error of that.
    fn or_alert(&self, error: io::Error) -> io::Error {
        use io::ErrorKind as Kind;
        if !matches!(error.kind(), Kind::BrokenPipe | Kind::ConnectionReset) {
            return error;
        }
        let alert = lock(&self.reading).look_for_alert(&self.shared.connection);
        alert.map_or(error, io::Error::from)
    }

    fn encrypt(&self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut conn = lock(&self.shared.connection);
        let mut writer = conn.writer();
        let taken = match parts {
            [part] => writer.write(part),
            parts => writer.write_vectored(parts),
        };
        taken.map_err(|error| self.explained(error))
    }

    /// Why the connection failed before, which the receiving half has seen.
    fn explained(&self, error: io::Error) -> io::Error {
        let known = error.get_ref().and_then(|inside| inside.downcast_ref());
        match known.cloned() {
            Some(rustls) => TlsError::of(rustls, self.role).into(),
            None => error,
        }
    }
}

impl<R: Half, W: Half> Half for TlsSend<R, W> {
    fn info(&self) -> &Info {
        self.shared
            .info(|| lock(&self.writing).socket.info().clone())
    }
}

impl<R: RecvHalf, W: SendHalf> SendHalf for TlsSend<R, W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_out(cx))?;
        if self.closing {
            let words = "the stream was finished at this end";
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, words)));
        }
        if parts.iter().all(|part| part.is_empty()) {
            return Poll::Ready(Ok(0));
        }
        let taken = self.encrypt(parts)?;
        // Whether it leaves now or later: it is taken.
        if let Poll::Ready(sent) = self.poll_out(cx) {
            sent?;
        }
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_out(cx))?;
        lock(&self.writing).poll(cx, W::poll_flush)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.closing {
            // An alert may wait to be sent: a connection that failed says nothing after it.
            ready!(self.poll_out(cx))?;
            let mut conn = lock(&self.shared.connection);
            conn.writer()
                .flush()
                .map_err(|error| self.explained(error))?;
            conn.send_close_notify();
            self.closing = true;
        }
        ready!(self.poll_out(cx))?;
        lock(&self.writing).poll(cx, W::poll_finish)
    }

    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        let answer = lock(&self.writing).socket.abort(code)?;
        Ok(self.seen(answer))
    }

    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        let answer = lock(&self.writing).socket.abort_on_drop(on)?;
        Ok(self.seen(answer))
    }
}

impl<R, W> TlsSend<R, W> {
    /// What the peer sees where the peer of the socket inside sees `inside`.
    fn seen(&self, inside: Aborted) -> Aborted {
        let unsent = lock(&self.shared.connection).wants_write();
        match inside {
            // Its `close_notify` came before.
            Aborted::Reset if self.closing && !unsent => Aborted::End,
            // It gets a piece of a record.
            Aborted::End if lock(&self.writing).records.is_inside() => Aborted::Reset,
            inside => inside,
        }
    }
}

impl<R: Half, W: Half> fmt::Debug for TlsSend<R, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsSend({:?})", self.info())
    }
}
