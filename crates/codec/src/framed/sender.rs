//! Many tasks, one socket: they encode into one buffer, and a writer task writes it.
//!
//! A channel of frames measured four times slower: every frame costs an allocation and a hand-over there, and here
//! a short lock.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use bytes::BytesMut;
use socketry_transport::{Endpoint, SendExt, SendHalf, Shape};
use tokio::sync::Notify;

use super::send::encode_datagram;
use super::{FrameError, FrameFault, Framed};
use crate::{BoxCodec, Codec, CodecError, Fault};

/// How many bytes may wait for the writer, where nothing else is said.
const CAPACITY: usize = 256 * 1024;

/// A cloneable handle that sends frames through one socket. Made by [`Framed::into_sender`].
///
/// Frames of one task go out in order, whole, and together with those of others in as few writes as can be. When the
/// last handle is dropped, what waits is still written, and then the socket's half is dropped.
pub struct Sender<C = BoxCodec> {
    handle: Arc<Handle<C>>,
}

/// What the clones of a [`Sender`] share. Dropping it tells the writer that nothing more will come.
struct Handle<C>(Arc<Shared<C>>);

struct Shared<C> {
    queue: Mutex<Queue<C>>,
    capacity: usize,
    shape: Shape,
    peer: Endpoint,
    /// There is something for the writer to do.
    work: Notify,
    /// The writer took, wrote or ended.
    progress: Notify,
    /// The writer is not to wait for the peer any longer.
    abort: Notify,
}

struct Queue<C> {
    codec: C,
    buf: BytesMut,
    /// On a datagram socket, the length of each datagram in `buf`.
    lens: VecDeque<usize>,
    /// Bytes that were ever taken by the writer, and that were ever written.
    taken: u64,
    written: u64,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// No more frames are taken; what waits is written, and then the socket half-closed if that was asked for.
    Ending {
        finish: bool,
    },
    /// The writer is gone: done, or with that error.
    Over(Result<(), io::ErrorKind>),
}

impl<S: SendHalf + 'static, C: Codec> Framed<S, C> {
    /// Turns the sending half into a handle that many tasks can share. Up to 256 KiB wait for the writer.
    ///
    /// Needs a runtime: the writer is a task, which ends when the last handle is dropped or the peer is gone.
    pub fn into_sender(self) -> Sender<C> {
        self.into_sender_with(CAPACITY)
    }

    /// The same, and `capacity` bytes may wait for the writer before [`Sender::send`] does. A frame above it is taken
    /// when nothing waits.
    pub fn into_sender_with(self, capacity: usize) -> Sender<C> {
        let parts = self.into_parts();
        let taken = parts.unsent.len();
        let shared = Arc::new(Shared {
            shape: parts.socket.shape(),
            peer: parts.socket.peer().clone(),
            capacity: capacity.max(1),
            work: Notify::new(),
            progress: Notify::new(),
            abort: Notify::new(),
            queue: Mutex::new(Queue {
                codec: parts.codec,
                lens: VecDeque::from_iter((taken > 0).then_some(taken)),
                buf: parts.unsent,
                taken: 0,
                written: 0,
                phase: Phase::Open,
            }),
        });
        shared.work.notify_one();
        tokio::spawn(write_on(Arc::clone(&shared), parts.socket));
        Sender {
            handle: Arc::new(Handle(shared)),
        }
    }
}

impl<C: Codec> Sender<C> {
    /// Puts a frame behind those that wait; waits for room if there is none. Cancel-safe: the frame is sent whole or
    /// not at all.
    ///
    /// That the frame was written is told by [`flush`](Sender::flush).
    ///
    /// # Errors
    /// [Not fatal](FrameError::is_fatal) if the codec or a datagram cannot carry this frame; fatal if the peer is
    /// gone or the sender was finished.
    pub async fn send(&self, frame: &[u8]) -> Result<(), FrameError> {
        self.put(|shared, queue| shared.encode(queue, frame)).await
    }

    /// [`send`](Sender::send) without waiting: `false`, if there is no room.
    ///
    /// # Errors
    /// As [`send`](Sender::send).
    pub fn try_send(&self, frame: &[u8]) -> Result<bool, FrameError> {
        self.try_put(&mut |shared, queue| shared.encode(queue, frame))
    }

    /// Puts bytes that are encoded already, such as a message encoded once for many receivers. On a datagram socket
    /// they are one datagram.
    ///
    /// # Errors
    /// As [`send`](Sender::send).
    pub async fn send_encoded(&self, bytes: &[u8]) -> Result<(), FrameError> {
        self.put(|shared, queue| shared.put_encoded(queue, bytes))
            .await
    }

    /// [`send_encoded`](Sender::send_encoded) without waiting: `false`, if there is no room.
    ///
    /// # Errors
    /// As [`send`](Sender::send).
    pub fn try_send_encoded(&self, bytes: &[u8]) -> Result<bool, FrameError> {
        self.try_put(&mut |shared, queue| shared.put_encoded(queue, bytes))
    }

