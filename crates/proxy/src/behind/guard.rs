//! The receiving half of an accepted socket.

use std::io;
use std::task::{Context, Poll, ready};

use socketry_transport::{ErrorKind, Half, Info, Prefixed, Received, RecvHalf, Relabelled, Shape};
use tokio::io::ReadBuf;

use crate::error::ProxyError;
use crate::header::{Beginning, LONGEST_BEGINNING, beginning};

/// The receiving half of a socket that was accepted behind a balancer.
#[derive(Debug)]
pub struct BehindRecv<R> {
    inner: Relabelled<Prefixed<R>>,
    watch: Watch,
}

/// What is looked for in the first bytes.
#[derive(Debug)]
pub(super) enum Watch {
    Nothing,
    /// A reset, which ends a check of a balancer.
    Check,
    /// A header of a source that is not trusted: the bytes that arrived, and their number.
    Stranger([u8; LONGEST_BEGINNING], usize),
}

impl Watch {
    pub(super) fn stranger() -> Self {
        Watch::Stranger([0; LONGEST_BEGINNING], 0)
    }

    /// Looks at bytes that arrived.
    fn see(&mut self, bytes: &[u8]) -> Beginning {
        let Watch::Stranger(seen, len) = self else {
            return Beginning::Other;
        };
        let taken = bytes.len().min(seen.len() - *len);
        seen[*len..*len + taken].copy_from_slice(&bytes[..taken]);
        *len += taken;
        beginning(&seen[..*len])
    }
}

impl<R: RecvHalf> BehindRecv<R> {
    pub(super) fn new(inner: Relabelled<Prefixed<R>>, watch: Watch) -> Self {
        BehindRecv { inner, watch }
    }

    fn refusal(&self) -> io::Error {
        let peer = self.inner.info().peer().redacted();
        let words = format!("{peer} sent a PROXY header, and is not a trusted source");
        ProxyError::new(ErrorKind::Denied, words)
            .hint("if it is a balancer, add it to the trusted sources")
            .into()
    }

    /// Receives the first bytes.
    fn poll_first(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let before = buf.filled().len();
        let received = match ready!(self.inner.poll_recv(cx, buf)) {
            Err(error) if matches!(self.watch, Watch::Check) && is_reset(&error) => {
                return Poll::Ready(Ok(Received::End));
            }
            received => received?,
        };
        let bytes = &buf.filled()[before..];
        if bytes.is_empty() {
            return Poll::Ready(Ok(received));
        }
        match self.watch.see(bytes) {
            Beginning::Header => {
                buf.set_filled(before);
                return Poll::Ready(Err(self.refusal()));
            }
            Beginning::Open => {}
            Beginning::Other => self.watch = Watch::Nothing,
        }
        Poll::Ready(Ok(received))
    }

    /// Whether a header of a source that is not trusted has arrived.
    fn is_refused(&self) -> bool {
        match &self.watch {
            Watch::Stranger(seen, len) => beginning(&seen[..*len]) == Beginning::Header,
            Watch::Nothing | Watch::Check => false,
        }
    }
}

fn is_reset(error: &io::Error) -> bool {
    ErrorKind::from(error) == ErrorKind::Reset
}

impl<R: RecvHalf> Half for BehindRecv<R> {
    fn info(&self) -> &Info {
        self.inner.info()
    }
    fn shape(&self) -> Shape {
        self.inner.shape()
    }
}

/// It is a stream, so the defaults of the other methods are right.
impl<R: RecvHalf> RecvHalf for BehindRecv<R> {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        match self.watch {
            Watch::Nothing => self.inner.poll_recv(cx, buf),
            _ if self.is_refused() && buf.remaining() > 0 => Poll::Ready(Err(self.refusal())),
            _ => self.poll_first(cx, buf),
        }
    }
}
