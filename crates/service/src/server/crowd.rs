//! The connections of a server: how many there are, of which peers, and how each hears of the stop.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socketry_transport::{Credentials, Half, Info};

use super::gate::Tie;
use super::observer::Refusal;
use crate::Limits;

/// The connections that are served now.
pub(super) struct Crowd {
    most: usize,
    per_peer: usize,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    ties: HashMap<u64, Arc<Tie>>,
    peers: HashMap<Peer, usize>,
    next: u64,
}

/// One client, for all that is counted by client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Peer {
    Address(IpAddr),
    User(u32),
}

impl Peer {
    fn of(info: &Info) -> Option<Peer> {
        if let Some(address) = info.peer().socket_addr() {
            return Some(Peer::Address(network(address.ip())));
        }
        let credentials: &Credentials = info.get()?;
        Some(Peer::User(credentials.uid))
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
    pub(super) fn new(limits: &Limits) -> Self {
        Crowd {
            most: limits.connections,
            per_peer: limits.per_peer,
            members: Mutex::default(),
        }
    }

    /// A place for a newcomer.
    pub(super) fn admit(self: &Arc<Self>, socket: &impl Half) -> Result<Member, Refusal> {
        let mut members = self.lock();
        if members.ties.len() >= self.most {
            return Err(Refusal::Full);
        }
        let peer = Peer::of(socket.info());
        if let Some(peer) = peer {
            let count = members.peers.entry(peer).or_default();
            if *count >= self.per_peer {
                return Err(Refusal::PeerFull);
            }
            *count += 1;
        }
        let id = members.next;
        members.next += 1;
        let tie = Arc::new(Tie::default());
        members.ties.insert(id, Arc::clone(&tie));
        Ok(Member {
            crowd: Arc::clone(self),
            id,
            peer,
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
    pub(super) id: u64,
    peer: Option<Peer>,
    pub(super) tie: Arc<Tie>,
}

impl Drop for Member {
    fn drop(&mut self) {
        let mut members = self.crowd.lock();
        members.ties.remove(&self.id);
        let Some(peer) = self.peer else { return };
        if let Some(count) = members.peers.get_mut(&peer) {
            *count -= 1;
            if *count == 0 {
                members.peers.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use socketry_transport::Shape;

    struct At(Info);

    impl Half for At {
        fn info(&self) -> &Info {
            &self.0
        }
    }

    fn at(peer: &str) -> At {
        let parsed = |url: &str| url.parse().expect("a URL");
        At(Info::new(
            Shape::Stream,
            parsed("tcp://127.0.0.1:1"),
            parsed(peer),
        ))
    }

    fn crowd(connections: usize, per_peer: usize) -> Arc<Crowd> {
        let limits = Limits {
            connections,
            per_peer,
            ..Limits::default()
        };
        Arc::new(Crowd::new(&limits))
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
            At(at("unix:///run/x").0.with(Credentials { uid, gid, pid }))
        };
        let _one = crowd.admit(&user(1));
        assert_eq!(crowd.admit(&user(1)).err(), Some(Refusal::PeerFull));
        let _two = crowd.admit(&user(2));
        let _unknown = [crowd.admit(&at("mem://a")), crowd.admit(&at("mem://a"))];
        assert_eq!(crowd.admit(&user(3)).err(), Some(Refusal::Full));
    }
}
