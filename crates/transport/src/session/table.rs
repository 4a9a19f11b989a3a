//! Who is here: the table of peers, the queue of each, and the rules of who gets in.
//!
//! Two locks, the table's and one for each peer's inbox, never held at once. Wakers run after the lock is released,
//! because what they wake may drop a session, and that takes the table's lock.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::{SessionLimits, SessionStats};
use crate::contract::datagram::PeerAddr;
use crate::contract::datagram::batch::Datagram;
use crate::contract::endpoint::Endpoint;

/// No lock here guards an invariant that a panic could break half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// What the pump, the listener and the sessions of one socket share.
pub(super) struct Hub {
    limits: SessionLimits,
    began: Instant,
    table: Mutex<Table>,
    dropped: AtomicU64,
    refused: AtomicU64,
    unnamed: AtomicU64,
    errors: AtomicU64,
}

struct Table {
    peers: HashMap<PeerAddr, Arc<Peer>>,
    backlog: VecDeque<Arc<Peer>>,
    listening: bool,
    pumping: bool,
    acceptor: Option<Waker>,
    pump: Option<Waker>,
}

impl Table {
    fn deserted(&self) -> bool {
        !self.listening && self.peers.is_empty()
    }

    /// The pump's waker, once it has nobody left to pump for.
    fn pump_if_deserted(&mut self) -> Option<Waker> {
        if self.deserted() {
            self.pump.take()
        } else {
            None
        }
    }
}

impl Hub {
    pub(super) fn new(limits: SessionLimits) -> Self {
        Hub {
            limits,
            began: Instant::now(),
            table: Mutex::new(Table {
                peers: HashMap::new(),
                backlog: VecDeque::new(),
                listening: true,
                pumping: true,
                acceptor: None,
                pump: None,
            }),
            dropped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            unnamed: AtomicU64::new(0),
            errors: AtomicU64::new(0),
        }
    }

    pub(super) fn stats(&self) -> SessionStats {
        SessionStats {
            dropped_datagrams: self.dropped.load(Relaxed),
            refused_peers: self.refused.load(Relaxed),
            unnamed: self.unnamed.load(Relaxed),
            errors: self.errors.load(Relaxed),
        }
    }

    pub(super) fn count_error(&self) {
        self.errors.fetch_add(1, Relaxed);
    }

