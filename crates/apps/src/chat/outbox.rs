//! What waits for one user, and its writing.
//!
//! The queue is bounded, and who puts a message into it never waits. A user who reads holds the
//! [passes](super::pacing) of what waits, and so paces those who speak. A user who takes next to
//! nothing for [`PATIENCE`] gives them back and paces nobody: what waits then is bounded by
//! [`WAITING`] alone.

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

/// A frame on its way to many, encoded once.
pub(super) struct Letter {
    /// For those who pace the speaker.
    paced: Arc<Parcel>,
    /// For those who do not.
    plain: Arc<Parcel>,
}

struct Parcel {
    bytes: Bytes,
    /// Given back when the last queue has let go of this.
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

/// Who sends a letter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// At the rate of a person, so that no [budget](Budget) is needed.
    Operator,
    User,
    /// This program.
    Program,
}

/// What became of a letter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits, or the user takes nothing any more.
    Done,
    /// There was no room for it.
    Missed,
}

/// What waits for one user.
pub(super) struct Outbox {
    pub(super) peer: Endpoint,
    pub(super) budget: Budget,
    pub(super) stream: bool,
    queue: Mutex<Queue>,
    /// There is something for the writer to do.
    work: Notify,
    /// A stream had no room: it is of no use any more.
    overflowed: Notify,
    /// The writer has ended.
    closed: Notify,
}

struct Queue {
    parcels: VecDeque<Arc<Parcel>>,
    /// What they cost.
    cost: usize,
    /// Whether the user takes so little that nobody waits for it.
    stalled: bool,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// What waits is written, and nothing more is taken.
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

    /// Puts a letter behind those that wait. Where a stream has no room it overflows: a gap would
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

    /// Resolves when a stream had no room.
    pub(super) async fn overflowed(&self) {
        self.overflowed.notified().await;
    }

    /// Takes nothing more; the writer ends when what waits is written.
    pub(super) fn end(&self) {
        let mut queue = self.lock();
        if queue.phase == Phase::Open {
            queue.phase = Phase::Ending;
        }
        drop(queue);
        self.work.notify_one();
    }

    /// Resolves when the writer has ended: nothing reaches the user any more.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }

    /// Writes until [`end`](Outbox::end), and then half-closes; or until the user takes nothing any
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

    /// The next frames to write. They stay in the queue until they are written.
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
        while !frames.is_empty() {
            match timeout_at(pace.due, write_some(socket, frames)).await {
                Ok(sent) => {
                    let sent = sent?;
                    pace.taken += sent;
                    self.written(drop_front(frames, sent));
                }
                Err(_due) => {
                    self.judge(pace.taken);
                    *pace = Pace::new();
                }
            }
        }
        poll_fn(|cx| socket.poll_flush(cx)).await
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
                // The session is over, as a stream would be.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(error),
                // It concerned one datagram, which is lost, as datagrams may be.
                _ => {}
            }
        }
        Ok(())
    }

    /// The first `frames` are written.
    fn written(&self, frames: usize) {
        let mut queue = self.lock();
        for _ in 0..frames {
            if let Some(parcel) = queue.parcels.pop_front() {
                queue.cost -= cost(parcel.bytes.len());
            }
        }
        queue.stalled &= !queue.parcels.is_empty();
    }

    /// Decides whether a user paces others, who took so many bytes in the last [`PATIENCE`] and
    /// left some.
    fn judge(&self, taken: usize) {
        let mut queue = self.lock();
        queue.stalled = taken < LEAST;
        if queue.stalled {
            queue.give_passes_back();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Whatever panicked, a queue is whole.
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

/// What a user has taken since the last time that was looked at, and when it is looked at again.
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

/// Writes some of these frames, of which one has bytes; how many.
async fn write_some(socket: &mut BoxSend, frames: &VecDeque<Bytes>) -> io::Result<usize> {
    let parts: Vec<_> = frames.iter().map(|frame| IoSlice::new(frame)).collect();
    match poll_fn(|cx| socket.poll_send(cx, &parts)).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        sent => Ok(sent),
    }
}

/// Drops the first `bytes` of these frames, and says how many frames are gone with them.
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

    /// A stream is where it is easiest to have; the rule is the same.
    #[tokio::test]
    async fn who_has_proved_nothing_is_sent_what_it_has_sent_and_what_the_operator_says() {
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
