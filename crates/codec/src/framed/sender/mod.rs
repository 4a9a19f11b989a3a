//! Many tasks, one socket: they encode into one buffer, and a writer task writes it.
//!
//! A channel of frames measured four times slower: every frame costs an allocation and a hand-over
//! there, and here a short lock.

mod queue;
mod writer;

use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use socketry_transport::{Endpoint, SendHalf};

use super::{FrameError, FrameFault, Framed};
use crate::limits::DEFAULT_SENDER_CAPACITY;
use crate::{BoxCodec, Codec};
use queue::{Phase, Queue, Shared};

/// A cloneable handle that sends frames through one socket. Made by [`Framed::into_sender`].
///
/// Frames of one task go out in order, whole, and together with those of others in as few writes as
/// can be. When the last handle is dropped, what waits is still written, as long as the peer takes
/// some of it within
/// [`SENDER_LINGER`](crate::limits::SENDER_LINGER), and then the socket's half is dropped.
pub struct Sender<C: Codec = BoxCodec> {
    handle: Arc<Handle<C>>,
}

/// What the clones of a [`Sender`] share. Dropping it tells the writer that nothing more will come.
struct Handle<C: Codec>(Arc<Shared<C>>);

impl<C: Codec> Drop for Handle<C> {
    fn drop(&mut self) {
        self.0.end(false);
    }
}

impl<S: SendHalf + 'static, C: Codec> Framed<S, C> {
    /// Turns the sending half into a handle that many tasks can share. Up to
    /// [`DEFAULT_SENDER_CAPACITY`], 256 KiB, wait for the writer.
    ///
    /// Take it of a half: what a whole socket has received, and its receiving side, are dropped.
    /// Needs a runtime with timers: the writer is a task, which ends when the last handle is
    /// dropped or the peer is gone. Where nothing can be sent any more, or a body is owed, nothing
    /// can be sent through the handle either: it is closed from the start.
    pub fn into_sender(self) -> Sender<C> {
        self.into_sender_with(DEFAULT_SENDER_CAPACITY)
    }

    /// The same, and `capacity` bytes may wait for the writer before [`Sender::send`] does. A frame
    /// above it is taken when nothing waits.
    pub fn into_sender_with(self, capacity: usize) -> Sender<C> {
        let usable = !self.output.is_over() && self.output.owed == 0;
        let (shape, peer) = (self.socket.shape(), self.socket.peer().clone());
        let datagram = self.output.datagram;
        let queue = Queue::new(self.codec, self.output.into_unsent(), datagram);
        let shared = Arc::new(Shared::new(queue, shape, peer, capacity.max(1)));
        if usable {
            tokio::spawn(writer::run(writer::Place::new(&shared), self.socket));
        } else {
            shared.over(Err(io::ErrorKind::BrokenPipe.into()));
        }
        Sender {
            handle: Arc::new(Handle(shared)),
        }
    }
}

impl<C: Codec> Sender<C> {
    /// Puts a frame behind those that wait; waits for room if there is none. Cancel-safe: the frame
    /// is sent whole or not at all.
    ///
    /// That the frame was written is told by [`flush`](Sender::flush).
    ///
    /// # Errors
    /// [Not fatal](FrameError::is_fatal) if the codec or a datagram cannot carry this frame; fatal
    /// if the peer is gone or the sender was finished.
    pub async fn send(&self, frame: &[u8]) -> Result<(), FrameError> {
        self.put(|shared, queue| shared.encode(queue, frame)).await
    }

    /// [`send`](Sender::send) without waiting: `false`, if there is no room.
    ///
    /// # Errors
    /// As [`send`](Sender::send).
    pub fn try_send(&self, frame: &[u8]) -> Result<bool, FrameError> {
        self.shared()
            .try_put(&mut |shared, queue| shared.encode(queue, frame))
    }

    /// Puts bytes that are encoded already, such as a message encoded once for many receivers. On a
    /// datagram socket they are one datagram.
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
        self.shared()
            .try_put(&mut |shared, queue| shared.put_encoded(queue, bytes))
    }

    /// Waits until everything that was put before has been written. Cancel-safe.
    ///
    /// # Errors
    /// If the peer is gone; on a datagram socket also, and [not fatal](FrameError::is_fatal), if a
    /// datagram was refused since the last flush, and so is lost.
    pub async fn flush(&self) -> Result<(), FrameError> {
        let target = self.shared().lock().put;
        self.wait(|queue| match &queue.phase {
            _ if queue.written >= target => Some(Ok(())),
            Phase::Over(ended) => Some(ended.clone().map_err(Some)),
            _ => None,
        })
        .await?;
        let lost = self.shared().lock().lost.take();
        lost.map_or(Ok(()), |error| {
            Err(self.shared().refused(FrameFault::Io(error)))
        })
    }

    /// Takes no more frames from any handle, writes those that wait, and half-closes. Cancel-safe:
    /// it goes on by itself.
    ///
    /// # Errors
    /// If the peer is gone, or takes nothing for [`SENDER_LINGER`](crate::limits::SENDER_LINGER).
    pub async fn finish(&self) -> Result<(), FrameError> {
        self.shared().end(true);
        self.closed().await
    }

    /// Takes no more frames from any handle, drops those that wait, and drops the socket's half,
    /// even where the peer reads nothing. A frame that is being written may be cut. Does nothing
    /// once the writer has ended.
    pub fn abort(&self) {
        self.shared().abort();
    }

    /// Waits until the writer has ended, because the sender was finished or the peer is gone.
    /// Cancel-safe.
    ///
    /// # Errors
    /// What ended it, if that was not [`finish`](Sender::finish).
    pub async fn closed(&self) -> Result<(), FrameError> {
        self.wait(|queue| match &queue.phase {
            Phase::Over(ended) => Some(ended.clone().map_err(Some)),
            _ => None,
        })
        .await
    }

    /// Whether nothing more can be sent.
    pub fn is_closed(&self) -> bool {
        !matches!(self.shared().lock().phase, Phase::Open)
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
        while !self.shared().try_put(&mut put)? {
            self.wait(|queue| self.shared().may_put(queue).then_some(Ok(())))
                .await?;
        }
        Ok(())
    }

    /// Waits until `look` has an answer; it is asked whenever the writer got on.
    async fn wait(
        &self,
        look: impl Fn(&Queue<C>) -> Option<Result<(), Option<Arc<io::Error>>>>,
    ) -> Result<(), FrameError> {
        let shared = self.shared();
        loop {
            let mut progress = pin!(shared.progress.notified());
            progress.as_mut().enable();
            if let Some(answer) = look(&shared.lock()) {
                return answer.map_err(|ended| shared.error(ended));
            }
            progress.await;
        }
    }
}

impl<C: Codec> Clone for Sender<C> {
    fn clone(&self) -> Self {
        Sender {
            handle: Arc::clone(&self.handle),
        }
    }
}

impl<C: Codec> fmt::Debug for Sender<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sender(to {})", self.peer().redacted())
    }
}
