//! Several authenticators, in order.

use std::fmt;
use std::sync::Arc;

use socketry_transport::async_trait;

use crate::authenticator::{Authenticator, Peer, Refusal};
use crate::identity::Identity;

/// Lets in whom the first of several authenticators accepts. Without any, nobody is let in.
///
/// ```
/// use socketry_auth::{Anonymous, FirstOf, Token, Tokens};
///
/// let tokens = Tokens::new([Token::made("ann")?])?;
/// // Ann may prove who she is, and everybody else is welcome, too.
/// let all = FirstOf::new().or(tokens).or(Anonymous);
/// # let _ = all;
/// # Ok::<(), socketry_auth::AuthError>(())
/// ```
#[derive(Clone, Default)]
pub struct FirstOf(Vec<Arc<dyn Authenticator>>);

impl FirstOf {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more, which is asked last.
    #[must_use]
    pub fn or(mut self, authenticator: impl Authenticator) -> Self {
        self.0.push(Arc::new(authenticator));
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[async_trait]
impl Authenticator for FirstOf {
    fn takes_tokens(&self) -> bool {
        self.0.iter().any(Authenticator::takes_tokens)
    }

    async fn authenticate(&self, peer: &Peer<'_>) -> Result<Identity, Refusal> {
        let claims = peer.token().is_some();
        let mut refusals: Vec<Refusal> = Vec::new();
        for one in self.0.iter().filter(|one| !claims || one.takes_tokens()) {
            match one.authenticate(peer).await {
                Ok(identity) => return Ok(identity),
                Err(refusal) => refusals.push(refusal),
            }
        }
        let joined = |words: fn(&Refusal) -> &str| {
            let all: Vec<_> = refusals.iter().map(words).collect();
            all.join(", or ")
        };
        match refusals.is_empty() {
            true => Err(Refusal::new("this server serves nobody")),
            false => Err(Refusal::new(joined(Refusal::told)).because(joined(Refusal::reason))),
        }
    }
}

impl fmt::Debug for FirstOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FirstOf({})", self.0.len())
    }
}
