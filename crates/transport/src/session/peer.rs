//! One peer of the shared socket: its address, and the queue of its datagrams.

use std::collections::VecDeque;
use std::mem;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};

use super::SessionLimits;
use super::table::lock;
use crate::contract::datagram::PeerAddr;
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::info::Info;
use crate::contract::socket::{Cut, Shape};
use crate::waking::{wait, wake};

/// The identity of a session: the peer, and the address of this machine that it asked. A peer that
/// asks two addresses has a session with each, as it would have two TCP connections. Each session
/// answers from its own address.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Key(PeerAddr, Option<IpAddr>);

impl Key {
    pub(super) fn of(peer: &PeerAddr) -> Self {
        Key(peer.clone(), peer.local())
    }
}

/// The address that `peer` asked, as an endpoint of the socket that is bound `at`.
fn asked(peer: &PeerAddr, at: &Endpoint) -> Option<Endpoint> {
    let PeerAddr::Ip { address, local } = peer else {
        return None;
    };
    let mut asked = SocketAddr::new((*local)?, at.socket_addr()?.port());
    // A link-local address is on the same link as its peer.
    if let (SocketAddr::V6(asked), SocketAddr::V6(peer)) = (&mut asked, address)
        && asked.ip().is_unicast_link_local()
    {
        asked.set_scope_id(peer.scope_id());
    }
    Endpoint::new(at.scheme(), asked).ok()
}

/// One peer: its address, and the datagrams from it.
pub(super) struct Peer {
    pub(super) addr: PeerAddr,
    /// If the socket is bound to all addresses, the local end is the address that the peer asked.
    pub(super) info: Info,
    /// The time of the last datagram, either way, in microseconds since the hub began.
    used: AtomicU64,
    /// Set while the inbox is locked, so that a task that finds it empty and then waits is woken.
    ended: AtomicBool,
    inbox: Mutex<Inbox>,
}

/// A datagram, and its sizes if it was cut.
type Item = (Box<[u8]>, Option<Cut>);

/// Datagrams that wait to be received.
#[derive(Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
}

impl Queue {
    /// Queues a datagram, if there is room. An empty queue always takes one.
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

    /// All datagrams, if there are any.
    pub(super) fn pop_all(&mut self) -> Option<VecDeque<Item>> {
        let all = mem::take(self).items;
        (!all.is_empty()).then_some(all)
    }
}

#[derive(Default)]
struct Inbox {
    queue: Queue,
    /// The receiving half is gone: datagrams are dropped.
    deaf: bool,
    receiver: Option<Waker>,
    sender: Option<Waker>,
}

impl Peer {
    /// A peer of the socket that is bound `at`, and whose datagrams have at most `max_len` bytes.
    /// `None` where its scheme cannot express the address.
    pub(super) fn new(addr: &PeerAddr, (max_len, at): &(usize, Endpoint)) -> Option<Self> {
        let peer = addr
            .endpoint(at.scheme())
            .inspect_err(|error| tracing::debug!(%error, "a peer cannot be named"))
            .ok()?;
        let shape = Shape::Datagram { max_len: *max_len };
        let local = asked(addr, at).unwrap_or_else(|| at.clone());
        Some(Peer {
            addr: addr.clone(),
            info: Info::new(shape, local, peer),
            used: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            inbox: Mutex::default(),
        })
    }

    pub(super) fn key(&self) -> Key {
        Key::of(&self.addr)
    }

    /// The time of the last datagram, either way, in microseconds since the hub began.
    pub(super) fn last_used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    pub(super) fn use_at(&self, now: u64) {
        self.used.store(now, Relaxed);
    }

    /// Queues a datagram. Gives whether it could.
    pub(super) fn push(&self, item: Item, limits: &SessionLimits) -> bool {
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

    /// Takes from the queue with `take`. `None` when it is empty and the session has ended.
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
        let replaced = wait(&mut inbox.receiver, cx);
        drop(inbox);
        drop(replaced);
        Poll::Pending
    }

    /// Whether the session has ended; if not, the sender that waits is woken when it does.
    pub(super) fn watch_end(&self, cx: &mut Context<'_>) -> bool {
        let mut inbox = lock(&self.inbox);
        let replaced = wait(&mut inbox.sender, cx);
        let ended = self.has_ended();
        drop(inbox);
        drop(replaced);
        ended
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// The receiving half is gone.
    pub(super) fn deafen(&self) {
        let mut inbox = lock(&self.inbox);
        inbox.deaf = true;
        inbox.queue = Queue::default();
    }

    pub(super) fn end(&self) {
        let (receiver, sender) = {
            let mut inbox = lock(&self.inbox);
            self.ended.store(true, Relaxed);
            (inbox.receiver.take(), inbox.sender.take())
        };
        wake(receiver);
        wake(sender);
    }
}
