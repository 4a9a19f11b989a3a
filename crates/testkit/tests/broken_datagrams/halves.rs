//! The defects of a connected socket's halves.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use socketry_transport::{
    Aborted, Batch, Half, Info, Joined, Received, RecvHalf, SendHalf, Shape, Socket, SocketOptions,
};
use tokio::io::ReadBuf;

use crate::Defect::{self, *};

/// The state that both halves share.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) defect: Defect,
    info: Info,
    /// Set from outside when the session has ended.
    over: Arc<AtomicBool>,
    /// Whether the receiving half waits.
    waiting: Arc<AtomicBool>,
    options: SocketOptions,
}

pub(crate) type Broken<S> =
    Joined<BrokenRecv<<S as Socket>::Recv>, BrokenSend<<S as Socket>::Send>>;

pub(crate) struct BrokenRecv<R> {
    known: Known,
    room: usize,
    /// Its own half, or all of them.
    pub(crate) inner: Vec<Arc<Mutex<R>>>,
    filled: bool,
    error: Option<io::ErrorKind>,
}

pub(crate) struct BrokenSend<X> {
    known: Known,
    inner: X,
    cancelled: Option<Vec<u8>>,
}

pub(crate) fn broken<S: Socket>(
    socket: S,
    defect: Defect,
    over: &Arc<AtomicBool>,
    options: SocketOptions,
) -> Broken<S> {
    let room = match defect {
        AsksForTooLittleRoom => 100,
        _ => socket.recv_room(),
    };
    let info = socket.info().clone();
    let known = Known {
        defect,
        info: match defect {
            CallsItselfThePeer => info.with_peer(socket.local().clone()),
            _ => info,
        },
        over: Arc::clone(over),
        waiting: Arc::default(),
        options,
    };
    let (recv, send) = socket.split();
    let recv = BrokenRecv {
        known: known.clone(),
        room,
        inner: vec![Arc::new(Mutex::new(recv))],
        filled: false,
        error: None,
    };
    let send = BrokenSend {
        known,
        inner: send,
        cancelled: None,
    };
    Joined::new(recv, send)
}

impl<R: RecvHalf> BrokenRecv<R> {
    pub(crate) fn options(&self) -> SocketOptions {
        self.known.options.clone()
    }

