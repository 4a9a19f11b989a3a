//! Futures over the poll methods, for programs that use a socket directly.

#![expect(
    unsafe_code,
    reason = "receiving into memory that was not cleared first; see the block"
)]

use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::ReadBuf;
use tokio::time::{Instant, timeout};

use crate::contract::socket::{Received, RecvHalf, SendHalf, Socket};

/// Receiving with `await`.
pub trait RecvExt: RecvHalf {
    /// Receives into `buf`. Gives the number of bytes, and whether a message or datagram was cut or
    /// the peer has ended. Cancel-safe.
    fn recv(
        &mut self,
        buf: &mut [u8],
    ) -> impl Future<Output = io::Result<(usize, Received)>> + Send {
        let mut buf = ReadBuf::new(buf);
        poll_fn(move |cx| {
            let received = ready!(self.poll_recv(cx, &mut buf))?;
            Poll::Ready(Ok((buf.filled().len(), received)))
        })
    }
}

impl<R: RecvHalf + ?Sized> RecvExt for R {}

/// Sending with `await`.
pub trait SendExt: SendHalf {
    /// Sends some of `bytes` and gives their number; a message or datagram is sent whole.
    /// Cancel-safe.
    fn send(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<usize>> + Send {
        poll_fn(move |cx| self.poll_send(cx, &[IoSlice::new(bytes)]))
    }

    /// Sends all of `bytes`; where the peer sees boundaries, as one message or datagram.
    ///
    /// Not cancel-safe on a stream: some of the bytes may have been sent.
    fn send_all(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<()>> + Send {
        let (mut rest, mut sent_all) = (bytes, false);
        poll_fn(move |cx| {
            loop {
                if sent_all {
                    return self.poll_flush(cx);
                }
                let sent = ready!(self.poll_send(cx, &[IoSlice::new(rest)]))?;
                if sent == 0 && !rest.is_empty() {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                rest.advance(sent);
                sent_all = rest.is_empty();
            }
        })
    }

    /// Half-closes: the peer sees the end, and may still answer. Cancel-safe.
    fn finish(&mut self) -> impl Future<Output = io::Result<()>> + Send {
        poll_fn(|cx| self.poll_finish(cx))
    }
}

impl<S: SendHalf + ?Sized> SendExt for S {}

/// Receives at most `max` bytes into the spare room of `buf`, without clearing that room first.
///
/// `buf` grows by the bytes that arrived. It is given room for `max` bytes if it has less. With a
/// `max` of 0 no bytes are received.
///
/// # Errors
/// As [`RecvHalf::poll_recv`].
pub fn poll_recv_into<R: RecvHalf + ?Sized>(
    socket: &mut R,
    cx: &mut Context<'_>,
    buf: &mut BytesMut,
    max: usize,
) -> Poll<io::Result<Received>> {
    buf.reserve(max);
    let spare = &mut buf.spare_capacity_mut()[..max];
    let start = spare.as_ptr().cast::<u8>();
    let mut read = ReadBuf::uninit(spare);
    let received = ready!(socket.poll_recv(cx, &mut read))?;
    // A socket could put another `ReadBuf` in place of ours; the bytes counted below must be those
    // of `buf`.
    assert!(
        std::ptr::eq(start, read.filled().as_ptr()),
        "poll_recv replaced the buffer"
    );
    let len = read.filled().len();
    // SAFETY: `read` lies in the spare room of `buf`, was not replaced, and its first `len` bytes
    // are initialised: `ReadBuf::filled` guarantees it.
    unsafe { buf.advance_mut(len) };
    Poll::Ready(Ok(received))
}

/// Closes a socket so that the peer loses no bytes: half-closes, reads on until the peer has closed
/// too, and drops the socket. It reads at most `bytes` bytes, and for at most `time`.
///
/// To just drop the socket would do harm: while its receive buffer has unread bytes the kernel
/// sends a reset, which destroys the bytes that the peer has not read yet.
///
/// # Errors
/// If half-closing fails, because the peer is gone, or takes longer than `time`.
pub async fn close<S: Socket>(mut socket: S, bytes: usize, time: Duration) -> io::Result<()> {
    let begun = Instant::now();
    timeout(time, socket.finish()).await??;
    if socket.shape().is_reliable() {
        let left = time.saturating_sub(begun.elapsed());
        // A peer that goes on talking has had its chance to read.
        let _ = timeout(left, drain(&mut socket, bytes)).await;
    }
    Ok(())
}

async fn drain<S: RecvHalf>(socket: &mut S, bytes: usize) {
    let mut left = bytes;
    while left > 0 {
        match poll_fn(|cx| poll_drop(cx, socket)).await {
            Ok((len, Received::Data | Received::Cut(_))) => left = left.saturating_sub(len),
            Ok((_, Received::End)) | Err(_) => return,
        }
    }
}

/// Receives bytes and drops them. They are not in the future, or each task that may close a socket
/// would have room for them as long as it lives.
fn poll_drop<S: RecvHalf>(
    cx: &mut Context<'_>,
    socket: &mut S,
) -> Poll<io::Result<(usize, Received)>> {
    let mut scratch = [0; 4096];
    let mut buf = ReadBuf::new(&mut scratch);
    let received = ready!(socket.poll_recv(cx, &mut buf))?;
    Poll::Ready(Ok((buf.filled().len(), received)))
}
