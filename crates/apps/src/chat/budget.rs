//! How much may be sent to an address that has proved nothing.
//!
//! A datagram says where it comes from, and whoever sends it can write a wrong address there. An answer
//! would go to somebody who never asked for it, and a short question with a long answer would make this
//! server a weapon. So no more bytes go to such an address than came from it: the rule of QUIC (RFC 9000,
//! section 8.1), with a factor of 1.
//!
//! Nobody outside of a machine can send from its loopback addresses, nor through its Unix sockets, and on
//! a stream each peer has answered already.

use std::sync::atomic::{AtomicUsize, Ordering};

use socketry_transport::{Address, Endpoint, Half};

/// What may still be sent to one peer.
#[derive(Debug)]
pub(super) struct Budget(Option<AtomicUsize>);

impl Budget {
    /// For the peer of `half`. A network that lets nobody write a wrong address is `trusted`.
    pub(super) fn of(half: &impl Half, trusted: bool) -> Self {
        if trusted || half.shape().is_stream() || !can_be_forged(half.peer()) {
            return Budget(None);
        }
        Budget::limited()
    }

    pub(super) fn limited() -> Self {
        Budget(Some(AtomicUsize::new(0)))
    }

    /// So many bytes came from there.
    pub(super) fn earn(&self, bytes: usize) {
        if let Some(left) = &self.0 {
            // Nobody sends so much that it would wrap, and then less is allowed than could be.
            left.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Whether so many bytes may be sent there. They are counted as sent then.
    pub(super) fn spend(&self, bytes: usize) -> bool {
        let Some(left) = &self.0 else { return true };
        let spent = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(bytes)
        });
        spent.is_ok()
    }
}

fn can_be_forged(peer: &Endpoint) -> bool {
    matches!(peer.address(), Address::Ip(at) if !at.ip().to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
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
