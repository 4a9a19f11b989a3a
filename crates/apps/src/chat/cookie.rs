//! Cookies, with which a user proves that datagrams reach its address.
//!
//! Only a process that receives at an address knows the cookie that was sent there. The server
//! stores no cookies: a cookie is a hash of the address and a coarse time, keyed with a secret of
//! the server.

use blake3::Hash;
use socketry_transport::Endpoint;
use tokio::time::Instant;

use super::limits::PROOF_RENEWAL;
use crate::AppError;

/// The cookies of one server.
pub(super) struct Cookies {
    secret: [u8; blake3::KEY_LEN],
    began: Instant,
}

impl Cookies {
    /// Cookies with a new secret.
    pub(super) fn new() -> Result<Self, AppError> {
        let mut secret = [0; blake3::KEY_LEN];
        getrandom::fill(&mut secret)
            .map_err(|error| AppError::failed(format_args!("the system has no random: {error}")))?;
        Ok(Cookies {
            secret,
            began: Instant::now(),
        })
    }

    /// The cookie that `peer` gets now.
    pub(super) fn of(&self, peer: &Endpoint) -> String {
        self.at(peer, self.epoch()).to_hex().to_string()
    }

    /// Whether `peer` was given `cookie`, in this period or the one before.
    pub(super) fn holds(&self, cookie: &str, peer: &Endpoint) -> bool {
        let Ok(cookie) = Hash::from_hex(cookie) else {
            return false;
        };
        let now = self.epoch();
        // Hashes are compared in constant time.
        (now.saturating_sub(1)..=now).any(|epoch| self.at(peer, epoch) == cookie)
    }

    fn epoch(&self) -> u64 {
        self.began.elapsed().as_secs() / PROOF_RENEWAL.as_secs()
    }

    fn at(&self, peer: &Endpoint, epoch: u64) -> Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(&epoch.to_le_bytes());
        hasher.update(peer.to_string().as_bytes());
        hasher.finalize()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    fn peer(url: &str) -> Endpoint {
        url.parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn a_cookie_holds_for_its_address_alone() {
        let cookies = Cookies::new().unwrap();
        let ann = peer("udp://192.0.2.1:9");
        let cookie = cookies.of(&ann);
        assert!(cookies.holds(&cookie, &ann));
        for other in [
            "udp://192.0.2.1:10",
            "udp://192.0.2.2:9",
            "udp://[2001:db8::1]:9",
        ] {
            assert!(!cookies.holds(&cookie, &peer(other)), "{other}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn text_that_is_no_cookie_proves_nothing() {
        let cookies = Cookies::new().unwrap();
        let ann = peer("udp://192.0.2.1:9");
        let cookie = cookies.of(&ann);
        let last = if cookie.ends_with('0') { "1" } else { "0" };
        for forged in [
            String::new(),
            "0".repeat(64),
            "é".repeat(32),
            cookie[1..].to_owned(),
            format!("{cookie}0"),
            format!("{}{last}", &cookie[..63]),
        ] {
            assert!(!cookies.holds(&forged, &ann), "{forged}");
        }
        let others = Cookies::new().unwrap();
        assert!(!others.holds(&cookie, &ann));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cookie_grows_old() {
        let cookies = Cookies::new().unwrap();
        let ann = peer("udp://192.0.2.1:9");
        let cookie = cookies.of(&ann);
        advance(PROOF_RENEWAL * 2 - Duration::from_millis(1)).await;
        assert!(cookies.holds(&cookie, &ann));
        assert_ne!(cookies.of(&ann), cookie);
        advance(Duration::from_millis(1)).await;
        assert!(!cookies.holds(&cookie, &ann));
        assert!(cookies.holds(&cookies.of(&ann), &ann));
    }
}
