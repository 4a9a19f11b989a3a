//! The receiving half.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use quinn::ReadError;
use socketry_transport::{Half, Info, Received, RecvHalf, StreamReset};
use tokio::io::ReadBuf;
use tokio::task::coop::poll_proceed;

use super::Shared;
use crate::error::aborted_here;
use crate::lock;

/// The receiving half of a [`QuicStream`](crate::QuicStream).
pub struct QuicRecv {
    shared: Arc<Shared>,
}

impl QuicRecv {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        QuicRecv { shared }
    }

    fn failure(&self, error: ReadError) -> io::Error {
        match error {
            ReadError::Reset(code) => StreamReset::new(code.into_inner()).into(),
            ReadError::ConnectionLost(error) => self.shared.inner.gone(&error),
            error => io::Error::new(io::ErrorKind::NotConnected, error),
        }
    }
}

impl Half for QuicRecv {
    fn info(&self) -> &Info {
        self.shared.info()
    }
}

impl RecvHalf for QuicRecv {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        let turn = ready!(poll_proceed(cx));
        let before = buf.filled().len();
        let mut receiving = lock(&self.shared.receiving);
        if receiving.aborted {
            return Poll::Ready(Err(aborted_here()));
        }
        let Poll::Ready(read) = receiving.stream.poll_read_buf(cx, buf) else {
            let kept = receiving.waker.as_ref();
            if !kept.is_some_and(|kept| kept.will_wake(cx.waker())) {
                let replaced = receiving.waker.replace(cx.waker().clone());
                drop(receiving);
                drop(replaced);
            }
            return Poll::Pending;
        };
        drop(receiving);
        turn.made_progress();
        Poll::Ready(match read {
            Ok(()) if buf.filled().len() > before => Ok(Received::Data),
            Ok(()) => Ok(Received::End),
            Err(error) => Err(self.failure(error)),
        })
    }
}

impl fmt::Debug for QuicRecv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QuicRecv(from {})", self.peer().redacted())
    }
}
