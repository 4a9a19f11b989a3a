//! The state that the tasks and the writer share: the frames that wait, and the progress of the
//! writer.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;
use socketry_transport::{Endpoint, Shape};
use tokio::sync::Notify;

use crate::framed::meter::{Hooks, tell};
use crate::framed::send::encode_bounded;
use crate::framed::{FrameError, FrameFault};
use crate::{Codec, CodecError, Fault};

pub(super) struct Shared<C> {
    queue: Mutex<Queue<C>>,
    /// The most bytes that wait.
    pub(super) capacity: usize,
    pub(super) shape: Shape,
    pub(super) peer: Endpoint,
    /// The number of writes that the socket took. While it changes, the peer reads.
    pub(super) taken: AtomicUsize,
    /// Wakes the writer: there are frames to write, or it must end.
    pub(super) work: Notify,
    /// Wakes the tasks that wait: the writer took or wrote frames, or ended.
    pub(super) progress: Notify,
    /// Tells that no more frames will come.
    pub(super) ending: Notify,
    /// Tells the writer to wait for the peer no longer.
    pub(super) abort: Notify,
}

pub(super) struct Queue<C> {
    codec: C,
    pub(super) buf: BytesMut,
    /// Where the peer sees boundaries, the length of each message or datagram in `buf`.
    pub(super) lens: VecDeque<usize>,
    /// The number of frames that were put in, and of those that were written.
    pub(super) put: u64,
    pub(super) written: u64,
    /// The error of a datagram that could not be sent, until `flush` reports it.
    pub(super) lost: Option<Arc<io::Error>>,
    pub(super) phase: Phase,
    hooks: Option<Box<Hooks>>,
}

pub(super) enum Phase {
    Open,
    /// No more frames are taken. Those that wait are written, and then the socket is half-closed if
    /// `finish` is set.
    Ending {
        finish: bool,
    },
    /// The writer has ended, perhaps with this error.
    Over(Result<(), Arc<io::Error>>),
}

impl<C> Queue<C> {
    /// A queue in which `unsent` waits. It is one message or datagram if `message` is set.
    pub(super) fn new(
        codec: C,
        unsent: BytesMut,
        message: bool,
        hooks: Option<Box<Hooks>>,
    ) -> Self {
        Queue {
            codec,
            put: u64::from(message || !unsent.is_empty()),
            written: 0,
            lens: VecDeque::from_iter(message.then_some(unsent.len())),
            buf: unsent,
            lost: None,
            phase: Phase::Open,
            hooks,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.buf.is_empty() && self.lens.is_empty()
    }

    /// The used part of the capacity. Empty messages count too.
    fn size(&self) -> usize {
        self.buf.len() + self.lens.len() * size_of::<usize>()
    }
}

impl<C> Shared<C> {
    pub(super) fn new(queue: Queue<C>, shape: Shape, peer: Endpoint, capacity: usize) -> Self {
        Shared {
            queue: Mutex::new(queue),
            capacity,
            shape,
            peer,
            taken: AtomicUsize::new(0),
            work: Notify::new(),
            progress: Notify::new(),
            ending: Notify::new(),
            abort: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Queue<C>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is room, or waiting for it would be useless.
    pub(super) fn may_put(&self, queue: &Queue<C>) -> bool {
        !matches!(queue.phase, Phase::Open) || queue.size() < self.capacity
    }

    /// Takes no more frames.
    pub(super) fn end(&self, finish: bool) {
        let mut queue = self.lock();
        if matches!(queue.phase, Phase::Open) {
            queue.phase = Phase::Ending { finish };
        }
        drop(queue);
        self.ending.notify_one();
        self.work.notify_one();
        self.progress.notify_waiters();
    }

    /// The writer has ended, or will not begin. Only the first result counts.
    pub(super) fn over(&self, ended: io::Result<()>) {
        let mut queue = self.lock();
        if !matches!(queue.phase, Phase::Over(_)) {
            queue.phase = Phase::Over(ended.map_err(Arc::new));
        }
        queue.buf = BytesMut::new();
        queue.lens = VecDeque::new();
        drop(queue);
        self.progress.notify_waiters();
    }

    pub(super) fn abort(&self) {
        self.over(Err(io::ErrorKind::ConnectionAborted.into()));
        self.abort.notify_one();
    }

    /// The error of a sender that takes no more frames: the error that ended the writer, if there
    /// was one.
    pub(super) fn error(&self, ended: Option<Arc<io::Error>>) -> FrameError {
        let fault = ended.map_or(FrameFault::Over, FrameFault::Io);
        FrameError::new(fault, "send to", &self.peer, true)
    }

    /// One frame or datagram could not be sent.
    pub(super) fn refused(&self, fault: impl Into<FrameFault>) -> FrameError {
        FrameError::new(fault, "send to", &self.peer, false)
    }
}

impl<C: Codec> Shared<C> {
    pub(super) fn try_put(
        &self,
        put: &mut impl FnMut(&Shared<C>, &mut Queue<C>) -> Result<(), FrameError>,
    ) -> Result<bool, FrameError> {
        let mut queue = self.lock();
        match &queue.phase {
            Phase::Open => {}
            Phase::Over(Err(error)) => return Err(self.error(Some(Arc::clone(error)))),
            _ => return Err(self.error(None)),
        }
        if !self.may_put(&queue) {
            return Ok(false);
        }
        let was_empty = queue.is_empty();
        put(self, &mut queue)?;
        tell(queue.hooks.as_deref(), |meter| meter.frames_sent(1));
        // An empty frame has no bytes on this stream: there is nothing to write.
        if queue.is_empty() {
            return Ok(true);
        }
        queue.put += 1;
        drop(queue);
        if was_empty {
            self.work.notify_one();
        }
        Ok(true)
    }

    pub(super) fn encode(&self, queue: &mut Queue<C>, frame: &[u8]) -> Result<(), FrameError> {
        let Queue {
            codec, buf, lens, ..
        } = queue;
        let mut frames = WholeFrames::of(buf);
        let encoded = match self.shape.max_len() {
            None => codec.encode(frame, frames.buf),
            Some(max_len) => {
                encode_bounded(codec, frame, max_len, frames.buf).map(|len| lens.push_back(len))
            }
        };
        frames.len = frames.buf.len();
        encoded.map_err(|error| self.refused(error))
    }

    pub(super) fn put_encoded(&self, queue: &mut Queue<C>, bytes: &[u8]) -> Result<(), FrameError> {
        if let Some(max_len) = self.shape.max_len() {
            if bytes.len() > max_len {
                let fault = Fault::TooLong {
                    len: Some(bytes.len() as u64),
                    max: max_len as u64,
                };
                return Err(self.refused(CodecError::skip(fault, 0)));
            }
            queue.lens.push_back(bytes.len());
        }
        queue.buf.extend_from_slice(bytes);
        Ok(())
    }
}

/// Whole frames, and behind them the bytes that a codec writes. If the codec panics, its bytes are
/// removed: the panic ends one task, and the others go on sending.
struct WholeFrames<'a> {
    buf: &'a mut BytesMut,
    len: usize,
}

impl<'a> WholeFrames<'a> {
    fn of(buf: &'a mut BytesMut) -> Self {
        let len = buf.len();
        WholeFrames { buf, len }
    }
}

impl Drop for WholeFrames<'_> {
    fn drop(&mut self) {
        self.buf.truncate(self.len);
    }
}
