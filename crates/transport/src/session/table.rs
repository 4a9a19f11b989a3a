//! The table of peers, and the rules for new ones.
//!
//! Two locks, the table's and one for each peer's inbox, never held at once. Wakers run after the
//! lock is released, because a task that they wake may drop a session, which takes the table's
//! lock.

use std::collections::{HashMap, VecDeque};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::peer::{Key, Peer};
use super::{SessionLimits, SessionStats};
use crate::contract::datagram::PeerAddr;
use crate::contract::datagram::batch::Datagram;
use crate::contract::endpoint::Endpoint;
use crate::waking::{wait, wake};

/// No lock here guards an invariant that a panic could break.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The state that the pump, the listener and the sessions of one socket share.
pub(super) struct Hub {
    limits: SessionLimits,
    /// The most bytes that one datagram carries, and the endpoint of the shared socket.
    here: (usize, Endpoint),
    began: Instant,
    table: Mutex<Table>,
    dropped: AtomicU64,
    refused: AtomicU64,
    unnamed: AtomicU64,
    errors: AtomicU64,
}

struct Table {
    peers: HashMap<Key, Arc<Peer>>,
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

    /// The pump's waker, once the listener and all sessions are gone.
    fn pump_if_deserted(&mut self) -> Option<Waker> {
        if self.deserted() {
            self.pump.take()
        } else {
            None
        }
    }
}

impl Hub {
    pub(super) fn new(limits: SessionLimits, here: (usize, Endpoint)) -> Self {
        Hub {
            limits,
            here,
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

    /// Takes the next session from the backlog. `None` when the pump has ended, and no session will
    /// come.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Arc<Peer>>> {
        let mut table = lock(&self.table);
        if let Some(peer) = table.backlog.pop_front() {
            self.touch(&peer);
            return Poll::Ready(Some(peer));
        }
        if !table.pumping {
            return Poll::Ready(None);
        }
        let replaced = wait(&mut table.acceptor, cx);
        drop(table);
        drop(replaced);
        Poll::Pending
    }

    /// Ready when the listener and all sessions are gone.
    pub(super) fn poll_deserted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut table = lock(&self.table);
        if table.deserted() {
            return Poll::Ready(());
        }
        let replaced = wait(&mut table.pump, cx);
        drop(table);
        drop(replaced);
        Poll::Pending
    }

    /// Gives a datagram that arrived `now` to the session of its sender, or to a new session if
    /// there is room.
    pub(super) fn deliver(&self, datagram: &Datagram<'_>, now: u64) {
        let from = match datagram.from {
            None | Some(PeerAddr::Unnamed) => {
                self.unnamed.fetch_add(1, Relaxed);
                return;
            }
            Some(from) => from,
        };
        let known = lock(&self.table).peers.get(&Key::of(from)).cloned();
        let Some(peer) = known.or_else(|| self.admit(from)) else {
            self.refused.fetch_add(1, Relaxed);
            return;
        };
        peer.use_at(now);
        let item = (Box::from(datagram.bytes), datagram.cut);
        if !peer.push(item, &self.limits) {
            self.dropped.fetch_add(1, Relaxed);
        }
    }

    /// Makes a session for a new peer and puts it into the backlog, unless there is no room.
    fn admit(&self, from: &PeerAddr) -> Option<Arc<Peer>> {
        let (peer, acceptor) = {
            let mut table = lock(&self.table);
            let room = table.listening
                && table.peers.len() < self.limits.max_peers.max(1)
                && table.backlog.len() < self.limits.backlog.max(1);
            if !room {
                return None;
            }
            let peer = Arc::new(Peer::new(from, &self.here)?);
            table.peers.insert(Key::of(from), Arc::clone(&peer));
            table.backlog.push_back(Arc::clone(&peer));
            (peer, table.acceptor.take())
        };
        wake(acceptor);
        Some(peer)
    }

    /// Notes that a session was used just now.
    pub(super) fn touch(&self, peer: &Peer) {
        peer.use_at(self.now());
    }

    /// Microseconds since the beginning.
    pub(super) fn now(&self) -> u64 {
        micros(self.began.elapsed())
    }

    /// Ends the sessions that were idle for too long. Gives the time until the next sweep.
    pub(super) fn sweep(&self) -> Duration {
        let (now, idle) = (self.now(), micros(self.limits.idle));
        let mut next = idle;
        let expired: Vec<Arc<Peer>> = {
            let mut table = lock(&self.table);
            for waiting in &table.backlog {
                waiting.use_at(now);
            }
            let stale = |_: &Key, peer: &mut Arc<Peer>| {
                let left = idle.saturating_sub(now.saturating_sub(peer.last_used()));
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
        // If many sessions expire one by one, there must not be as many walks over the table.
        Duration::from_micros(next.max(idle / 32)).max(Duration::from_millis(1))
    }

    /// Takes a session whose halves are dropped out of the table. Its address may have a new
    /// session by now.
    pub(super) fn leave(&self, peer: &Arc<Peer>) {
        let pump = {
            let mut table = lock(&self.table);
            let here = table.peers.get(&peer.key());
            if here.is_some_and(|here| Arc::ptr_eq(here, peer)) {
                table.peers.remove(&peer.key());
            }
            table.pump_if_deserted()
        };
        wake(pump);
    }

    /// Drops the sessions that were not accepted, and admits no more peers.
    pub(super) fn stop_listening(&self) {
        let pump = {
            let mut table = lock(&self.table);
            table.listening = false;
            for peer in mem::take(&mut table.backlog) {
                table.peers.remove(&peer.key());
            }
            table.pump_if_deserted()
        };
        wake(pump);
    }

    /// Ends all sessions: no more datagrams are received.
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
