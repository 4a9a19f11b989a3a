//! The requests that wait to be sent: put by callers, taken by the driver.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, watch};

use super::waiter::Waiter;
use crate::client::ClientLimits;
use crate::client::error::{CallError, Lost};
use crate::client::pushes::Subscriptions;
use crate::client::state::ClientState;

/// A request that has no answer yet.
pub(in crate::client) struct Entry {
    /// Its number, and its place in the queue: a request that is sent again comes before all that
    /// were called later.
    pub(super) seq: u64,
    pub(super) frame: Bytes,
    pub(super) idempotent: bool,
    pub(super) waiter: Waiter,
    _weight: Weight,
    /// One of the places of those that wait.
    place: Option<OwnedSemaphorePermit>,
}

impl Entry {
    /// A notification, which has no answer.
    pub(super) fn is_one_way(&self) -> bool {
        matches!(self.waiter, Waiter::Nobody)
    }
}

/// Bytes that count as long as this lives.
struct Weight {
    bytes: usize,
    of_all: Arc<AtomicUsize>,
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.of_all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What the handles and the driver of one client share.
pub(in crate::client) struct Shared {
    pub(in crate::client) limits: ClientLimits,
    pub(in crate::client) state: watch::Sender<ClientState>,
    pub(in crate::client) pushes: Subscriptions,
    /// As many permits as further requests may wait.
    pub(in crate::client) places: Arc<Semaphore>,
    bytes: Arc<AtomicUsize>,
    queue: Mutex<Queue>,
    /// Tells the driver of a first request, of a call that was given up, and of the end.
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    waiting: BTreeMap<u64, Entry>,
    /// Calls that were given up after they were taken from here.
    cancelled: Vec<u64>,
    last: u64,
    closing: bool,
    /// Why nothing is taken any more.
    ended: Option<Lost>,
}

impl Shared {
    pub(in crate::client) fn new(limits: ClientLimits, pushes: Subscriptions) -> Self {
        let places = limits.waiting_requests.clamp(1, Semaphore::MAX_PERMITS);
        Shared {
            state: watch::Sender::new(ClientState::Connecting { attempt: 1 }),
            pushes,
            places: Arc::new(Semaphore::new(places)),
            bytes: Arc::default(),
            queue: Mutex::default(),
            changed: Notify::new(),
            limits,
        }
    }

    /// A place among those that wait.
    pub(in crate::client) fn place(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        place.map_err(|error| match error {
            TryAcquireError::Closed => self.closed(),
            TryAcquireError::NoPermits => CallError::Full(self.limits.waiting_requests.max(1)),
        })
    }

    /// Puts a request behind those that wait, and gives its number.
    pub(in crate::client) fn push(
        &self,
        place: OwnedSemaphorePermit,
        frame: Bytes,
        idempotent: bool,
        waiter: Waiter,
    ) -> Result<u64, CallError> {
        let weight = self.weigh(frame.len())?;
        let mut queue = self.lock();
        if queue.closing || queue.ended.is_some() {
            drop(queue);
            return Err(self.closed());
        }
        queue.last += 1;
        let seq = queue.last;
        let first = queue.waiting.is_empty();
        let entry = Entry {
            seq,
            frame,
            idempotent,
            waiter,
            _weight: weight,
            place: Some(place),
        };
        queue.waiting.insert(seq, entry);
        drop(queue);
        if first {
            self.changed.notify_one();
        }
        Ok(seq)
    }

    fn weigh(&self, bytes: usize) -> Result<Weight, CallError> {
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let weight = Weight {
            bytes,
            of_all: Arc::clone(&self.bytes),
        };
        let most = self.limits.waiting_bytes;
        if before > 0 && before.saturating_add(bytes) > most {
            return Err(CallError::TooManyBytes(before));
        }
        Ok(weight)
    }

    /// Nobody waits for this request any more. Gives whether it was not sent.
    pub(in crate::client) fn cancel(&self, seq: u64) -> bool {
        let mut queue = self.lock();
        let unsent = queue.waiting.remove(&seq);
        if unsent.is_none() && queue.ended.is_none() {
            queue.cancelled.push(seq);
        }
        drop(queue);
        if unsent.is_none() {
            self.changed.notify_one();
        }
        unsent.is_some()
    }

    /// Moves to `taken` the requests that are to be sent, in order, as long as they `fit`, and
    /// gives the calls that were given up.
    pub(super) fn take(
        &self,
        taken: &mut Vec<Entry>,
        mut fit: impl FnMut(&Entry) -> bool,
    ) -> Vec<u64> {
        let mut gone = Vec::new();
        let mut queue = self.lock();
        let cancelled = mem::take(&mut queue.cancelled);
        for seq in &cancelled {
            // It was to be sent again.
            gone.extend(queue.waiting.remove(seq));
        }
        while let Some(first) = queue.waiting.first_entry() {
            if !fit(first.get()) {
                break;
            }
            let mut entry = first.remove();
            entry.place = None;
            taken.push(entry);
        }
        drop(queue);
        cancelled
    }

    /// A number for a request of the driver's own.
    pub(super) fn number(&self) -> u64 {
        let mut queue = self.lock();
        queue.last += 1;
        queue.last
    }

    /// Takes back requests that are to be sent over the next connection.
    pub(super) fn give_back(&self, entries: impl Iterator<Item = Entry>) {
        let entries: Vec<_> = entries.filter(|entry| !entry.waiter.is_gone()).collect();
        let mut queue = self.lock();
        for entry in entries {
            queue.waiting.insert(entry.seq, entry);
        }
    }

    /// Waits until something is to be done.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// No more requests are taken, and those that were are finished.
    pub(in crate::client) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_one();
    }

    /// The error of a call after the end.
    pub(in crate::client) fn closed(&self) -> CallError {
        let why = self.lock().ended.clone();
        CallError::Closed(why.unwrap_or(Lost::Closed))
    }

    /// Whether it was closed, and nothing waits to be sent. Without a connection, notifications are
    /// not waited for.
    pub(super) fn is_done(&self, connected: bool) -> bool {
        let queue = self.lock();
        let mut waiting = queue.waiting.values();
        queue.closing && waiting.all(|entry| entry.is_one_way() && !connected)
    }

    /// Ends it for good. The requests that wait fail.
    pub(super) fn end(&self, why: &Lost) {
        let mut queue = self.lock();
        queue.ended.get_or_insert_with(|| why.clone());
        let waiting = mem::take(&mut queue.waiting);
        queue.cancelled = Vec::new();
        drop(queue);
        for entry in waiting.into_values() {
            entry.waiter.fail(CallError::Closed(why.clone()));
        }
        self.places.close();
        self.state.send_if_modified(|state| {
            let ended = !state.is_closed();
            if ended {
                *state = ClientState::Closed { why: why.clone() };
            }
            ended
        });
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // No code of others runs under the lock, so a panic leaves nothing half done.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
