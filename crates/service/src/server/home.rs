//! Sockets that come back to the server when the handler drops them, so that the server can close
//! them in order. A TCP socket that is dropped with unread bytes is reset, and the answers that the
//! client has not read yet are lost.

use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use socketry_transport::{
    Aborted, Batch, Half, Info, Joined, Received, RecvHalf, SendHalf, Shape, Socket, Upcoming,
};
use tokio::io::ReadBuf;

use super::tie::Tie;

/// The place to which the halves of one socket come back. If it is dropped with the sending half,
/// the connection was cut, and the peer sees a reset.
pub(super) struct Home<R, W: SendHalf>(Arc<Mutex<(Option<R>, Option<W>)>>);

impl<R: RecvHalf + 'static, W: SendHalf + 'static> Home<R, W> {
    /// `socket`, whose halves will come back to the home. The observer of `counting` hears of the
    /// bytes that pass.
    pub(super) fn of<S>(socket: S, counting: Option<Arc<Tie>>) -> (Home<R, W>, Lent<R, W>)
    where
        S: Socket<Recv = R, Send = W>,
    {
        let home = Arc::new(Mutex::new((None, None)));
        let (recv, send) = socket.split();
        let recv = LentRecv {
            half: Some(recv),
            home: Arc::clone(&home),
            counting: counting.clone(),
        };
        let send = LentSend {
            half: Some(send),
            home: Arc::clone(&home),
            counting,
        };
        (Home(home), Joined::new(recv, send))
    }

    /// The socket, if both of its halves have come back.
    pub(super) fn take(self) -> Option<Joined<R, W>> {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (recv, send) = (halves.0.take(), halves.1.take());
        Some(Joined::new(recv?, send?))
    }
}

impl<R, W: SendHalf> Drop for Home<R, W> {
    fn drop(&mut self) {
        let mut halves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(send) = &mut halves.1 {
            // A transport without resets shows the peer an end.
            let _ = send.abort(0);
        }
    }
}

/// A socket that a server has lent to its handler. When both halves are dropped, the server closes
/// it in order.
pub type Lent<R, W> = Joined<LentRecv<R, W>, LentSend<R, W>>;

/// The receiving half of a socket that a server has lent to its handler.
pub struct LentRecv<R, W> {
    /// `None` only while this is dropped.
    half: Option<R>,
    home: Arc<Mutex<(Option<R>, Option<W>)>>,
    /// The observer hears of bytes, if there is one.
    counting: Option<Arc<Tie>>,
}

/// The sending half of a socket that a server has lent to its handler.
pub struct LentSend<R, W> {
    /// `None` only while this is dropped.
    half: Option<W>,
    home: Arc<Mutex<(Option<R>, Option<W>)>>,
    /// The observer hears of bytes, if there is one.
    counting: Option<Arc<Tie>>,
}

const HERE: &str = "a half is given back only when it is dropped";

impl<R, W> LentRecv<R, W> {
    fn half(&mut self) -> &mut R {
        self.half.as_mut().expect(HERE)
    }
}

impl<R, W> LentSend<R, W> {
    fn half(&mut self) -> &mut W {
        self.half.as_mut().expect(HERE)
    }

    /// Tells the observer of the bytes that were sent.
    fn told(&self, sent: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let (Some(tie), Poll::Ready(Ok(count))) = (&self.counting, &sent) {
            tie.tell(|observer, id| observer.bytes_sent(id, *count));
        }
        sent
    }
}

impl<R: RecvHalf, W: Send> Half for LentRecv<R, W> {
    fn info(&self) -> &Info {
        self.half.as_ref().expect(HERE).info()
    }
    fn shape(&self) -> Shape {
        self.half.as_ref().expect(HERE).shape()
    }
}

impl<R: RecvHalf, W: Send> RecvHalf for LentRecv<R, W> {
    fn recv_room(&self) -> usize {
        self.half.as_ref().expect(HERE).recv_room()
    }

    fn upcoming(&self) -> Upcoming {
        self.half.as_ref().expect(HERE).upcoming()
    }
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let before = buf.filled().len();
        let received = ready!(self.half().poll_recv(cx, buf));
        if let Some(tie) = &self.counting {
            let count = buf.filled().len() - before;
            tie.tell(|observer, id| observer.bytes_received(id, count));
        }
        Poll::Ready(received)
    }
    fn poll_recv_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &mut Batch,
    ) -> Poll<io::Result<Received>> {
        let before = batch.len();
        let received = ready!(self.half().poll_recv_batch(cx, batch));
        if let Some(tie) = &self.counting {
            let arrived = batch.iter().skip(before);
            let count = arrived.map(|datagram| datagram.bytes.len()).sum();
            tie.tell(|observer, id| observer.bytes_received(id, count));
        }
        Poll::Ready(received)
    }
}

impl<R: Send, W: SendHalf> Half for LentSend<R, W> {
    fn info(&self) -> &Info {
        self.half.as_ref().expect(HERE).info()
    }
    fn shape(&self) -> Shape {
        self.half.as_ref().expect(HERE).shape()
    }
}

impl<R: Send, W: SendHalf> SendHalf for LentSend<R, W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = self.half().poll_send(cx, parts);
        self.told(sent)
    }
    fn poll_send_run(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        size: usize,
    ) -> Poll<io::Result<usize>> {
        let sent = self.half().poll_send_run(cx, bytes, size);
        self.told(sent)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.half().poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.half().poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.half().abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.half().abort_on_drop(on)
    }
}

impl<R, W> Drop for LentRecv<R, W> {
    fn drop(&mut self) {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        home.0 = self.half.take();
    }
}

impl<R, W> Drop for LentSend<R, W> {
    fn drop(&mut self) {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        home.1 = self.half.take();
    }
}