    /// Waits until everything that was put before has been written. Cancel-safe.
    ///
    /// # Errors
    /// If the peer is gone.
    pub async fn flush(&self) -> Result<(), FrameError> {
        let target = {
            let queue = self.shared().lock();
            queue.taken + queue.buf.len() as u64
        };
        self.wait(|queue| match queue.phase {
            _ if queue.written >= target => Some(Ok(())),
            Phase::Over(ended) => Some(ended.map_err(Some)),
            _ => None,
        })
        .await
    }

    /// Takes no more frames from any handle, writes those that wait, and half-closes. Cancel-safe: it goes on by itself.
    ///
    /// # Errors
    /// If the peer is gone.
    pub async fn finish(&self) -> Result<(), FrameError> {
        self.shared().end(true);
        self.closed().await
    }

    /// Takes no more frames from any handle, drops those that wait, and drops the socket's half, even where the peer reads
    /// nothing. A frame that is being written may be cut. Does nothing once the writer has ended.
    pub fn abort(&self) {
        self.shared().abort();
    }

    /// Waits until the writer has ended, because the sender was finished or the peer is gone. Cancel-safe.
    ///
    /// # Errors
    /// What ended it, if that was not [`finish`](Sender::finish).
    pub async fn closed(&self) -> Result<(), FrameError> {
        self.wait(|queue| match queue.phase {
            Phase::Over(ended) => Some(ended.map_err(Some)),
            _ => None,
        })
        .await
    }

    /// The other end.
    pub fn peer(&self) -> &Endpoint {
        &self.shared().peer
    }

    fn shared(&self) -> &Shared<C> {
        &self.handle.0
    }

    async fn put(
        &self,
        mut put: impl FnMut(&Shared<C>, &mut Queue<C>) -> Result<(), FrameError>,
    ) -> Result<(), FrameError> {
        loop {
            if self.try_put(&mut put)? {
                return Ok(());
            }
            self.wait(|queue| self.shared().may_put(queue).then_some(Ok(())))
                .await?;
        }
    }

    fn try_put(
        &self,
        put: &mut impl FnMut(&Shared<C>, &mut Queue<C>) -> Result<(), FrameError>,
    ) -> Result<bool, FrameError> {
        let shared = self.shared();
        let mut queue = shared.lock();
        if let Phase::Over(_) | Phase::Ending { .. } = queue.phase {
            return Err(shared.over(&queue));
        }
        if !shared.may_put(&queue) {
            return Ok(false);
        }
        let was_empty = queue.is_empty();
        put(shared, &mut queue)?;
        drop(queue);
        if was_empty {
            shared.work.notify_one();
        }
        Ok(true)
    }

    /// Waits until `look` has an answer; it is asked whenever the writer got on.
    async fn wait(
        &self,
        look: impl Fn(&Queue<C>) -> Option<Result<(), Option<io::ErrorKind>>>,
    ) -> Result<(), FrameError> {
        let shared = self.shared();
        loop {
            let mut progress = pin!(shared.progress.notified());
            progress.as_mut().enable();
            if let Some(answer) = look(&shared.lock()) {
                return answer.map_err(|kind| shared.error(kind));
            }
            progress.await;
        }
    }
}

impl<C> Shared<C> {
    fn lock(&self) -> MutexGuard<'_, Queue<C>> {
        // A codec of somebody's that panicked has left a buffer that is whole up to its last frame at worst.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room, or waiting for it would be in vain.
    fn may_put(&self, queue: &Queue<C>) -> bool {
        queue.phase != Phase::Open || queue.buf.len() < self.capacity
    }

    fn end(&self, finish: bool) {
        let mut queue = self.lock();
        if queue.phase == Phase::Open {
            queue.phase = Phase::Ending { finish };
        }
        drop(queue);
        self.work.notify_one();
        self.progress.notify_waiters();
    }

    fn abort(&self) {
        let mut queue = self.lock();
        if let Phase::Over(_) = queue.phase {
            return;
        }
        queue.phase = Phase::Over(Err(io::ErrorKind::ConnectionAborted));
        queue.buf = BytesMut::new();
        queue.lens = VecDeque::new();
        drop(queue);
        self.abort.notify_one();
        self.work.notify_one();
        self.progress.notify_waiters();
    }

    fn over(&self, queue: &Queue<C>) -> FrameError {
        match queue.phase {
            Phase::Over(Err(kind)) => self.error(Some(kind)),
            _ => self.error(None),
        }
    }

    fn error(&self, kind: Option<io::ErrorKind>) -> FrameError {
        let fault = kind.map_or(FrameFault::Over, |kind| io::Error::from(kind).into());
        FrameError::new(fault, "send to", &self.peer, true)
    }
}

