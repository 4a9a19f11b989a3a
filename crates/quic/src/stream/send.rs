//! The sending half.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::{SendStream, StoppedError, VarInt, WriteError};
use socketry_transport::{Aborted, BoxFuture, Half, Info, SendHalf};
use tokio::task::coop::poll_proceed;
use tokio::time::timeout;

use super::{Sending, Shared, State};
use crate::config::varint;
use crate::error::{aborted_here, stopped};
use crate::lock;

/// The sending half of a [`QuicStream`](crate::QuicStream).
pub struct QuicSend {
    shared: Arc<Shared>,
    finishing: Option<Finishing>,
}

/// Resolves when the peer has everything, or at the deadline.
type Finishing = BoxFuture<'static, Result<Stopped, tokio::time::error::Elapsed>>;

type Stopped = Result<Option<VarInt>, StoppedError>;

impl QuicSend {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let finishing = None;
        QuicSend { shared, finishing }
    }

    fn failure(&self, error: WriteError) -> io::Error {
        match error {
            WriteError::Stopped(code) => stopped(code),
            WriteError::ConnectionLost(error) => self.shared.inner.gone(&error),
            error => io::Error::new(io::ErrorKind::BrokenPipe, error),
        }
    }

    /// Sends the end, and waits for the peer to have everything.
    fn begin(&self) -> io::Result<Option<Finishing>> {
        let mut sending = lock(&self.shared.sending);
        match sending.state {
            State::Finished => return Ok(None),
            State::Aborted { .. } => return Err(aborted_here()),
            State::Open | State::Ending => {}
        }
        sending.state = State::Ending;
        let Some(stream) = &mut sending.stream else {
            return Ok(None);
        };
        // It fails where the end was sent before.
        let _ = stream.finish();
        let within = self.shared.inner.limits.finish;
        let stopped = stream.stopped();
        Ok(Some(Box::pin(timeout(within, stopped))))
    }

    /// What came of waiting for the peer.
    fn finished(&self, done: Result<Stopped, tokio::time::error::Elapsed>) -> io::Result<()> {
        match done {
            Ok(Ok(None)) => {
                let mut sending = lock(&self.shared.sending);
                // An abort may have come before.
                if sending.state != State::Ending {
                    return Err(aborted_here());
                }
                sending.state = State::Finished;
                Ok(())
            }
            Ok(Ok(Some(code))) => Err(stopped(code)),
            Ok(Err(StoppedError::ConnectionLost(error))) => Err(self.shared.inner.gone(&error)),
            Ok(Err(error)) => Err(io::Error::other(error)),
            Err(_) => {
                let within = self.shared.inner.limits.finish;
                let words = format!("the peer has not got the last bytes within {within:?}");
                Err(io::Error::new(io::ErrorKind::TimedOut, words))
            }
        }
    }
}

/// Sends as much of `parts` as there is room for.
fn write(
    stream: &mut SendStream,
    cx: &mut Context<'_>,
    parts: &[IoSlice<'_>],
) -> Poll<Result<usize, WriteError>> {
    let mut taken = 0;
    for part in parts.iter().filter(|part| !part.is_empty()) {
        match Pin::new(&mut *stream).poll_write(cx, part) {
            Poll::Ready(Ok(some)) => {
                taken += some;
                if some < part.len() {
                    break;
                }
            }
            // What was taken counts. The next send comes to the same.
            _ if taken > 0 => break,
            other => return other,
        }
    }
    Poll::Ready(Ok(taken))
}

impl Sending {
    fn refusal(&self) -> Option<io::Error> {
        match self.state {
            State::Open => None,
            State::Aborted { .. } => Some(aborted_here()),
            State::Ending | State::Finished => {
                let words = "the stream was finished";
                Some(io::Error::new(io::ErrorKind::BrokenPipe, words))
            }
        }
    }
}

impl Half for QuicSend {
    fn info(&self) -> &Info {
        self.shared.info()
    }
}

impl SendHalf for QuicSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let turn = ready!(poll_proceed(cx));
        let mut sending = lock(&self.shared.sending);
        if let Some(refusal) = sending.refusal() {
            return Poll::Ready(Err(refusal));
        }
        let Some(stream) = &mut sending.stream else {
            return Poll::Ready(Err(aborted_here()));
        };
        let sent = ready!(write(stream, cx, parts));
        let all = parts.iter().map(|part| part.len()).sum();
        sending.cut = matches!(sent, Ok(taken) if taken < all);
        drop(sending);
        turn.made_progress();
        Poll::Ready(sent.map_err(|error| self.failure(error)))
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut finishing = match self.finishing.take() {
            Some(finishing) => finishing,
            None => match self.begin()? {
                Some(finishing) => finishing,
                None => return Poll::Ready(Ok(())),
            },
        };
        match finishing.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(self.finished(done)),
            Poll::Pending => {
                self.finishing = Some(finishing);
                Poll::Pending
            }
        }
    }

    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        let mut sending = lock(&self.shared.sending);
        let seen = match sending.state {
            State::Aborted { seen } => seen,
            // The end is on its way, or there: the peer may have seen it.
            State::Ending | State::Finished => false,
            State::Open => {
                if let Some(stream) = &mut sending.stream {
                    // It fails where the stream is closed already.
                    let _ = stream.reset(varint(code));
                }
                true
            }
        };
        sending.state = State::Aborted { seen };
        drop(sending);
        self.finishing = None;
        let mut receiving = lock(&self.shared.receiving);
        receiving.aborted = true;
        // It fails where everything was received.
        let _ = receiving.stream.stop(varint(code));
        let waker = receiving.waker.take();
        drop(receiving);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(match seen {
            true => Aborted::Reset,
            false => Aborted::End,
        })
    }

    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        let mut sending = lock(&self.shared.sending);
        sending.abort_on_drop = on;
        Ok(match sending.state {
            State::Open if on => Aborted::Reset,
            State::Aborted { seen: true } => Aborted::Reset,
            _ => Aborted::End,
        })
    }
}

impl fmt::Debug for QuicSend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QuicSend(to {})", self.peer().redacted())
    }
}
