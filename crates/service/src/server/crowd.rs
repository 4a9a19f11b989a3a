//! The connections of a server: how many there are, of which peers, and how each hears of the stop.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socketry_transport::{Credentials, Info};

use super::budget::Budget;
use super::observer::{Observer, Refusal};
use super::tie::Tie;
use super::user::UserOf;
use crate::Limits;

/// The connections that are served now.
pub(super) struct Crowd {
    most: usize,
    per_peer: usize,
    per_user: usize,
    user_of: UserOf,
    budget: Arc<Budget>,
    observer: Option<Arc<dyn Observer>>,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    ties: HashMap<u64, Arc<Tie>>,
    peers: Counts<Peer>,
    users: Counts<Arc<str>>,
    next: u64,
}

/// One client, for all that is counted by client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Peer {
    Address(IpAddr),
    Uid(u32),
}

/// How many connections each has.
struct Counts<K>(HashMap<K, usize>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Counts(HashMap::new())
    }
}

impl<K: Eq + Hash> Counts<K> {
    /// Whether there is a place below `most`. One that is not known has.
    fn has_place(&self, key: Option<&K>, most: usize) -> bool {
        let count = key.and_then(|key| self.0.get(key)).copied();
        key.is_none() || count.unwrap_or(0) < most
    }

    fn add(&mut self, key: Option<K>) {
        if let Some(key) = key {
            *self.0.entry(key).or_default() += 1;
        }
    }

    fn remove(&mut self, key: Option<&K>) {
        let Some(key) = key else { return };
        if let Some(count) = self.0.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(key);
            }
        }
    }
}

impl Peer {
    fn of(info: &Info) -> Option<Peer> {
        if let Some(address) = info.peer().socket_addr() {
            return Some(Peer::Address(network(address.ip())));
        }
        let credentials: &Credentials = info.get()?;
        Some(Peer::Uid(credentials.uid))
    }
}

/// The part of an address that one client cannot choose: a customer is given 64 bits of IPv6 at
/// least (RFC 6177), and may use them all.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

impl Crowd {
    pub(super) fn new(
        limits: &Limits,
        user_of: UserOf,
        observer: Option<Arc<dyn Observer>>,
    ) -> Self {
        Crowd {
            most: limits.connections,
            per_peer: limits.per_peer,
            per_user: limits.per_user,
            user_of,
            budget: Arc::new(Budget::new(limits.buffers)),
            observer,
            members: Mutex::default(),
        }
    }

    /// A place for a newcomer.
    pub(super) fn admit(self: &Arc<Self>, info: &Info) -> Result<Member, Refusal> {
        let peer = Peer::of(info);
        // Code of others, which must not run under the lock.
        let user: Option<Arc<str>> = (self.user_of)(info).map(Into::into);
        let mut members = self.lock();
        if members.ties.len() >= self.most {
            return Err(Refusal::Full);
        }
        if !members.peers.has_place(peer.as_ref(), self.per_peer) {
            return Err(Refusal::PeerFull);
        }
        if !members.users.has_place(user.as_ref(), self.per_user) {
            return Err(Refusal::UserFull);
        }
        if !self.budget.has_room() {
            return Err(Refusal::Memory);
        }
        members.peers.add(peer);
        members.users.add(user.clone());
        let id = members.next;
        members.next += 1;
        let (observer, budget) = (self.observer.clone(), Arc::clone(&self.budget));
        let tie = Arc::new(Tie::new(id, observer, budget));
        members.ties.insert(id, Arc::clone(&tie));
        Ok(Member {
            crowd: Arc::clone(self),
            peer,
            user,
            tie,
        })
    }

    /// Wakes all, so that they hear of the stop.
    pub(super) fn wake(&self) {
        let ties: Vec<_> = self.lock().ties.values().cloned().collect();
        ties.iter().for_each(|tie| tie.wake());
    }

    fn lock(&self) -> MutexGuard<'_, Members> {
        // No code of others runs under the lock, so a panic leaves nothing half done.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place of a connection. Dropping it frees the place.
pub(super) struct Member {
    crowd: Arc<Crowd>,
    peer: Option<Peer>,
    user: Option<Arc<str>>,
    pub(super) tie: Arc<Tie>,
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut members = self.crowd.lock();
        members.ties.remove(&self.tie.id);
        members.peers.remove(self.peer.as_ref());
        members.users.remove(self.user.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::user;
    use socketry_transport::Shape;

    fn at(peer: &str) -> Info {
        let parsed = |url: &str| url.parse().expect("a URL");
        Info::new(Shape::Stream, parsed("tcp://127.0.0.1:1"), parsed(peer))
    }

    fn crowd(connections: usize, per_peer: usize) -> Arc<Crowd> {
        let limits = Limits {
            connections,
            per_peer,
            ..Limits::default()
        };
        Arc::new(Crowd::new(&limits, Arc::new(user::known), None))
    }

    #[test]
    fn one_network_has_its_share_and_no_more() {
        let crowd = crowd(10, 2);
        let first = crowd.admit(&at("tcp://[2001:db8::1]:1"));
        let second = crowd.admit(&at("tcp://[2001:db8::2:1]:1"));
        assert!(first.is_ok() && second.is_ok());
        let third = crowd.admit(&at("tcp://[2001:db8::3]:1"));
        assert_eq!(third.err(), Some(Refusal::PeerFull));
        let neighbour = crowd.admit(&at("tcp://[2001:db8:0:1::1]:1"));
        assert!(neighbour.is_ok());
        drop(first);
        assert!(crowd.admit(&at("tcp://[2001:db8::3]:1")).is_ok());
    }

    #[test]
    fn an_address_is_the_same_in_both_notations() {
        let crowd = crowd(10, 1);
        let _mapped = crowd.admit(&at("tcp://[::ffff:192.0.2.1]:1"));
        let plain = crowd.admit(&at("tcp://192.0.2.1:2"));
        assert_eq!(plain.err(), Some(Refusal::PeerFull));
    }

    #[test]
    fn users_of_unix_sockets_are_counted_and_the_unknown_are_not() {
        let crowd = crowd(4, 1);
        let user = |uid| {
            let (gid, pid) = (uid, None);
            at("unix:///run/x").with(Credentials { uid, gid, pid })
        };
        let _one = crowd.admit(&user(1));
        assert_eq!(crowd.admit(&user(1)).err(), Some(Refusal::PeerFull));
        let _two = crowd.admit(&user(2));
        let _unknown = [crowd.admit(&at("mem://a")), crowd.admit(&at("mem://a"))];
        assert_eq!(crowd.admit(&user(3)).err(), Some(Refusal::Full));
    }

    #[test]
    fn a_user_has_its_share_from_all_addresses() {
        struct Name(&'static str);
        let limits = Limits {
            per_user: 1,
            ..Limits::default()
        };
        let user_of = |info: &Info| info.get().map(|Name(name)| (*name).to_owned());
        let crowd = Arc::new(Crowd::new(&limits, Arc::new(user_of), None));
        let ann = |peer| at(peer).with(Name("ann"));
        let first = crowd.admit(&ann("tcp://192.0.2.1:1"));
        let second = crowd.admit(&ann("tcp://192.0.2.2:1"));
        assert_eq!(second.err(), Some(Refusal::UserFull));
        let _other = crowd.admit(&at("tcp://192.0.2.2:2").with(Name("bob")));
        assert!(crowd.admit(&at("tcp://192.0.2.2:3")).is_ok());
        drop(first);
        assert!(crowd.admit(&ann("tcp://192.0.2.2:4")).is_ok());
    }
}
