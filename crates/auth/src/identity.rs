//! Who a peer is.

use std::fmt;

use socketry_transport::{Credentials, Info};

/// Who a peer is, and how that was proved: an extension of [`Info`].
///
/// On the side that accepts, it is the client's. On the side that connects with a
/// [`Token`](crate::Token), it is the server's, which has proved the same token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    name: String,
    proof: Proof,
}

/// What proved an [`Identity`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// It has the token of that name.
    Token,
    /// It has the key of a certificate.
    Certificate {
        /// The pin of the key: `sha256:` and base64url.
        pin: String,
    },
    /// It connected to a Unix socket, and the kernel vouches for the user.
    User(Credentials),
    /// Nothing.
    Anonymous,
    /// Something else, in the words of an authenticator of your own.
    Other(String),
}

impl Identity {
    /// An identity that an authenticator has found.
    pub fn new(name: impl Into<String>, proof: Proof) -> Self {
        let name = name.into();
        Identity { name, proof }
    }

    /// The identity of everybody that has proved nothing.
    pub fn anonymous() -> Self {
        Identity::new("anonymous", Proof::Anonymous)
    }

    /// The identity in `info`, if the socket came through a layer that puts one there.
    pub fn of(info: &Info) -> Option<&Self> {
        info.get()
    }

    /// The name: that of the token, of the certificate, or of the user (`uid:1000`, where the
    /// server gives it no other).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What proved it.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Whether something proved it.
    pub fn is_proved(&self) -> bool {
        self.proof != Proof::Anonymous
    }
}

/// The name and the proof, in one line. Characters that could drive a terminal are escaped.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.escape_debug().fmt(f)?;
        match &self.proof {
            Proof::Token => f.write_str(" (by token)"),
            // Without another name it is known by its key.
            Proof::Certificate { pin } if *pin == self.name => f.write_str(" (by certificate)"),
            Proof::Certificate { pin } => write!(f, " (by certificate, {pin})"),
            Proof::User(Credentials { uid, gid, pid }) => {
                write!(f, " (uid {uid}, gid {gid}")?;
                match pid {
                    Some(pid) => write!(f, ", pid {pid})"),
                    None => f.write_str(")"),
                }
            }
            Proof::Anonymous => Ok(()),
            Proof::Other(words) => write!(f, " ({})", words.escape_debug()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_shown_with_its_proof() {
        let user = Credentials {
            uid: 7,
            gid: 8,
            pid: Some(9),
        };
        for (identity, shown) in [
            (Identity::new("ann", Proof::Token), "ann (by token)"),
            (Identity::anonymous(), "anonymous"),
            (
                Identity::new("uid:7", Proof::User(user)),
                "uid:7 (uid 7, gid 8, pid 9)",
            ),
            (
                Identity::new("a\u{1b}[2J", Proof::Other("\u{7}".into())),
                "a\\u{1b}[2J (\\u{7})",
            ),
        ] {
            assert_eq!(identity.to_string(), shown);
        }
    }
}
