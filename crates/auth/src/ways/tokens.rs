//! Clients that prove a token.

use std::collections::HashMap;
use std::path::Path;

use socketry_transport::{ErrorKind, Shape, async_trait};

use crate::authenticator::{Authenticator, Peer, Refusal};
use crate::error::AuthError;
use crate::identity::{Identity, Proof};
use crate::token::{Secret, Token, keep, read};

/// Lets in the clients that prove one of these tokens, each by the name of its token.
#[derive(Clone, Debug)]
pub struct Tokens {
    secrets: HashMap<String, Secret>,
    /// For names that there are not, so that those cost as much.
    decoy: Secret,
}

impl Tokens {
    /// These tokens.
    ///
    /// # Errors
    /// If there is none, or two have one name.
    pub fn new(tokens: impl IntoIterator<Item = Token>) -> Result<Self, AuthError> {
        let mut secrets = HashMap::new();
        for token in tokens {
            let (name, secret) = (token.name().to_owned(), token.secret().clone());
            if secrets.insert(name, secret).is_some() {
                let words = format!("two tokens are named '{}'", token.name());
                return Err(AuthError::new(ErrorKind::InvalidOption, words));
            }
        }
        if secrets.is_empty() {
            let words = "there is no token";
            return Err(AuthError::new(ErrorKind::InvalidOption, words));
        }
        let decoy = Secret::made()?;
        Ok(Tokens { secrets, decoy })
    }

    /// The tokens in a file. A line is `NAME = SECRET`, with at least 16 bytes in hexadecimal or
    /// base64; what can be read as hexadecimal is. Empty lines and those that begin with `#` are
    /// passed over.
    ///
    /// # Errors
    /// If the file cannot be read, may be read or changed by others than its owner, or has a line
    /// that is none, a secret that is too short, a name twice (whatever its case), or no token.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, AuthError> {
        Tokens::new(read(path.as_ref())?)
    }

    /// The same, where the file is made at the first start: with one token named `name`, which has
    /// 32 random bytes. Only its owner may read it, and a directory that is made for it. `true`
    /// says that it was made now.
    ///
    /// # Errors
    /// If it cannot be made, and as [`from_file`](Tokens::from_file).
    pub fn kept_in(path: impl AsRef<Path>, name: &str) -> Result<(Self, bool), AuthError> {
        let (tokens, made) = keep(path.as_ref(), name)?;
        Ok((Tokens::new(tokens)?, made))
    }

    /// The names of the tokens, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }
}

#[async_trait]
impl Authenticator for Tokens {
    fn takes_tokens(&self) -> bool {
        true
    }

    async fn authenticate(&self, peer: &Peer<'_>) -> Result<Identity, Refusal> {
        let Some(claim) = peer.token() else {
            return Err(Refusal::new(match peer.info().shape() {
                Shape::Stream => "a token is needed",
                Shape::Message { .. } => "a token is needed, which cannot be proved over messages",
                Shape::Datagram { .. } => {
                    "a token is needed, which cannot be proved over datagrams"
                }
            }));
        };
        let name = claim.name();
        let known = self.secrets.get(name);
        let proved = claim.proves(known.unwrap_or(&self.decoy));
        if known.is_some() && proved {
            return Ok(Identity::new(name, Proof::Token));
        }
        let reason = match known {
            Some(_) => format!("the proof of the token '{name}' is wrong"),
            None => format!("there is no token '{name}'"),
        };
        // A peer is not told which names there are.
        let told = "the token is not known here, or its proof is wrong";
        Err(Refusal::new(told).because(reason))
    }
}
