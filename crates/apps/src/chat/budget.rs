//! How many bytes the server may send to an address that has proved nothing.
//!
//! A datagram names its sender's address, and any sender can write a wrong one there. The answer
//! would then go to a peer that never asked for it. A short question with a long answer would make
//! this server a weapon. So the server sends no more bytes to such an address than it received from
//! there. That is the rule of QUIC (RFC 9000, section 8.1), with a factor of 1.
//!
//! Three kinds of peers need no proof. Only processes of this machine can send from its loopback
//! addresses or through its Unix sockets, and a peer on a stream has completed a handshake. All
//! others prove their address with a [cookie](super::cookie).

use std::sync::{Mutex, MutexGuard, PoisonError};

use socketry_transport::{Endpoint, Half};
use tokio::time::Instant;

use super::limits::PROOF;

/// How many bytes may still be sent to one peer.
#[derive(Debug)]
pub(super) struct Budget(Mutex<State>);

#[derive(Debug)]
struct State {
    trust: Trust,
    /// How many bytes arrived from the peer and were not answered yet.
    left: usize,
}

/// Whether the peer itself asked for the bytes that are sent to its address.
#[derive(Debug)]
enum Trust {
    Always,
    Until(Instant),
    Never,
}

impl Budget {
    /// The budget for the peer of `half`. `trusted` says that addresses cannot be forged on this
    /// network.
    pub(super) fn of(half: &impl Half, trusted: bool) -> Self {
        let free = trusted || half.shape().is_reliable() || !can_be_forged(half.peer());
        Budget::with(if free { Trust::Always } else { Trust::Never })
    }

    #[cfg(test)]
    pub(super) fn limited() -> Self {
        Budget::with(Trust::Never)
    }

    fn with(trust: Trust) -> Self {
        Budget(Mutex::new(State { trust, left: 0 }))
    }

    /// The peer has proved its address: it may be sent anything for [`PROOF`].
    pub(super) fn prove(&self) {
        let mut state = self.lock();
        if !matches!(state.trust, Trust::Always) {
            state.trust = Trust::Until(Instant::now() + PROOF);
        }
    }

    pub(super) fn is_proven(&self) -> bool {
        self.lock().is_proven()
    }

    /// Counts `bytes` that arrived from the peer.
    pub(super) fn earn(&self, bytes: usize) {
        let mut state = self.lock();
        state.left = state.left.saturating_add(bytes);
    }

    /// Whether `bytes` may be sent to the peer. If so, they are counted as sent.
    pub(super) fn spend(&self, bytes: usize) -> bool {
        let mut state = self.lock();
        if state.is_proven() {
            return true;
        }
        let left = state.left.checked_sub(bytes);
        state.left = left.unwrap_or(state.left);
        left.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave a number or a time half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_proven(&self) -> bool {
        match self.trust {
            Trust::Always => true,
            Trust::Until(end) => Instant::now() < end,
            Trust::Never => false,
        }
    }
}

/// Whether a datagram with the address of `peer` may come from another machine.
pub(super) fn can_be_forged(peer: &Endpoint) -> bool {
    peer.socket_addr()
        .is_some_and(|at| !at.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[test]
    fn no_more_bytes_go_out_than_came_in() {
        let budget = Budget::limited();
        assert!(!budget.spend(1));
        budget.earn(100);
        assert!(!budget.spend(101));
        assert!(budget.spend(60));
        assert!(!budget.spend(41));
        budget.earn(1);
        assert!(budget.spend(41));
        assert!(!budget.spend(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_proof_holds_for_a_while() {
        let budget = Budget::limited();
        budget.earn(1);
        budget.prove();
        assert!(budget.spend(usize::MAX));
        advance(PROOF / 2).await;
        budget.prove();
        advance(PROOF / 2).await;
        assert!(budget.spend(usize::MAX));
        advance(PROOF / 2).await;
        assert!(!budget.spend(2));
        assert!(budget.spend(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_trusted_peer_needs_no_proof_later() {
        let budget = Budget::with(Trust::Always);
        budget.prove();
        advance(PROOF * 2).await;
        assert!(budget.spend(1));
    }

    #[test]
    fn only_addresses_of_this_machine_cannot_be_forged() {
        for (peer, forged) in [
            ("udp://127.0.0.1:9", false),
            ("udp://[::1]:9", false),
            ("udp://[::ffff:127.0.0.1]:9", false),
            ("unix-dgram:///tmp/peer", false),
            ("mem://peer", false),
            ("udp://192.0.2.1:9", true),
            ("udp://[2001:db8::1]:9", true),
            ("udp://[::ffff:192.0.2.1]:9", true),
        ] {
            assert_eq!(can_be_forged(&peer.parse().unwrap()), forged, "{peer}");
        }
    }
}
