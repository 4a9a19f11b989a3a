//! A socket with one defect.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker, ready};

use socketry_transport::{
    Aborted, Batch, Half, Info, Joined, Received, RecvHalf, SendHalf, Shape, Socket,
};
use tokio::io::ReadBuf;

use crate::defect::Defect;

/// A half with one defect.
pub(crate) struct Bad<H> {
    defect: Defect,
    inner: H,
    info: Info,
    /// The bytes that were taken and wait to be sent.
    held: Vec<u8>,
    /// The receive that last returned `Pending` had put bytes into its buffer.
    filled: bool,
    ended: bool,
    first_waker: Option<Waker>,
    shared: Arc<Shared>,
}

/// The state that both halves share.
#[derive(Default)]
struct Shared {
    finished: AtomicBool,
    /// Whether a receive waits.
    receiving: AtomicBool,
    one_waker: Arc<OneWaker>,
}

/// A socket with one defect.
pub(crate) type BadSocket<S> = Joined<Bad<<S as Socket>::Recv>, Bad<<S as Socket>::Send>>;

pub(crate) fn bad<S: Socket>(defect: Defect, socket: S) -> BadSocket<S> {
    let (shared, info) = (Arc::default(), socket.info().clone());
    let info = match defect {
        Defect::NamesItself => info.with_peer(socket.local().clone()),
        _ => info,
    };
    let (recv, send) = socket.split();
    let recv = Bad::new(defect, recv, info.clone(), &shared);
    let info = match defect {
        Defect::SendsDatagrams => info.with_shape(Shape::Datagram { max_len: 512 }),
        _ => info,
    };
    Joined::new(recv, Bad::new(defect, send, info, &shared))
}

impl<H> Bad<H> {
    fn new(defect: Defect, inner: H, info: Info, shared: &Arc<Shared>) -> Self {
        Bad {
            defect,
            inner,
            info,
            held: Vec::new(),
            filled: false,
            ended: false,
            first_waker: None,
            shared: Arc::clone(shared),
        }
    }
}

/// Wakes the task that waited last.
#[derive(Default)]
struct OneWaker(Mutex<Option<Waker>>);

impl OneWaker {
    fn of(self: &Arc<Self>, cx: &Context<'_>) -> Waker {
        *self.0.lock().expect("the waker") = Some(cx.waker().clone());
        Waker::from(Arc::clone(self))
    }
}

impl Wake for OneWaker {
    fn wake(self: Arc<Self>) {
        if let Some(waker) = self.0.lock().expect("the waker").take() {
            waker.wake();
        }
    }
}

impl<S: Half> Half for Bad<S> {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl<S: RecvHalf> RecvHalf for Bad<S> {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        match self.defect {
            Defect::SwapsBytes => {
                let before = buf.filled().len();
                let received = ready!(self.inner.poll_recv(cx, buf))?;
                let came = &mut buf.filled_mut()[before..];
                came.rotate_left(came.len() / 2);
                Poll::Ready(Ok(received))
            }
            Defect::EmptyBufferEnds if buf.remaining() == 0 => Poll::Ready(Ok(Received::End)),
            Defect::OverwritesBuffer => {
                buf.clear();
                self.inner.poll_recv(cx, buf)
            }
            Defect::EndsOnce if self.ended => Poll::Pending,
            Defect::EndsOnce => {
                let received = ready!(self.inner.poll_recv(cx, buf))?;
                self.ended = received == Received::End;
                Poll::Ready(Ok(received))
            }
            Defect::FinishClosesBoth if self.shared.finished.load(SeqCst) => {
                Poll::Ready(Ok(Received::End))
            }
            Defect::ForgetsReaders => {
                let asleep = &mut Context::from_waker(Waker::noop());
                self.inner.poll_recv(asleep, buf)
            }
            Defect::WakesFirstTask => {
                let first = self.first_waker.get_or_insert_with(|| cx.waker().clone());
                let received = ready!(self.inner.poll_recv(&mut Context::from_waker(first), buf))?;
                self.first_waker = None;
                Poll::Ready(Ok(received))
            }
            Defect::WakesOneOfTwo => {
                let one = self.shared.one_waker.of(cx);
                self.inner.poll_recv(&mut Context::from_waker(&one), buf)
            }
            Defect::FillsBeforeReady if self.filled => {
                self.filled = false;
                Poll::Ready(Ok(Received::Data))
            }
            Defect::FillsBeforeReady => {
                let received = ready!(self.inner.poll_recv(cx, buf))?;
                if received == Received::End || buf.filled().is_empty() {
                    return Poll::Ready(Ok(received));
                }
                self.filled = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Defect::HalfDuplex => {
                let received = self.inner.poll_recv(cx, buf);
                self.shared.receiving.store(received.is_pending(), SeqCst);
                received
            }
            _ => self.inner.poll_recv(cx, buf),
        }
    }

    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        let received = ready!(self.inner.poll_recv_batch(cx, batch))?;
        if self.defect == Defect::LosesBatches {
            batch.clear();
        }
        Poll::Ready(Ok(received))
    }
}