    fn inner(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<Received>> {
        for half in &self.inner {
            let received = half.lock().unwrap().poll_recv(cx, buf);
            if received.is_ready() {
                self.known.waiting.store(false, SeqCst);
                return received;
            }
        }
        self.known.waiting.store(true, SeqCst);
        if self.known.defect == SpinsForData {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// An error, as the defect changes it.
    fn failed(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        error: io::Error,
    ) -> Poll<io::Result<Received>> {
        match self.known.defect {
            EndsAtAnError => self.known.over.store(true, SeqCst),
            TellsAnErrorAgain => self.error = Some(error.kind()),
            ForgetsErrors => return self.inner(cx, buf),
            _ => {}
        }
        Poll::Ready(Err(error))
    }
}

impl<R: RecvHalf> RecvHalf for BrokenRecv<R> {
    fn recv_room(&self) -> usize {
        self.room
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        if let Some(error) = self.error.take() {
            return Poll::Ready(Err(error.into()));
        }
        if self.known.over.load(SeqCst) {
            return Poll::Ready(Ok(Received::End));
        }
        let defect = self.known.defect;
        if std::mem::take(&mut self.filled) {
            return Poll::Ready(Ok(Received::Data));
        }
        let (before, room) = (buf.filled().len(), buf.remaining());
        if room == 0 && defect == TakesNoRoomForTheEnd {
            return Poll::Ready(Ok(Received::End));
        }
        let received = match ready!(self.inner(cx, buf)) {
            Err(error) => return self.failed(cx, buf, error),
            Ok(received) => received,
        };
        let empty = room > 0 && buf.filled().len() == before;
        match defect {
            Merges => while self.inner(cx, buf).is_ready() && buf.remaining() > 0 {},
            CutsInSilence => return Poll::Ready(Ok(Received::Data)),
            DropsEmpty if empty => return self.poll_recv(cx, buf),
            TakesEmptyForTheEnd if empty => return Poll::Ready(Ok(Received::End)),
            FillsTheBufferTooEarly => {
                self.filled = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            _ => {}
        }
        Poll::Ready(Ok(received))
    }

    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        let mut new = Batch::new();
        let received = ready!(self.inner[0].lock().unwrap().poll_recv_batch(cx, &mut new))?;
        let mut all: Vec<_> = new.iter().collect();
        match self.known.defect {
            BatchLosesTheLast if all.len() > 1 => drop(all.pop()),
            BatchReorders => all.reverse(),
            BatchForgets => batch.clear(),
            _ => {}
        }
        for datagram in all {
            batch.reserve(datagram.bytes.len());
            batch.spare()[..datagram.bytes.len()].copy_from_slice(datagram.bytes);
            batch.push(datagram.bytes.len(), datagram.cut, datagram.from.cloned());
        }
        Poll::Ready(Ok(received))
    }
}

fn joined(parts: &[IoSlice<'_>]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.iter().copied()).collect()
}

impl<X: SendHalf> BrokenSend<X> {
    fn whole(&mut self, cx: &mut Context<'_>, parts: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let whole = joined(parts);
        let Shape::Datagram { max_len } = self.shape() else {
            unreachable!("datagrams")
        };
        let late = self.cancelled.take().filter(|late| *late != whole);
        if let Some(late) = late {
            let _ = self.inner.poll_send(cx, &[IoSlice::new(&late)]);
        }
        match self.known.defect {
            SendsTheHead if whole.len() > max_len => {
                let head = [IoSlice::new(&whole[..max_len])];
                self.inner.poll_send(cx, &head)
            }
            RefusesWithoutWords if whole.len() > max_len => {
                Poll::Ready(Err(io::ErrorKind::InvalidInput.into()))
            }
            SwapsParts => {
                let swapped: Vec<_> = parts.iter().rev().copied().collect();
                self.inner.poll_send(cx, &swapped)
            }
            SendsPartsApart => {
                for part in parts {
                    ready!(self.inner.poll_send(cx, &[*part]))?;
                }
                Poll::Ready(Ok(whole.len()))
            }
            NeverWakesSenders => {
                let mut nobody = Context::from_waker(Waker::noop());
                self.inner.poll_send(&mut nobody, parts)
            }
            _ => self.inner.poll_send(cx, parts),
        }
    }
}

impl<X: SendHalf> SendHalf for BrokenSend<X> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.known.defect == HalvesTakeTurns && self.known.waiting.load(SeqCst) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let sent = self.whole(cx, parts);
        match (&sent, self.known.defect) {
            (Poll::Pending, SpinsForRoom) => cx.waker().wake_by_ref(),
            (Poll::Pending, SendsCancelled) => self.cancelled = Some(joined(parts)),
            (Poll::Ready(Err(_)), StopsAtAnError) => self.known.over.store(true, SeqCst),
            _ => {}
        }
        sent
    }

    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        if self.known.defect != TakesWholeRuns {
            return self.inner.poll_send_run(cx, bytes, size);
        }
        let first = &bytes[..size.min(bytes.len())];
        ready!(self.inner.poll_send(cx, &[IoSlice::new(first)]))?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.known.defect == FinishSpeaks {
            ready!(self.inner.poll_send(cx, &[]))?;
        }
        self.inner.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.inner.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.inner.abort_on_drop(on)
    }
}

impl<R: RecvHalf> Half for BrokenRecv<R> {
    fn info(&self) -> &Info {
        &self.known.info
    }
}

impl<X: SendHalf> Half for BrokenSend<X> {
    fn info(&self) -> &Info {
        &self.known.info
    }
}
