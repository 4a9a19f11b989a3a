//! A socket made from tokio I/O.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf};

use crate::contract::socket::info::Info;
use crate::contract::socket::joined::Joined;
use crate::contract::socket::send::aborted_here;
use crate::contract::socket::{Aborted, Half, Received, RecvHalf, SendHalf};
use crate::waking::{wait, wake};

/// The most bytes of several small parts that an [`IoSend`] writes as one.
const GATHERED: usize = 4096;

/// A stream socket made from anything that reads and writes.
///
/// Sending to a peer that is gone is an error. But a pipe raises SIGPIPE too, in a process that
/// does not ignore it. Rust programs ignore it by default.
///
/// Over tokio's `UnixStream` or `TcpStream`, a receive may wait although bytes are there. After a
/// descriptor that the peer passed, or after urgent data, a read is short, and those types then
/// assume that no more bytes are there. [`SocketParts`](crate::SocketParts) makes a socket of the
/// same descriptor without this problem.
///
/// ```
/// use socketry_transport::{FromIo, Info, RecvExt, SendExt, Shape};
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (ours, mut theirs) = tokio::io::duplex(64);
/// let info = Info::new(Shape::Stream, "pipe://us".parse()?, "pipe://them".parse()?);
/// let mut socket = FromIo::from_io(ours, info);
/// theirs.write_all(b"hello").await?;
/// let mut buf = [0; 16];
/// assert_eq!(socket.recv(&mut buf).await?.0, 5);
/// # Ok(()) }
/// ```
pub type FromIo<T> = Joined<IoRecv<ReadHalf<T>>, IoSend<WriteHalf<T>>>;

/// The receiving half made from a reader.
#[derive(Debug)]
pub struct IoRecv<R> {
    io: R,
    info: Info,
    shared: Arc<Shared>,
}

/// The sending half made from a writer.
#[derive(Debug)]
pub struct IoSend<W> {
    io: W,
    info: Info,
    shared: Arc<Shared>,
}

/// The state with which an aborted sending half tells the receiving one.
#[derive(Debug, Default)]
struct Shared {
    aborted: AtomicBool,
    reader: Mutex<Option<Waker>>,
}

impl Shared {
    fn check(&self) -> io::Result<()> {
        if self.aborted.load(Acquire) {
            return Err(aborted_here());
        }
        Ok(())
    }

    fn reader(&self) -> MutexGuard<'_, Option<Waker>> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Arranges that an abort wakes the task that receives. Fails if the abort has come in the
    /// meantime.
    fn watch(&self, cx: &Context<'_>) -> io::Result<()> {
        let replaced = wait(&mut self.reader(), cx);
        drop(replaced);
        self.check()
    }

    fn abort(&self) {
        self.aborted.store(true, Release);
        let reader = self.reader().take();
        wake(reader);
    }
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> FromIo<T> {
    /// A socket of `io` with this `info`. Its halves share `io` behind a lock.
    pub fn from_io(io: T, info: Info) -> Self {
        let (reader, writer) = tokio::io::split(io);
        Joined::from_read_write(reader, writer, info)
    }

    /// The I/O inside.
    ///
    /// # Errors
    /// The socket itself, if its halves come from two different ones.
    pub fn into_inner(self) -> Result<T, Self> {
        let (recv, send) = self.halves();
        if !recv.io.is_pair_of(&send.io) {
            return Err(self);
        }
        let (recv, send) = self.into_halves();
        Ok(recv.io.unsplit(send.io))
    }
}

impl<R: AsyncRead + Send + Unpin, W: AsyncWrite + Send + Unpin> Joined<IoRecv<R>, IoSend<W>> {
    /// A socket of a separate reader and writer, such as the pipes of a child process, with this
    /// `info`. They are not behind a lock.
    ///
    /// Finishing it shuts the writer down, which does nothing to tokio's `ChildStdin`: put it into
    /// a [`Closing`](crate::Closing), so that the child's input ends.
    pub fn from_read_write(reader: R, writer: W, info: Info) -> Self {
        let shared = Arc::default();
        let recv = IoRecv {
            io: reader,
            info: info.clone(),
            shared: Arc::clone(&shared),
        };
        let send = IoSend {
            io: writer,
            info,
            shared,
        };
        Joined::new(recv, send)
    }

    /// The reader and the writer inside.
    pub fn into_read_write(self) -> (R, W) {
        let (recv, send) = self.into_halves();
        (recv.io, send.io)
    }
}

impl<R: Send + Unpin> Half for IoRecv<R> {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl<W: Send + Unpin> Half for IoSend<W> {
    fn info(&self) -> &Info {
        &self.info
    }
}

impl<R: AsyncRead + Send + Unpin> RecvHalf for IoRecv<R> {
    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        // Not every reader answers at once if there is no room: tokio's sockets wait for data
        // first.
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(Received::Data));
        }
        self.shared.check()?;
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(read) => read?,
            Poll::Pending => {
                self.shared.watch(cx)?;
                return Poll::Pending;
            }
        }
        let ended = buf.filled().len() == before;
        Poll::Ready(Ok(if ended { Received::End } else { Received::Data }))
    }
}

impl<W: AsyncWrite + Send + Unpin> SendHalf for IoSend<W> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.shared.check()?;
        let io = Pin::new(&mut self.io);
        match parts {
            [part] => io.poll_write(cx, part),
            parts => io.poll_write(cx, gathered(parts, &mut [0; GATHERED])),
        }
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shared.check()?;
        match ready!(Pin::new(&mut self.io).poll_shutdown(cx)) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Poll::Ready(Ok(())),
            done => Poll::Ready(done),
        }
    }

    /// An `AsyncWrite` has no reset: it is shut down, and the peer sees an end. If that has to
    /// wait, or fails, the peer sees the end when both halves have been dropped.
    fn abort(&mut self, _code: u64) -> io::Result<Aborted> {
        let cx = &mut Context::from_waker(Waker::noop());
        let _ = Pin::new(&mut self.io).poll_shutdown(cx);
        self.shared.abort();
        Ok(Aborted::End)
    }
}

/// The beginning of `parts` as one slice: the first part that has bytes, if it is as large as
/// `room`, or else a copy in `room`.
///
/// They are not written as vectors, though a writer may offer that: tokio's kernel sockets then
/// raise SIGPIPE when the peer is gone, in a process that does not ignore it.
fn gathered<'a>(parts: &'a [IoSlice<'_>], room: &'a mut [u8; GATHERED]) -> &'a [u8] {
    let first = parts.iter().find(|part| !part.is_empty());
    if let Some(first) = first.filter(|part| part.len() >= GATHERED) {
        return first;
    }
    let mut len = 0;
    for part in parts {
        let take = part.len().min(GATHERED - len);
        room[len..len + take].copy_from_slice(&part[..take]);
        len += take;
    }
    &room[..len]
}