impl<S: SendHalf> Bad<S> {
    /// Sends the bytes that are held, as far as the socket takes them.
    fn poll_held(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let sent = ready!(self.inner.poll_send(cx, &[IoSlice::new(&self.held)]))?;
            self.held.drain(..sent);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes all of `parts`, and lets at most `most` bytes wait.
    fn poll_hold(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
        most: usize,
    ) -> Poll<io::Result<usize>> {
        if self.held.len() > most {
            ready!(self.poll_held(cx))?;
        }
        self.held.extend(all(parts));
        Poll::Ready(Ok(len(parts)))
    }
}

fn len(parts: &[IoSlice<'_>]) -> usize {
    parts.iter().map(|part| part.len()).sum()
}

fn all(parts: &[IoSlice<'_>]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

impl<S: SendHalf> SendHalf for Bad<S> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.defect {
            Defect::SendsFirstPartOnly => {
                let first = parts.iter().find(|part| !part.is_empty());
                let first = first.map_or(&[][..], |part| part);
                let sent = ready!(self.inner.poll_send(cx, &[IoSlice::new(first)]))?;
                let whole = sent == first.len();
                Poll::Ready(Ok(if whole { len(parts) } else { sent }))
            }
            Defect::EmptySendFinishes if len(parts) == 0 => {
                ready!(self.inner.poll_finish(cx))?;
                Poll::Ready(Ok(0))
            }
            Defect::FlushesNothing | Defect::FinishDrops => self.poll_hold(cx, parts, 16_384),
            Defect::TakesEverything => {
                let _ = self.poll_held(cx)?;
                self.poll_hold(cx, parts, usize::MAX)
            }
            Defect::ForgetsWriters => {
                let asleep = &mut Context::from_waker(Waker::noop());
                self.inner.poll_send(asleep, parts)
            }
            Defect::WakesOneOfTwo => {
                let one = self.shared.one_waker.of(cx);
                self.inner.poll_send(&mut Context::from_waker(&one), parts)
            }
            Defect::ClaimsAll => self.inner.poll_send(cx, parts).map_ok(|_| len(parts)),
            Defect::IgnoresClosedPeer => {
                let sent = ready!(self.inner.poll_send(cx, parts));
                Poll::Ready(Ok(sent.unwrap_or(len(parts))))
            }
            #[cfg(target_os = "linux")]
            Defect::RaisesSignal => self.inner.poll_send(cx, parts).map_err(|error| {
                nix::sys::signal::raise(nix::sys::signal::Signal::SIGPIPE).expect("a signal");
                error
            }),
            Defect::KeepsCancelledSend => {
                if !self.held.is_empty() {
                    ready!(self.poll_held(cx))?;
                    return Poll::Ready(Ok(len(parts)));
                }
                let sent = self.inner.poll_send(cx, parts);
                if sent.is_pending() {
                    self.held = all(parts);
                }
                sent
            }
            Defect::SendsAfterFinish if self.shared.finished.load(SeqCst) => {
                Poll::Ready(Ok(len(parts)))
            }
            Defect::HalfDuplex if self.shared.receiving.load(SeqCst) => Poll::Pending,
            _ => self.inner.poll_send(cx, parts),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.defect {
            Defect::FlushesNothing => Poll::Ready(Ok(())),
            _ => {
                ready!(self.poll_held(cx))?;
                self.inner.poll_flush(cx)
            }
        }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.defect {
            Defect::FinishDrops => self.held.clear(),
            _ => ready!(self.poll_held(cx))?,
        }
        self.shared.finished.store(true, SeqCst);
        let finished = ready!(self.inner.poll_finish(cx));
        match self.defect {
            Defect::FinishesAborted => Poll::Ready(Ok(())),
            _ => Poll::Ready(finished),
        }
    }

    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        let finish = |half: &mut Self| {
            let nobody = &mut Context::from_waker(Waker::noop());
            let _ = half.inner.poll_finish(nobody);
        };
        match self.defect {
            Defect::SwallowsAborts => Ok(Aborted::Reset),
            Defect::AbortsWhenDropped => self.inner.abort_on_drop(true),
            Defect::CallsAnEndAReset => {
                finish(self);
                Ok(Aborted::Reset)
            }
            Defect::AbortsOneHalf => {
                finish(self);
                Ok(Aborted::End)
            }
            _ => self.inner.abort(code),
        }
    }

    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        match self.defect {
            Defect::DropsInOrder => Ok(if on { Aborted::Reset } else { Aborted::End }),
            _ => self.inner.abort_on_drop(on),
        }
    }
}
