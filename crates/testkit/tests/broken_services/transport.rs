//! TCP whose accepted sockets, or whose listener, have one defect.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use socketry_codec::FrameError;
use socketry_service::Server;
use socketry_transport::{
    Aborted, BoxListener, BoxSocket, Endpoint, Half, Info, Joined, Keys, Listener, Received,
    RecvHalf, Result, SendHalf, Socket, TcpTransport, Transport, async_trait, erase,
};
use tokio::io::ReadBuf;

type Recv = <BoxSocket as Socket>::Recv;
type Send = <BoxSocket as Socket>::Send;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    None,
    /// A dropped listener goes on serving.
    ListensForEver,
    /// A half-close is a reset.
    FinishIsReset,
    /// The same, and over a slow network: what was sent shortly before is lost.
    FinishLosesAnswers,
    /// A reset of one socket is one of all.
    SharesAborts,
    /// Nothing can be sent to a peer that has half-closed.
    EndClosesBoth,
}

/// The fate that the sockets of a listener share.
#[derive(Default)]
struct Fate {
    over: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

pub(crate) struct Broken(Defect, TcpTransport);

impl Broken {
    pub(crate) fn new(defect: Defect) -> Self {
        Broken(defect, TcpTransport::default())
    }
}

#[async_trait]
impl Transport for Broken {
    type Socket = BoxSocket;
    type Listener = BadListener;

    fn keys(&self) -> Keys {
        self.1.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<BoxSocket> {
        self.1.connect(to).await.map(BoxSocket::new)
    }

    async fn listen(&self, at: &Endpoint) -> Result<BadListener> {
        let listener = erase(TcpTransport::default()).listen(at).await?;
        Ok(BadListener {
            local: listener.local().clone(),
            inner: Some(listener),
            defect: self.0,
            fate: Arc::default(),
        })
    }
}

pub(crate) struct BadListener {
    inner: Option<BoxListener>,
    local: Endpoint,
    defect: Defect,
    fate: Arc<Fate>,
}

impl Listener for BadListener {
    type Socket = BoxSocket;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<BoxSocket>> {
        let inner = self.inner.as_mut().expect("taken by `drop` only");
        let (recv, send) = ready!(inner.poll_accept(cx))?.split();
        let info = recv.info().clone();
        let ended = Arc::new(AtomicBool::new(false));
        let (defect, fate) = (self.defect, &self.fate);
        let recv = BadRecv {
            inner: recv,
            ended: Arc::clone(&ended),
            fate: Arc::clone(fate),
        };
        let send = BadSend {
            inner: Arc::new(Mutex::new(send)),
            info,
            defect,
            ended,
            fate: Arc::clone(fate),
        };
        Poll::Ready(Ok(BoxSocket::new(Joined::new(recv, send))))
    }
}

impl Drop for BadListener {
    fn drop(&mut self) {
        if let (Defect::ListensForEver, Some(inner)) = (self.defect, self.inner.take()) {
            let echo =
                async |request: socketry_service::Request| Ok::<_, FrameError>(request.frame);
            tokio::spawn(Server::new(inner).answer(echo));
        }
    }
}

struct BadRecv {
    inner: Recv,
    /// The peer has half-closed.
    ended: Arc<AtomicBool>,
    fate: Arc<Fate>,
}

impl Half for BadRecv {
    fn info(&self) -> &Info {
        self.inner.info()
    }
}

impl RecvHalf for BadRecv {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        self.fate.waiting.lock().unwrap().push(cx.waker().clone());
        if self.fate.over.load(SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let received = ready!(self.inner.poll_recv(cx, buf))?;
        if received == Received::End {
            self.ended.store(true, SeqCst);
        }
        Poll::Ready(Ok(received))
    }
}

struct BadSend {
    inner: Arc<Mutex<Send>>,
    info: Info,
    defect: Defect,
    ended: Arc<AtomicBool>,
    fate: Arc<Fate>,
}

impl BadSend {
    fn inner(&self) -> MutexGuard<'_, Send> {
        self.inner.lock().unwrap()
    }

    /// Sends in a while, unless the socket is gone by then.
    fn send_later(&self, parts: &[IoSlice<'_>]) -> usize {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_vec()).collect();
        let (count, inner) = (bytes.len(), Arc::downgrade(&self.inner));
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Some(inner) = inner.upgrade() {
                let parts = [IoSlice::new(&bytes)];
                let _ = poll_fn(|cx| inner.lock().unwrap().poll_send(cx, &parts)).await;
            }
        });
        count
    }
}

impl Half for BadSend {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl SendHalf for BadSend {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.defect == Defect::EndClosesBoth && self.ended.load(SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.defect == Defect::FinishLosesAnswers {
            return Poll::Ready(Ok(self.send_later(parts)));
        }
        self.inner().poll_send(cx, parts)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.defect {
            Defect::FinishIsReset | Defect::FinishLosesAnswers => {
                Poll::Ready(self.inner().abort(0).map(drop))
            }
            _ => self.inner().poll_finish(cx),
        }
    }

    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        if self.defect == Defect::SharesAborts {
            self.fate.over.store(true, SeqCst);
            let waiting = std::mem::take(&mut *self.fate.waiting.lock().unwrap());
            waiting.into_iter().for_each(Waker::wake);
        }
        self.inner().abort(code)
    }

    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.inner().abort_on_drop(on)
    }
}
