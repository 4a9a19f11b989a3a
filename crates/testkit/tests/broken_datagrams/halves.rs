//! A connected socket whose halves do something wrong.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use socketry_transport::{
    Batch, Endpoint, Half, Received, RecvHalf, SendHalf, Shape, Socket, SocketOptions,
};
use tokio::io::ReadBuf;

use crate::Defect::{self, *};

/// What both halves know.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) defect: Defect,
    shape: Shape,
    local: Endpoint,
    peer: Endpoint,
    /// Set by somebody else: what there was is over.
    pub(crate) over: Arc<AtomicBool>,
    /// Whether the receiving half waits.
    waiting: Arc<AtomicBool>,
    options: SocketOptions,
}

pub(crate) struct Broken<S: Socket> {
    pub(crate) recv: BrokenRecv<S::Recv>,
    send: BrokenSend<S::Send>,
}

pub(crate) struct BrokenRecv<R> {
    pub(crate) known: Known,
    room: usize,
    /// Its own half, or all that there are.
    pub(crate) inner: Vec<Arc<Mutex<R>>>,
    filled: bool,
    error: Option<io::ErrorKind>,
}

pub(crate) struct BrokenSend<X> {
    known: Known,
    inner: X,
    cancelled: Option<Vec<u8>>,
}

impl<S: Socket> Broken<S> {
    pub(crate) fn new(socket: S, defect: Defect) -> Self {
        let local = socket.local().clone();
        let peer = match defect {
            CallsItselfThePeer => local.clone(),
            _ => socket.peer().clone(),
        };
        let room = match defect {
            AsksForTooLittleRoom => 100,
            _ => socket.recv_room(),
        };
        let known = Known {
            defect,
            shape: socket.shape(),
            local,
            peer,
            over: Arc::default(),
            waiting: Arc::default(),
            options: SocketOptions::default(),
        };
        let (recv, send) = socket.split();
        Broken {
            recv: BrokenRecv {
                known: known.clone(),
                room,
                inner: vec![Arc::new(Mutex::new(recv))],
                filled: false,
                error: None,
            },
            send: BrokenSend {
                known,
                inner: send,
                cancelled: None,
            },
        }
    }

    /// Ends when `over` is set.
    pub(crate) fn share(&mut self, over: &Arc<AtomicBool>) {
        self.recv.known.over = Arc::clone(over);
        self.send.known.over = Arc::clone(over);
    }

    pub(crate) fn with_options(mut self, options: SocketOptions) -> Self {
        self.recv.known.options = options;
        self
    }

    pub(crate) fn options(&self) -> SocketOptions {
        self.recv.known.options.clone()
    }
}

impl<R: RecvHalf> BrokenRecv<R> {
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

    /// An error, and what is made of it.
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
        let Shape::Datagram { max_len } = self.known.shape else {
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
            (Poll::Pending, SendsWhatWasCancelled) => self.cancelled = Some(joined(parts)),
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
}

impl<S: Socket> RecvHalf for Broken<S> {
    fn recv_room(&self) -> usize {
        self.recv.recv_room()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.recv.poll_recv(cx, buf)
    }
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        self.recv.poll_recv_batch(cx, batch)
    }
}

impl<S: Socket> SendHalf for Broken<S> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.send.poll_send(cx, parts)
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        self.send.poll_send_run(cx, bytes, size)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send.poll_finish(cx)
    }
}

impl<S: Socket> Socket for Broken<S> {
    type Recv = BrokenRecv<S::Recv>;
    type Send = BrokenSend<S::Send>;

    fn split(self) -> (Self::Recv, Self::Send) {
        (self.recv, self.send)
    }
}

macro_rules! half {
    ($half:ty, $parameter:ident: $bound:ident, |$this:ident| $known:expr) => {
        impl<$parameter: $bound> Half for $half {
            fn shape(&self) -> Shape {
                let $this = self;
                $known.shape
            }
            fn local(&self) -> &Endpoint {
                let $this = self;
                &$known.local
            }
            fn peer(&self) -> &Endpoint {
                let $this = self;
                &$known.peer
            }
        }
    };
}

half!(Broken<S>, S: Socket, |this| this.recv.known);
half!(BrokenRecv<R>, R: RecvHalf, |this| this.known);
half!(BrokenSend<X>, X: SendHalf, |this| this.known);
