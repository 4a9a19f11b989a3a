//! A stream, or the datagrams of a connection, with one defect.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker, ready};

use socketry_transport::{
    Aborted, Closed, Connection, Half, Info, Joined, MemConnection, MemRecv, MemSend, MemSocket,
    Received, RecvHalf, SendHalf, Socket, StreamReset,
};
use tokio::io::ReadBuf;

use crate::connection::Shared;
use crate::defect::Defect;

pub(crate) type BadStream = Joined<BadRecv<MemRecv>, BadSend<MemSend>>;

pub(crate) struct BadRecv<R> {
    defect: Defect,
    inner: R,
    finished: Arc<AtomicBool>,
}

pub(crate) struct BadSend<W> {
    defect: Defect,
    inner: W,
    finished: Arc<AtomicBool>,
    shared: Arc<Shared>,
    number: usize,
    sent: AtomicUsize,
    closing: Option<MemConnection>,
}

pub(crate) fn bad(
    defect: Defect,
    stream: MemSocket,
    number: usize,
    shared: &Arc<Shared>,
    closing: Option<MemConnection>,
) -> BadStream {
    let (recv, send) = stream.split();
    let (recv, mut send) = halves(defect, recv, send, shared);
    (send.number, send.closing) = (number, closing);
    Joined::new(recv, send)
}

pub(crate) fn halves<R: RecvHalf, W: SendHalf>(
    defect: Defect,
    recv: R,
    send: W,
    shared: &Arc<Shared>,
) -> (BadRecv<R>, BadSend<W>) {
    let finished = Arc::<AtomicBool>::default();
    let recv = BadRecv {
        defect,
        inner: recv,
        finished: Arc::clone(&finished),
    };
    let send = BadSend {
        defect,
        inner: send,
        finished,
        shared: Arc::clone(shared),
        number: 0,
        sent: AtomicUsize::new(0),
        closing: None,
    };
    (recv, send)
}

impl<R: RecvHalf> Half for BadRecv<R> {
    fn info(&self) -> &Info {
        self.inner.info()
    }
}

impl<R: RecvHalf> RecvHalf for BadRecv<R> {
    fn recv_room(&self) -> usize {
        self.inner.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        match self.defect {
            Defect::FinishClosesBoth if self.finished.load(Ordering::SeqCst) => {
                Poll::Ready(Ok(Received::End))
            }
            Defect::ForgetsReceivers => {
                let asleep = &mut Context::from_waker(Waker::noop());
                self.inner.poll_recv(asleep, buf)
            }
            Defect::CloseEndsStreams => match ready!(self.inner.poll_recv(cx, buf)) {
                Err(error) if Closed::of(&error).is_some() => Poll::Ready(Ok(Received::End)),
                received => Poll::Ready(received),
            },
            _ => self.inner.poll_recv(cx, buf),
        }
    }
}

fn len(parts: &[IoSlice<'_>]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

fn all(parts: &[IoSlice<'_>]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

impl<W: SendHalf> Half for BadSend<W> {
    fn info(&self) -> &Info {
        self.inner.info()
    }
}

impl<W: SendHalf> SendHalf for BadSend<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let finished = self.finished.load(Ordering::SeqCst);
        match self.defect {
            Defect::MixesStreams if self.number == 4 => {
                let mut bytes = all(parts);
                bytes.reverse();
                self.inner.poll_send(cx, &[IoSlice::new(&bytes)])
            }
            Defect::SharesWindow => {
                if self.shared.stopped.load(Ordering::SeqCst) {
                    return Poll::Pending;
                }
                let sent = self.inner.poll_send(cx, parts);
                self.shared
                    .stopped
                    .store(sent.is_pending(), Ordering::SeqCst);
                sent
            }
            Defect::TakesEverything => match self.inner.poll_send(cx, parts) {
                Poll::Pending => Poll::Ready(Ok(len(parts))),
                sent => sent,
            },
            Defect::SendsAfterFinish if finished => Poll::Ready(Ok(len(parts))),
            Defect::CutsDatagrams if !self.info().shape().is_stream() => {
                let bytes = all(parts);
                let head = &bytes[..bytes.len().min(100)];
                self.inner
                    .poll_send(cx, &[IoSlice::new(head)])
                    .map_ok(|_| bytes.len())
            }
            Defect::TakesLongDatagrams => {
                let sent = ready!(self.inner.poll_send(cx, parts));
                Poll::Ready(Ok(sent.unwrap_or(len(parts))))
            }
            Defect::DatagramsWait if self.sent.fetch_add(1, Ordering::SeqCst) >= 256 => {
                Poll::Pending
            }
            _ => self.inner.poll_send(cx, parts),
        }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.finished.store(true, Ordering::SeqCst);
        let finished = ready!(self.inner.poll_finish(cx));
        Poll::Ready(finished.or_else(|error| match self.defect {
            Defect::FinishesAborted if StreamReset::of(&error).is_some() => Ok(()),
            Defect::FinishesClosed if Closed::of(&error).is_some() => Ok(()),
            _ => Err(error),
        }))
    }

    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        let hidden = self.defect == Defect::HidesAborts;
        let aborted = self.inner.abort(if hidden { 0 } else { code });
        if self.defect == Defect::AbortsAll {
            self.close();
        }
        aborted
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.inner.abort_on_drop(on)
    }
}

impl<W> BadSend<W> {
    fn close(&self) {
        if let Some(connection) = &self.closing {
            connection.close(0, "");
        }
    }
}

impl<W> Drop for BadSend<W> {
    fn drop(&mut self) {
        if self.defect == Defect::DropEndsAll {
            self.close();
        }
    }
}
