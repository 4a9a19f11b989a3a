//! A connection with one defect; its streams and datagrams have it too.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker, ready};

use socketry_transport::{BoxSocket, Connection, Info, Joined, MemConnection, MemSocket};

use crate::defect::Defect;
use crate::stream::{self, BadStream};

pub(crate) struct Bad {
    defect: Defect,
    info: Info,
    inner: MemConnection,
    client: bool,
    cloned: bool,
    waited: bool,
    held: Option<MemSocket>,
    shared: Arc<Shared>,
}

/// What the handles and streams of one end share.
#[derive(Default)]
pub(crate) struct Shared {
    handles: AtomicUsize,
    /// How many streams this end has made.
    pub(crate) streams: AtomicUsize,
    closes: AtomicUsize,
    accepter: Arc<One>,
    pub(crate) stopped: std::sync::atomic::AtomicBool,
}

/// One place for the waker of many.
#[derive(Default)]
struct One(Mutex<Option<Waker>>);

impl Wake for One {
    fn wake(self: Arc<Self>) {
        if let Some(waker) = self.0.lock().expect("nobody panics with it").take() {
            waker.wake();
        }
    }
}

impl Bad {
    pub(crate) fn new(defect: Defect, inner: MemConnection, client: bool) -> Self {
        let shared = Arc::new(Shared::default());
        Bad::handle(defect, inner, client, shared)
    }

    fn handle(defect: Defect, inner: MemConnection, client: bool, shared: Arc<Shared>) -> Self {
        shared.handles.fetch_add(1, Ordering::SeqCst);
        let info = inner.info().clone();
        let info = match defect {
            Defect::NamesItself => info.with_peer(inner.local().clone()),
            _ => info,
        };
        Bad {
            defect,
            info,
            inner,
            client,
            cloned: false,
            waited: false,
            held: None,
            shared,
        }
    }

    fn stream(&self, stream: MemSocket) -> BadStream {
        let number = self.shared.streams.fetch_add(1, Ordering::SeqCst);
        let closes = matches!(self.defect, Defect::DropEndsAll | Defect::AbortsAll);
        let closing = closes.then(|| self.inner.clone());
        stream::bad(self.defect, stream, number, &self.shared, closing)
    }

    fn poll_inner(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<MemSocket>>> {
        match self.defect {
            Defect::ForgetsAccepters => self
                .inner
                .poll_accept(&mut Context::from_waker(Waker::noop())),
            Defect::WakesOneAccepter => {
                let one = Arc::clone(&self.shared.accepter);
                *one.0.lock().expect("nobody panics with it") = Some(cx.waker().clone());
                let one = Waker::from(one);
                self.inner.poll_accept(&mut Context::from_waker(&one))
            }
            _ => self.inner.poll_accept(cx),
        }
    }

    /// Goes on opening when nobody waits for it any more.
    fn leak_open(&mut self) {
        if !self.waited {
            let mut other = self.inner.clone();
            tokio::spawn(async move { other.open().await.map(std::mem::forget) });
        }
        self.waited = true;
    }
}

impl Connection for Bad {
    type Stream = BadStream;

    fn info(&self) -> &Info {
        &self.info
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<BadStream>> {
        let asleep = &mut Context::from_waker(Waker::noop());
        let opened = match self.defect {
            Defect::OpensOneWay | Defect::SharesPlaces if !self.client => Poll::Pending,
            Defect::ForgetsOpeners => self.inner.poll_open(asleep),
            _ => self.inner.poll_open(cx),
        };
        match (self.defect, &opened) {
            (Defect::OpensForEver, Poll::Ready(Err(_))) => return Poll::Pending,
            (Defect::LeaksOpens, Poll::Pending) => self.leak_open(),
            _ => {}
        }
        opened.map_ok(|stream| self.stream(stream))
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<BadStream>>> {
        let accepted = self.shared.streams.load(Ordering::SeqCst);
        match self.defect {
            Defect::CloneIsDeaf if self.cloned => return Poll::Pending,
            Defect::AcceptsOne if accepted > 0 => return Poll::Ready(Ok(None)),
            _ => {}
        }
        if let Some(held) = self.held.take() {
            return Poll::Ready(Ok(Some(self.stream(held))));
        }
        let mut polled = self.poll_inner(cx);
        if self.defect == Defect::LosesStreams && self.waited && polled.is_ready() {
            polled = self.poll_inner(cx);
        }
        self.waited = polled.is_pending();
        let mut stream = ready!(polled)?;
        if stream.is_none() && self.defect == Defect::OrderlyIsAnError {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if self.defect == Defect::AcceptsLastFirst
            && let Poll::Ready(Ok(Some(later))) = self.inner.poll_accept(cx)
        {
            self.held = stream.replace(later);
        }
        Poll::Ready(Ok(stream.map(|stream| self.stream(stream))))
    }

    fn close(&self, code: u64, reason: &str) {
        let before = self.shared.closes.fetch_add(1, Ordering::SeqCst);
        match self.defect {
            Defect::HidesReason => self.inner.close(code, ""),
            Defect::SecondCloseCounts if before == 0 => {}
            _ => self.inner.close(code, reason),
        }
    }

    fn datagrams(&self) -> Option<BoxSocket> {
        let (recv, send) = socketry_transport::Socket::split(self.inner.datagrams()?);
        let (recv, send) = stream::halves(self.defect, recv, send, &self.shared);
        Some(BoxSocket::new(Joined::new(recv, send)))
    }
}

impl Clone for Bad {
    fn clone(&self) -> Self {
        let shared = Arc::clone(&self.shared);
        let mut clone = Bad::handle(self.defect, self.inner.clone(), self.client, shared);
        clone.cloned = true;
        clone
    }
}

impl Drop for Bad {
    fn drop(&mut self) {
        let last = self.shared.handles.fetch_sub(1, Ordering::SeqCst) == 1;
        match self.defect {
            Defect::AnyHandleCloses => self.inner.close(0, ""),
            Defect::HandlesCountAlone if last => self.inner.close(0, ""),
            Defect::NeverCloses => std::mem::forget(self.inner.clone()),
            _ => {}
        }
    }
}
