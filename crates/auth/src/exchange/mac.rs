//! What a proof covers.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::binding::{ChannelBinding, Mode};
use crate::token::Secret;

/// The first field of every proof. Another version of the exchange has another one.
const CONTEXT: &[u8] = b"socketry-auth 1";

/// The end that proves. A proof of one role is worth nothing in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Client,
    Server,
}

impl Role {
    fn word(self) -> &'static [u8] {
        match self {
            Role::Client => b"client",
            Role::Server => b"server",
        }
    }
}

/// All that both ends have said, and what this end sees of the channel.
#[derive(Clone, Debug)]
pub(crate) struct Transcript {
    pub(crate) name: String,
    pub(crate) client: (Mode, [u8; 32]),
    pub(crate) server: (Mode, [u8; 32]),
    pub(crate) binding: ChannelBinding,
    /// The end that has this transcript.
    pub(crate) us: Role,
}

impl Transcript {
    fn mac(&self, secret: &Secret, role: Role) -> Hmac<Sha256> {
        // HMAC takes keys of any length (RFC 2104).
        let mac = Hmac::<Sha256>::new_from_slice(secret.bytes());
        let mut mac = mac.expect("a key of any length");
        let other = match self.us {
            Role::Client => self.server.0,
            Role::Server => self.client.0,
        };
        let [fingerprint, exporter] = self.binding.parts(other);
        let fields: [&[u8]; 9] = [
            CONTEXT,
            role.word(),
            self.name.as_bytes(),
            self.client.0.word().as_bytes(),
            self.server.0.word().as_bytes(),
            &self.client.1,
            &self.server.1,
            fingerprint,
            exporter,
        ];
        for field in fields {
            // No field is longer than 64 bytes. With its length before each, no two different
            // lists are the same bytes.
            let len = u32::try_from(field.len()).unwrap_or(u32::MAX);
            mac.update(&len.to_be_bytes());
            mac.update(field);
        }
        mac
    }

    pub(crate) fn prove(&self, secret: &Secret, role: Role) -> [u8; 32] {
        self.mac(secret, role).finalize().into_bytes().into()
    }

    /// Whether `proof` is that of `role`, compared in constant time.
    pub(crate) fn verify(&self, secret: &Secret, role: Role, proof: &[u8]) -> bool {
        self.mac(secret, role).verify_slice(proof).is_ok()
    }

    /// Whether one end sees TLS where the other sees none: what ends it stands in the middle.
    pub(crate) fn is_cut(&self) -> bool {
        (self.client.0 == Mode::Plain) != (self.server.0 == Mode::Plain)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::token::to_hex;

    fn transcript() -> Transcript {
        Transcript {
            name: "ann".to_owned(),
            client: (Mode::Tls, [1; 32]),
            server: (Mode::Exporter, [2; 32]),
            binding: ChannelBinding::new([3; 32]),
            us: Role::Client,
        }
    }

    /// Computed by Python's `hmac`, as `docs/auth.md` describes it.
    #[test]
    fn a_proof_has_the_bytes_that_the_documentation_says() {
        let secret = Secret::new([7; 32]).unwrap();
        let proof = transcript().prove(&secret, Role::Client);
        assert_eq!(to_hex(&proof), KNOWN);
    }

    const KNOWN: &str = "8d1972f091f2a5b47480f3893c3ec8c7674aa51b679d2f498ecb0324cd572d64";

    #[test]
    fn each_field_changes_the_proof() {
        let secret = Secret::new([7; 32]).unwrap();
        let proof = transcript().prove(&secret, Role::Client);
        let changes: [fn(&mut Transcript); 7] = [
            |all| all.name.push('a'),
            |all| all.client.0 = Mode::Plain,
            |all| all.server.0 = Mode::Tls,
            |all| all.client.1[31] = 0,
            |all| all.server.1[31] = 0,
            |all| all.binding = ChannelBinding::new([4; 32]),
            |all| {
                all.client.0 = Mode::Exporter;
                all.binding = ChannelBinding::new([3; 32]).exporter([5; 32]);
            },
        ];
        for (number, change) in changes.into_iter().enumerate() {
            let mut changed = transcript();
            change(&mut changed);
            assert!(!changed.verify(&secret, Role::Client, &proof), "{number}");
        }
        assert!(!transcript().verify(&secret, Role::Server, &proof));
        assert!(!transcript().verify(&Secret::new([8; 32]).unwrap(), Role::Client, &proof));
        assert!(!transcript().verify(&secret, Role::Client, &proof[..31]));
        assert!(!transcript().verify(&secret, Role::Client, &[]));
        assert!(transcript().verify(&secret, Role::Client, &proof));
    }
}
