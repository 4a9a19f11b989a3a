//! Many tasks send through one socket: they encode into one buffer, and a writer task writes it.
//!
//! A channel of frames was four times slower (measured): with it each frame costs an allocation and
//! a hand-over, and here a short lock.

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
/// The frames of one task are sent whole and in order, together with those of others in as few
/// writes as possible. When the last handle is dropped, the frames that wait are still written, as
/// long as the peer takes some bytes within each [`SENDER_LINGER`](crate::limits::SENDER_LINGER).
/// Then the socket's half is dropped.
pub struct Sender<C: Codec = BoxCodec> {
    handle: Arc<Handle<C>>,
}

/// The state that the clones of a [`Sender`] share. Dropping it tells the writer that no more
/// frames will come.
struct Handle<C: Codec>(Arc<Shared<C>>);

impl<C: Codec> Drop for Handle<C> {
    fn drop(&mut self) {
        self.0.end(false);
    }
}

impl<S: SendHalf + 'static, C: Codec> Framed<S, C> {
    /// Turns the sending half into a handle that many tasks can share. At most
    /// [`DEFAULT_SENDER_CAPACITY`], 256 KiB, wait for the writer.
    ///
    /// Use it on a half: of a whole socket, the receiving side is dropped with all bytes that it
    /// has received. It needs a runtime with timers: the writer is a task, which ends when the last
    /// handle is dropped or the peer is gone. If no more frames can be sent, or a body is not
    /// finished, the handle is closed from the start.
    pub fn into_sender(self) -> Sender<C> {
        self.into_sender_with(DEFAULT_SENDER_CAPACITY)
    }

    /// The same with another `capacity`: when so many bytes wait for the writer, [`Sender::send`]
    /// waits. A longer frame is taken when no other frame waits.
    pub fn into_sender_with(self, capacity: usize) -> Sender<C> {
        let usable = !self.output.is_over() && self.output.owed == 0;
        let (shape, peer) = (self.socket.shape(), self.socket.peer().clone());
        let message = self.output.message;
        let mut output = self.output;
        let mut hooks = output.hooks.take();
        if let Some(hooks) = &mut hooks {
            // The capacity of the queue is its bound.
            hooks.free();
        }
        let queue = Queue::new(self.codec, output.into_unsent(), message, hooks);
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
    /// Puts a frame behind those that wait. Waits if there is no room. Cancel-safe: the frame is
    /// sent whole or not at all.
    ///
    /// It does not wait until the frame is written: [`flush`](Sender::flush) does.
    ///
    /// # Errors
    /// [Not fatal](FrameError::is_fatal) if the codec, or one message or datagram, cannot carry this
    /// frame; fatal if the peer is gone or the sender was finished.
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

    /// Puts bytes that are encoded already behind the frames that wait: a message that is encoded
    /// once for many receivers, say. Where the peer sees boundaries, they are one message or
    /// datagram.
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

    /// Waits until all frames that were put before have been written. Cancel-safe.
    ///
    /// # Errors
    /// If the peer is gone. On a datagram socket also, but [not fatal](FrameError::is_fatal), if a
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
    /// the writer goes on without this future.
    ///
    /// # Errors
    /// If the peer is gone, or takes nothing for [`SENDER_LINGER`](crate::limits::SENDER_LINGER).
    pub async fn finish(&self) -> Result<(), FrameError> {
        self.shared().end(true);
        self.closed().await
    }

    /// Takes no more frames from any handle, drops those that wait, and drops the socket's half,
    /// even if the peer does not read. A frame that is being written may be cut. Does nothing once
    /// the writer has ended.
    pub fn abort(&self) {
        self.shared().abort();
    }

    /// Waits until the writer has ended, because the sender was finished or the peer is gone.
    /// Cancel-safe.
    ///
    /// # Errors
    /// The error that ended it, unless [`finish`](Sender::finish) did.
    pub async fn closed(&self) -> Result<(), FrameError> {
        self.wait(|queue| match &queue.phase {
            Phase::Over(ended) => Some(ended.clone().map_err(Some)),
            _ => None,
        })
        .await
    }

    /// Whether no more frames can be sent.
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

    /// Waits until `look` has an answer. It is called after each step of the writer.
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
