//! One peer of the shared socket: its address, and the queue of what came from it.

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
use crate::contract::socket::Shape;
use crate::contract::socket::info::Info;
use crate::waking::{wait, wake};

/// What tells sessions apart: the peer, and the address of ours that it asked. A peer that asks two
/// has a session with each, as it would have two TCP connections, and each answers from its own.
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
    // A link-local address is on the link that its peer is on.
    if let (SocketAddr::V6(asked), SocketAddr::V6(peer)) = (&mut asked, address)
        && asked.ip().is_unicast_link_local()
    {
        asked.set_scope_id(peer.scope_id());
    }
    Endpoint::new(at.scheme(), asked).ok()
}

/// One peer: its address, and what came from it.
pub(super) struct Peer {
    pub(super) addr: PeerAddr,
    /// Its local end is where the peer believes us to be, if the socket is bound to all addresses.
    pub(super) info: Info,
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

    /// When something last came or went, in microseconds since the hub began.
    pub(super) fn last_used(&self) -> u64 {
        self.used.load(Relaxed)
    }

    pub(super) fn use_at(&self, now: u64) {
        self.used.store(now, Relaxed);
    }

    /// Queues a datagram, or says that it could not.
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

    /// Nobody will receive here any more.
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
