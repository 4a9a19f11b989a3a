//! The queue of messages for one user, and the task that writes them.
//!
//! The queue is bounded, and putting a message into it never waits. While a message waits for a
//! user that reads, the queue holds its [pass](super::pacing), and so the reader sets the pace of
//! the senders. A user that takes next to nothing for [`PATIENCE`] gives its passes back and delays
//! no sender. Only [`WAITING`] then bounds the queue.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use socketry_transport::{BoxSend, Endpoint, Half, SendExt, SendHalf};
use tokio::sync::Notify;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, timeout_at};

use super::budget::Budget;
use super::limits::{LEAST, PATIENCE, WAITING};
use super::pacing::{Pass, cost};

/// How many frames go into one write.
const GATHERED: usize = 64;

/// A frame for many users, encoded once.
pub(super) struct Letter {
    /// For users that set the sender's pace.
    paced: Arc<Parcel>,
    /// For users that do not.
    plain: Arc<Parcel>,
}

struct Parcel {
    bytes: Bytes,
    /// Given back when the last queue has dropped this parcel.
    _pass: Option<Pass>,
}

impl Letter {
    pub(super) fn new(bytes: Bytes, pass: Option<Pass>) -> Self {
        let parcel = |bytes, _pass| Arc::new(Parcel { bytes, _pass });
        Letter {
            paced: parcel(bytes.clone(), pass),
            plain: parcel(bytes, None),
        }
    }
}

/// The sender of a letter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// A person types slowly, so that no [budget](Budget) is needed.
    Operator,
    User,
    /// This program itself.
    Program,
}

/// The result of adding a letter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits to be written, or the user takes nothing any more.
    Done,
    /// The queue has no room for it.
    Missed,
}

/// The queue of one user.
pub(super) struct Outbox {
    pub(super) peer: Endpoint,
    pub(super) budget: Budget,
    pub(super) stream: bool,
    queue: Mutex<Queue>,
    /// Wakes the writer.
    work: Notify,
    /// A message did not fit into a stream's queue, so the stream is of no use any more.
    overflowed: Notify,
    /// The writer has ended.
    closed: Notify,
}

struct Queue {
    parcels: VecDeque<Arc<Parcel>>,
    /// The sum of their costs.
    cost: usize,
    /// Whether the user takes so little that senders do not wait for it.
    stalled: bool,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Queued frames are written, and no more are taken.
    Ending,
    /// Nothing is taken or written any more.
    Over,
}

enum Work {
    Wait,
    Write,
    End,
}

impl Outbox {
    pub(super) fn new(half: &BoxSend, budget: Budget) -> Self {
        Outbox {
            peer: half.peer().clone(),
            budget,
            stream: half.shape().is_stream(),
            queue: Mutex::new(Queue {
                parcels: VecDeque::new(),
                cost: 0,
                stalled: false,
                phase: Phase::Open,
            }),
            work: Notify::new(),
            overflowed: Notify::new(),
            closed: Notify::new(),
        }
    }

    /// Appends a letter to the queue. A stream that has no room for it overflows, since a gap would
    /// be worse.
    pub(super) fn put(&self, letter: &Letter, sender: Sender) -> Put {
        let mut queue = self.lock();
        if queue.phase != Phase::Open || (self.stream && letter.plain.bytes.is_empty()) {
            return Put::Done;
        }
        let paces = self.stream && !queue.stalled;
        if !paces && queue.cost >= WAITING {
            if self.stream {
                queue.end();
                self.overflowed.notify_one();
            }
            return Put::Missed;
        }
        if sender != Sender::Operator && !self.budget.spend(letter.plain.bytes.len()) {
            return Put::Missed;
        }
        let parcel = if paces { &letter.paced } else { &letter.plain };
        queue.cost += cost(parcel.bytes.len());
        queue.parcels.push_back(Arc::clone(parcel));
        drop(queue);
        self.work.notify_one();
        Put::Done
    }

    /// Resolves when a stream had no room for a letter.
    pub(super) async fn overflowed(&self) {
        self.overflowed.notified().await;
    }

    /// Takes nothing more. The writer ends when the queue is written.
    pub(super) fn end(&self) {
        let mut queue = self.lock();
        if queue.phase == Phase::Open {
            queue.phase = Phase::Ending;
        }
        drop(queue);
        self.work.notify_one();
    }

    /// Resolves when the writer has ended, so that nothing reaches the user any more.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// Writes until [`end`](Outbox::end) and then half-closes, or until the user takes nothing any
    /// more.
    pub(super) async fn write(&self, mut socket: BoxSend) {
        if let Err(error) = self.write_all(&mut socket).await {
            tracing::debug!(user = %self.peer, %error, "cannot be written to");
        }
        self.lock().end();
        self.closed.notify_one();
    }

    async fn write_all(&self, socket: &mut BoxSend) -> io::Result<()> {
        let (mut frames, mut pace) = (VecDeque::new(), Pace::new());
        loop {
            match self.look(&mut frames) {
                Work::Wait => {
                    self.work.notified().await;
                    pace = Pace::new();
                }
                Work::End => return socket.finish().await,
                Work::Write if self.stream => {
                    self.write_stream(socket, &mut frames, &mut pace).await?;
                }
                Work::Write => self.write_datagrams(socket, &mut frames).await?,
            }
            consume_budget().await;
        }
    }