impl<C: Codec> Shared<C> {
    fn encode(&self, queue: &mut Queue<C>, frame: &[u8]) -> Result<(), FrameError> {
        let Queue {
            codec, buf, lens, ..
        } = queue;
        let encoded = match self.shape {
            Shape::Stream => codec.encode(frame, buf),
            Shape::Datagram { max_len } => {
                encode_datagram(codec, frame, max_len, buf).map(|len| lens.push_back(len))
            }
        };
        encoded.map_err(|error| FrameError::new(error, "send to", &self.peer, false))
    }

    fn put_encoded(&self, queue: &mut Queue<C>, bytes: &[u8]) -> Result<(), FrameError> {
        if let Shape::Datagram { max_len } = self.shape {
            if bytes.len() > max_len {
                let fault = Fault::TooLong {
                    len: Some(bytes.len() as u64),
                    max: max_len as u64,
                };
                return Err(FrameError::new(
                    CodecError::skip(fault, 0),
                    "send to",
                    &self.peer,
                    false,
                ));
            }
            queue.lens.push_back(bytes.len());
        }
        queue.buf.extend_from_slice(bytes);
        Ok(())
    }
}

impl<C> Queue<C> {
    fn is_empty(&self) -> bool {
        self.buf.is_empty() && self.lens.is_empty()
    }
}

impl<C> Drop for Handle<C> {
    fn drop(&mut self) {
        self.0.end(false);
    }
}

impl<C> Clone for Sender<C> {
    fn clone(&self) -> Self {
        Sender {
            handle: Arc::clone(&self.handle),
        }
    }
}

impl<C> fmt::Debug for Sender<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender(to {})", self.handle.0.peer)
    }
}

/// What the writer took to write, swapped for an empty one.
#[derive(Default)]
struct Taken {
    buf: BytesMut,
    lens: VecDeque<usize>,
}

/// The writer: takes all that waits, writes it, and again.
async fn write_on<S: SendHalf, C: Codec>(shared: Arc<Shared<C>>, mut socket: S) {
    let mut taken = Taken::default();
    let ended = loop {
        match take(&shared, &mut taken) {
            Work::Wait => shared.work.notified().await,
            Work::End { finish: true } => break unless_aborted(&shared, socket.finish()).await,
            Work::End { finish: false } => break Ok(()),
            Work::Write => {
                shared.progress.notify_waiters();
                let writing = write(&shared, &mut socket, &mut taken);
                if let Err(error) = unless_aborted(&shared, writing).await {
                    break Err(error);
                }
                shared.lock().written += taken.buf.len() as u64;
                shared.progress.notify_waiters();
            }
        }
    };
    let mut queue = shared.lock();
    if !matches!(queue.phase, Phase::Over(_)) {
        queue.phase = Phase::Over(ended.map_err(|error| error.kind()));
    }
    queue.buf = BytesMut::new();
    drop(queue);
    shared.progress.notify_waiters();
}

/// Waits for the peer, but not once the sender was aborted.
async fn unless_aborted<C>(
    shared: &Shared<C>,
    io: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    let (mut io, mut aborted) = (pin!(io), pin!(shared.abort.notified()));
    poll_fn(|cx| match aborted.as_mut().poll(cx) {
        Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        Poll::Pending => io.as_mut().poll(cx),
    })
    .await
}

enum Work {
    Wait,
    Write,
    End { finish: bool },
}

fn take<C>(shared: &Shared<C>, taken: &mut Taken) -> Work {
    taken.buf.clear();
    taken.lens.clear();
    let mut queue = shared.lock();
    if !queue.is_empty() {
        std::mem::swap(&mut queue.buf, &mut taken.buf);
        std::mem::swap(&mut queue.lens, &mut taken.lens);
        queue.taken += taken.buf.len() as u64;
        return Work::Write;
    }
    match queue.phase {
        Phase::Ending { finish } => Work::End { finish },
        Phase::Over(_) => Work::End { finish: false },
        Phase::Open => {
            // Idle: give the room of a burst back.
            if taken.buf.capacity() > shared.capacity {
                taken.buf = BytesMut::new();
            }
            Work::Wait
        }
    }
}

async fn write<S: SendHalf, C>(
    shared: &Shared<C>,
    socket: &mut S,
    taken: &mut Taken,
) -> io::Result<()> {
    if shared.shape.is_stream() {
        return socket.send_all(&taken.buf).await;
    }
    let mut at = 0;
    for len in &taken.lens {
        let datagram = &taken.buf[at..at + len];
        let sent = poll_fn(|cx| socket.poll_send(cx, &[IoSlice::new(datagram)])).await;
        at += len;
        match sent {
            // The session is over, as a stream would be.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error),
            // It concerned one datagram, which is lost, as datagrams may be.
            Err(_) | Ok(_) => {}
        }
    }
    Ok(())
}
