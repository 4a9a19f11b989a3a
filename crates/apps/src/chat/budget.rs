//! How much may be sent to an address that has proved nothing.
//!
//! A datagram says where it comes from, and whoever sends it can write a wrong address there. An
//! answer would go to somebody who never asked for it, and a short question with a long answer
//! would make this server a weapon. So no more bytes go to such an address than came from it: the
//! rule of QUIC (RFC 9000, section 8.1), with a factor of 1.
//!
//! Nobody outside of a machine can send from its loopback addresses, nor through its Unix sockets,
//! and on a stream each peer has answered already. Others prove their address with a
//! [cookie](super::cookie).

use std::sync::{Mutex, MutexGuard, PoisonError};

use socketry_transport::{Address, Endpoint, Half};
use tokio::time::Instant;

use super::limits::PROOF;

/// What may still be sent to one peer.
#[derive(Debug)]
pub(super) struct Budget(Mutex<State>);

#[derive(Debug)]
struct State {
    trust: Trust,
    /// So many bytes came from there and were not answered yet.
    left: usize,
}

/// Whether what is sent to an address arrives where it was asked for.
#[derive(Debug)]
enum Trust {
    Always,
    Until(Instant),
    Never,
}

impl Budget {
    /// For the peer of `half`. A network that lets nobody write a wrong address is `trusted`.
    pub(super) fn of(half: &impl Half, trusted: bool) -> Self {
        let free = trusted || half.shape().is_stream() || !can_be_forged(half.peer());
        Budget::with(if free { Trust::Always } else { Trust::Never })
    }

    #[cfg(test)]
    pub(super) fn limited() -> Self {
        Budget::with(Trust::Never)
    }

    fn with(trust: Trust) -> Self {
        Budget(Mutex::new(State { trust, left: 0 }))
    }

    /// Whoever is there has asked for what it is sent, for [`PROOF`].
    pub(super) fn prove(&self) {
        let mut state = self.lock();
        if !matches!(state.trust, Trust::Always) {
            state.trust = Trust::Until(Instant::now() + PROOF);
        }
    }

    pub(super) fn is_proven(&self) -> bool {
        self.lock().is_proven()
    }

    /// So many bytes came from there.
    pub(super) fn earn(&self, bytes: usize) {
        let mut state = self.lock();
        state.left = state.left.saturating_add(bytes);
    }

    /// Whether so many bytes may be sent there. They are counted as sent then.
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
        // Whatever panicked, a number and a time are whole.
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

/// Whether datagrams with the address of `peer` may come from elsewhere.
pub(super) fn can_be_forged(peer: &Endpoint) -> bool {
    matches!(peer.address(), Address::Ip(at) if !at.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[test]
    fn no_more_goes_out_than_came_in() {
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
    async fn who_needs_no_proof_needs_none_later() {
        let budget = Budget::with(Trust::Always);
        budget.prove();
        advance(PROOF * 2).await;
        assert!(budget.spend(1));
    }

    #[test]
    fn addresses_of_this_machine_alone_cannot_be_forged() {
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
