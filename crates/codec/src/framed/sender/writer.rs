//! The writer: takes all frames that wait, writes them, and repeats.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use bytes::BytesMut;
use socketry_transport::{SendExt, SendHalf};

use super::queue::{Phase, Shared};
use crate::Codec;
use crate::limits::SENDER_LINGER;

/// Writes until no more frames will come, the peer is gone, or the sender gives up on the peer.
pub(super) async fn run<S: SendHalf, C: Codec>(place: Place<C>, mut socket: S) {
    let shared = &place.0;
    let ended = first_of(write_all(shared, &mut socket), given_up(shared)).await;
    shared.over(ended);
}

/// The writer's hold on the shared state. Dropping it tells the waiting tasks that the writer has
/// ended, also if its runtime never runs it.
pub(super) struct Place<C>(Arc<Shared<C>>);

impl<C> Place<C> {
    pub(super) fn new(shared: &Arc<Shared<C>>) -> Self {
        Place(Arc::clone(shared))
    }
}

impl<C> Drop for Place<C> {
    fn drop(&mut self) {
        self.0.over(Err(io::ErrorKind::BrokenPipe.into()));
    }
}

async fn first_of<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|cx| match one.as_mut().poll(cx) {
        Poll::Pending => other.as_mut().poll(cx),
        ready => ready,
    })
    .await
}

/// Resolves when the sender is aborted, or has ended and then the socket takes nothing for
/// [`SENDER_LINGER`].
async fn given_up<C>(shared: &Shared<C>) -> io::Result<()> {
    let stuck = async {
        shared.ending.notified().await;
        loop {
            let before = shared.taken.load(Ordering::Relaxed);
            tokio::time::sleep(SENDER_LINGER).await;
            if shared.taken.load(Ordering::Relaxed) == before {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    };
    let aborted = async {
        shared.abort.notified().await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    first_of(aborted, stuck).await
}

/// The frames that the writer took, in exchange for an empty buffer.
#[derive(Default)]
struct Taken {
    buf: BytesMut,
    lens: VecDeque<usize>,
    /// The number of frames that were put in, up to the last of these.
    put: u64,
}

enum Work {
    Wait,
    Write,
    End { finish: bool },
}

async fn write_all<S: SendHalf, C: Codec>(shared: &Shared<C>, socket: &mut S) -> io::Result<()> {
    let mut taken = Taken::default();
    loop {
        match take(shared, &mut taken) {
            Work::Wait => shared.work.notified().await,
            Work::End { finish: true } => return socket.finish().await,
            Work::End { finish: false } => return Ok(()),
            Work::Write => {
                shared.progress.notify_waiters();
                write(shared, socket, &taken).await?;
                shared.lock().written = taken.put;
                shared.progress.notify_waiters();
            }
        }
    }
}

fn take<C>(shared: &Shared<C>, taken: &mut Taken) -> Work {
    taken.buf.clear();
    taken.lens.clear();
    let mut queue = shared.lock();
    if !queue.is_empty() {
        std::mem::swap(&mut queue.buf, &mut taken.buf);
        std::mem::swap(&mut queue.lens, &mut taken.lens);
        taken.put = queue.put;
        return Work::Write;
    }
    match queue.phase {
        Phase::Ending { finish } => Work::End { finish },
        Phase::Over(_) => Work::End { finish: false },
        Phase::Open => {
            // No frames wait: free large buffers.
            for buf in [&mut queue.buf, &mut taken.buf] {
                if buf.capacity() > shared.capacity {
                    *buf = BytesMut::new();
                }
            }
            Work::Wait
        }
    }
}

async fn write<S: SendHalf, C>(
    shared: &Shared<C>,
    socket: &mut S,
    taken: &Taken,
) -> io::Result<()> {
    if shared.shape.is_stream() {
        return write_stream(shared, socket, &taken.buf).await;
    }
    let mut at = 0;
    for len in &taken.lens {
        let message = &taken.buf[at..at + len];
        let sent = poll_fn(|cx| socket.poll_send(cx, &[IoSlice::new(message)])).await;
        at += len;
        shared.taken.fetch_add(1, Ordering::Relaxed);
        bear(shared, sent.map(drop))?;
    }
    let flushed = poll_fn(|cx| socket.poll_flush(cx)).await;
    bear(shared, flushed)
}

/// An error about one datagram, which is lost, does not end the writer: `flush` reports it. The end
/// of a session does, and any error of a socket of messages.
fn bear<C>(shared: &Shared<C>, sent: io::Result<()>) -> io::Result<()> {
    match sent {
        Err(error) if !shared.shape.is_reliable() && error.kind() != io::ErrorKind::BrokenPipe => {
            shared.lock().lost = Some(Arc::new(error));
            Ok(())
        }
        sent => sent,
    }
}

/// Counts each write, since a peer that reads slowly is not gone.
async fn write_stream<S: SendHalf, C>(
    shared: &Shared<C>,
    socket: &mut S,
    mut rest: &[u8],
) -> io::Result<()> {
    while !rest.is_empty() {
        let sent = poll_fn(|cx| socket.poll_send(cx, &[IoSlice::new(rest)])).await?;
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        shared.taken.fetch_add(1, Ordering::Relaxed);
        rest = &rest[sent..];
    }
    poll_fn(|cx| socket.poll_flush(cx)).await
}