    /// Takes the next session from the backlog; `None` when the pump has ended and none will come.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Arc<Peer>>> {
        let mut table = lock(&self.table);
        if let Some(peer) = table.backlog.pop_front() {
            self.touch(&peer);
            return Poll::Ready(Some(peer));
        }
        if !table.pumping {
            return Poll::Ready(None);
        }
        table.acceptor = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Ready when the listener and all sessions are gone.
    pub(super) fn poll_deserted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut table = lock(&self.table);
        if table.deserted() {
            return Poll::Ready(());
        }
        match &mut table.pump {
            Some(pump) => pump.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    /// Gives a datagram that came `now` to the session of its sender, or to a new one where there is room.
    pub(super) fn deliver(&self, datagram: &Datagram<'_>, scheme: &str, now: u64) {
        let from = match datagram.from {
            None | Some(PeerAddr::Unnamed) => {
                self.unnamed.fetch_add(1, Relaxed);
                return;
            }
            Some(from) => from,
        };
        let known = lock(&self.table).peers.get(from).cloned();
        let Some(peer) = known.or_else(|| self.admit(from, scheme)) else {
            self.refused.fetch_add(1, Relaxed);
            return;
        };
        peer.used.store(now, Relaxed);
        let item = (Box::from(datagram.bytes), datagram.cut);
        if !peer.push(item, &self.limits) {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Makes a session for a newcomer and puts it in the backlog, unless there is no room.
    fn admit(&self, from: &PeerAddr, scheme: &str) -> Option<Arc<Peer>> {
        let (peer, acceptor) = {
            let mut table = lock(&self.table);
            let room = table.listening
                && table.peers.len() < self.limits.max_peers.max(1)
                && table.backlog.len() < self.limits.backlog.max(1);
            if !room {
                return None;
            }
            let peer = Arc::new(Peer::new(from, scheme)?);
            table.peers.insert(from.clone(), Arc::clone(&peer));
            table.backlog.push_back(Arc::clone(&peer));
            (peer, table.acceptor.take())
        };
        wake(acceptor);
        Some(peer)
    }

    /// Notes that a session was used just now.
    pub(super) fn touch(&self, peer: &Peer) {
        peer.used.store(self.now(), Relaxed);
    }

    /// Microseconds since the beginning.
    pub(super) fn now(&self) -> u64 {
        micros(self.began.elapsed())
    }

    /// Ends the sessions that were idle for too long, and says when to look again.
    pub(super) fn sweep(&self) -> Duration {
        let (now, idle) = (self.now(), micros(self.limits.idle));
        let mut next = idle;
        let expired: Vec<Arc<Peer>> = {
            let mut table = lock(&self.table);
            for waiting in &table.backlog {
                waiting.used.store(now, Relaxed);
            }
            let stale = |_: &PeerAddr, peer: &mut Arc<Peer>| {
                let left = idle.saturating_sub(now.saturating_sub(peer.used.load(Relaxed)));
                next = next.min(if left == 0 { idle } else { left });
                left == 0
            };
            table
                .peers
                .extract_if(stale)
                .map(|(_, peer)| peer)
                .collect()
        };
        for peer in expired {
            peer.end();
        }
        // Many sessions that expire one by one must not mean as many walks over the table.
        Duration::from_micros(next.max(idle / 32)).max(Duration::from_millis(1))
    }

    /// Takes a session out of the table, its halves being dropped. Its address may be another session's by now.
    pub(super) fn leave(&self, peer: &Arc<Peer>) {
        let pump = {
            let mut table = lock(&self.table);
            let here = table.peers.get(&peer.addr);
            if here.is_some_and(|here| Arc::ptr_eq(here, peer)) {
                table.peers.remove(&peer.addr);
            }
            table.pump_if_deserted()
        };
        wake(pump);
    }

    /// Forgets who was not accepted, and admits nobody any more.
    pub(super) fn stop_listening(&self) {
        let pump = {
            let mut table = lock(&self.table);
            table.listening = false;
            for peer in mem::take(&mut table.backlog) {
                table.peers.remove(&peer.addr);
            }
            table.pump_if_deserted()
        };
        wake(pump);
    }

    /// Ends everything: nothing is received any more.
    pub(super) fn stop_pumping(&self) {
        let (peers, acceptor) = {
            let mut table = lock(&self.table);
            table.pumping = false;
            table.backlog.clear();
            (mem::take(&mut table.peers), table.acceptor.take())
        };
        wake(acceptor);
        for peer in peers.into_values() {
            peer.end();
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// One peer: its address, and what came from it.
pub(super) struct Peer {
    pub(super) addr: PeerAddr,
    pub(super) endpoint: Endpoint,
    /// When something last came or went, in microseconds since the hub began.
    used: AtomicU64,
    /// Set while the inbox is locked, so that who looks there and then waits is woken.
    ended: AtomicBool,
    inbox: Mutex<Inbox>,
}

/// A datagram and whether it was cut.
type Item = (Box<[u8]>, bool);

/// Datagrams that wait to be received.
#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Queue {
    /// Queues a datagram, if there is room. One alone always fits.
    fn push(&mut self, item: Item, limits: &SessionLimits) -> bool {
        let (count, bytes) = (self.items.len(), self.bytes + item.0.len());
        if count > 0 && (count >= limits.queue || bytes > limits.queue_bytes) {
            return false;
        }
        self.items.push_back(item);
        self.bytes = bytes;
        true
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.0.len();
        Some(item)
    }

    /// All that is here, if anything is.
    pub(super) fn pop_all(&mut self) -> Option<VecDeque<Item>> {
        let all = mem::take(self).items;
        (!all.is_empty()).then_some(all)
    }
}

#[derive(Default)]
struct Inbox {
    queue: Queue,
    /// The receiving half is gone: what still comes is for nobody.
    deaf: bool,
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

impl Peer {
    /// `None` where `scheme` cannot express the address.
    fn new(addr: &PeerAddr, scheme: &str) -> Option<Self> {
        let endpoint = addr
            .endpoint(scheme)
            .inspect_err(|error| tracing::debug!(%error, "a peer cannot be named"))
            .ok()?;
        Some(Peer {
            addr: addr.clone(),
            endpoint,
            used: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            inbox: Mutex::default(),
        })
    }

    /// Queues a datagram, or says that it could not.
    fn push(&self, item: Item, limits: &SessionLimits) -> bool {
        let receiver = {
            let mut inbox = lock(&self.inbox);
            if self.has_ended() || inbox.deaf || !inbox.queue.push(item, limits) {
                return false;
            }
            inbox.receiver.take()
        };
        wake(receiver);
        true
    }

    /// What `take` finds in the queue; `None` when it is empty and the session has ended.
    pub(super) fn poll_take<T>(
        &self,
        cx: &mut Context<'_>,
        take: impl FnOnce(&mut Queue) -> Option<T>,
    ) -> Poll<Option<T>> {
        let mut inbox = lock(&self.inbox);
        if let Some(taken) = take(&mut inbox.queue) {
            return Poll::Ready(Some(taken));
        }
        if self.has_ended() {
            return Poll::Ready(None);
        }
        inbox.receiver = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Whether the session has ended; if not, the sender that waits is woken when it does.
    pub(super) fn watch_end(&self, cx: &mut Context<'_>) -> bool {
        let mut inbox = lock(&self.inbox);
        inbox.sender = Some(cx.waker().clone());
        self.has_ended()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// Nobody will receive here any more.
    pub(super) fn deafen(&self) {
        let mut inbox = lock(&self.inbox);
        inbox.deaf = true;
        inbox.queue = Queue::default();
    }

    fn end(&self) {
        let (receiver, sender) = {
            let mut inbox = lock(&self.inbox);
            self.ended.store(true, Relaxed);
            (inbox.receiver.take(), inbox.sender.take())
        };
        wake(receiver);
        wake(sender);
    }
}