    /// Copies the next frames to write. They stay in the queue until they are written.
    fn look(&self, frames: &mut VecDeque<Bytes>) -> Work {
        let queue = self.lock();
        let next = queue.parcels.iter().take(GATHERED);
        frames.extend(next.map(|parcel| parcel.bytes.clone()));
        match queue.phase {
            _ if !frames.is_empty() => Work::Write,
            Phase::Open => Work::Wait,
            Phase::Ending | Phase::Over => Work::End,
        }
    }

    async fn write_stream(
        &self,
        socket: &mut BoxSend,
        frames: &mut VecDeque<Bytes>,
        pace: &mut Pace,
    ) -> io::Result<()> {
        loop {
            let writing = async {
                match frames.is_empty() {
                    false => write_some(socket, frames).await.map(Some),
                    // TLS takes bytes that its socket has not taken yet.
                    true => poll_fn(|cx| socket.poll_flush(cx)).await.map(|()| None),
                }
            };
            match timeout_at(pace.due, writing).await {
                Ok(written) => {
                    let Some(sent) = written? else { break };
                    pace.taken += sent;
                    self.written(drop_front(frames, sent));
                }
                Err(_due) => {
                    self.judge(pace.taken);
                    *pace = Pace::new();
                }
            }
        }
        self.written(0);
        Ok(())
    }

    async fn write_datagrams(
        &self,
        socket: &mut BoxSend,
        frames: &mut VecDeque<Bytes>,
    ) -> io::Result<()> {
        while let Some(frame) = frames.pop_front() {
            let sent = poll_fn(|cx| socket.poll_send(cx, &[IoSlice::new(&frame)])).await;
            self.written(1);
            match sent {
                // The session has ended, as a stream would.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error),
                // The error is about one datagram. It is lost, as datagrams may be.
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the first `frames`, which are written.
    fn written(&self, frames: usize) {
        let mut queue = self.lock();
        for _ in 0..frames {
            if let Some(parcel) = queue.parcels.pop_front() {
                queue.cost -= cost(parcel.bytes.len());
            }
        }
        queue.stalled &= !queue.parcels.is_empty();
    }

    /// Decides whether a user sets the pace of others. It took `taken` bytes in the last
    /// [`PATIENCE`] and left some.
    fn judge(&self, taken: usize) {
        let mut queue = self.lock();
        queue.stalled = taken < LEAST;
        if queue.stalled {
            queue.give_passes_back();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A panic elsewhere leaves the queue whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn end(&mut self) {
        self.phase = Phase::Over;
        self.parcels = VecDeque::new();
        self.cost = 0;
    }

    fn give_passes_back(&mut self) {
        for parcel in &mut self.parcels {
            let bytes = parcel.bytes.clone();
            *parcel = Arc::new(Parcel { bytes, _pass: None });
        }
    }
}

/// How many bytes a user has taken in this period, and when the period ends.
struct Pace {
    taken: usize,
    due: Instant,
}

impl Pace {
    fn new() -> Self {
        Pace {
            taken: 0,
            due: Instant::now() + PATIENCE,
        }
    }
}

/// Writes some of these frames, of which at least one is not empty. Returns how many bytes were
/// written.
async fn write_some(socket: &mut BoxSend, frames: &VecDeque<Bytes>) -> io::Result<usize> {
    let parts: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
    match poll_fn(|cx| socket.poll_send(cx, &parts)).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        sent => Ok(sent),
    }
}

/// Drops the first `bytes` of these frames. Returns how many frames are complete with that.
fn drop_front(frames: &mut VecDeque<Bytes>, mut bytes: usize) -> usize {
    let before = frames.len();
    while let Some(first) = frames.front_mut() {
        if first.len() > bytes {
            first.advance(bytes);
            break;
        }
        bytes -= first.len();
        frames.pop_front();
    }
    before - frames.len()
}

#[cfg(test)]
mod tests {
    use socketry_transport::{Listener, Registry, Socket};

    use super::*;

    fn letter(len: usize) -> Letter {
        Letter::new(vec![b'x'; len].into(), None)
    }

    /// A stream is the easiest peer to make here, and the rule is the same.
    #[tokio::test]
    async fn an_unproven_peer_is_sent_as_much_as_it_sent_and_what_the_operator_says() {
        let registry = Registry::standard();
        let mut listener = registry.listen("mem://*").await.unwrap();
        let peer = registry.connect(listener.local()).await.unwrap();
        let _accepted = listener.accept().await.unwrap();
        let outbox = Outbox::new(&peer.split().1, Budget::limited());
        for sender in [Sender::User, Sender::Program] {
            assert_eq!(outbox.put(&letter(1), sender), Put::Missed);
        }
        assert_eq!(outbox.put(&letter(1000), Sender::Operator), Put::Done);
        outbox.budget.earn(10);
        assert_eq!(outbox.put(&letter(11), Sender::Program), Put::Missed);
        assert_eq!(outbox.put(&letter(6), Sender::User), Put::Done);
        assert_eq!(outbox.put(&letter(4), Sender::Program), Put::Done);
        assert_eq!(outbox.put(&letter(1), Sender::User), Put::Missed);
    }
}
