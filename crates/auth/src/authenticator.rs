//! The question that each accepted socket is asked: who are you?

use std::fmt;
use std::sync::{Arc, OnceLock};

use socketry_transport::{Info, async_trait};

use crate::exchange::mac::{Role, Transcript};
use crate::identity::Identity;
use crate::token::Secret;

/// Says who a peer is, or refuses it.
///
/// # Implementing
///
/// An authenticator that lets in the clients of one network:
///
/// ```
/// use socketry_auth::{Authenticator, Identity, Peer, Proof, Refusal, async_trait};
///
/// struct Neighbours;
///
/// #[async_trait]
/// impl Authenticator for Neighbours {
///     async fn authenticate(&self, peer: &Peer<'_>) -> Result<Identity, Refusal> {
///         match peer.info().peer().socket_addr() {
///             Some(address) if address.ip().is_loopback() => {
///                 let proof = Proof::Other("by address".to_owned());
///                 Ok(Identity::new(address.ip().to_string(), proof))
///             }
///             _ => Err(Refusal::new("only neighbours are served")),
///         }
///     }
/// }
/// ```
///
/// One that [takes tokens](Authenticator::takes_tokens) is asked twice: first without a
/// [token](Peer::token), and it accepts where peers without one are welcome; then, if the peer
/// claims a token, with it. One that takes no tokens is not asked about a peer that claims one.
#[async_trait]
pub trait Authenticator: Send + Sync + 'static {
    /// Whether peers may prove tokens. By default not: then nothing is received before the first
    /// frame.
    fn takes_tokens(&self) -> bool {
        false
    }

    /// Who `peer` is.
    ///
    /// It runs in the background, within the deadline of the exchange. The future is dropped at
    /// that deadline.
    ///
    /// # Errors
    /// The reason for which the peer is not let in.
    async fn authenticate(&self, peer: &Peer<'_>) -> Result<Identity, Refusal>;
}

#[async_trait]
impl<A: Authenticator + ?Sized> Authenticator for Arc<A> {
    fn takes_tokens(&self) -> bool {
        (**self).takes_tokens()
    }

    async fn authenticate(&self, peer: &Peer<'_>) -> Result<Identity, Refusal> {
        (**self).authenticate(peer).await
    }
}

/// What is known of a peer that wants to be let in.
#[derive(Debug)]
pub struct Peer<'a> {
    info: &'a Info,
    claim: Option<&'a Claim>,
}

impl<'a> Peer<'a> {
    /// A peer that claims no token.
    pub fn new(info: &'a Info) -> Self {
        Peer { info, claim: None }
    }

    pub(crate) fn claiming(info: &'a Info, claim: &'a Claim) -> Self {
        let claim = Some(claim);
        Peer { info, claim }
    }

    /// The facts about its socket: addresses, the `TlsInfo` with its certificates, the kernel's
    /// [`Credentials`](socketry_transport::Credentials).
    pub fn info(&self) -> &'a Info {
        self.info
    }

    /// The token that it claims to have.
    pub fn token(&self) -> Option<&'a Claim> {
        self.claim
    }
}

/// A token that a peer claims to have, with its proof.
pub struct Claim {
    transcript: Transcript,
    proof: Vec<u8>,
    /// This end's own proof, once the peer's was found good.
    answer: OnceLock<[u8; 32]>,
}

impl Claim {
    pub(crate) fn new(transcript: Transcript, proof: Vec<u8>) -> Self {
        Claim {
            transcript,
            proof,
            answer: OnceLock::new(),
        }
    }

    /// The name of the token. The peer chose it; it has 1 to 64 letters, digits and `.`, `_`, `-`,
    /// `@`.
    pub fn name(&self) -> &str {
        &self.transcript.name
    }

    /// Whether the peer has proved `secret`, compared in constant time. If so, this end proves the
    /// same secret to the peer once the authenticator accepts.
    pub fn proves(&self, secret: &Secret) -> bool {
        let proved = self.transcript.verify(secret, Role::Client, &self.proof);
        if proved {
            self.answer
                .get_or_init(|| self.transcript.prove(secret, Role::Server));
        }
        proved
    }

    pub(crate) fn answer(&self) -> Option<&[u8; 32]> {
        self.answer.get()
    }

    pub(crate) fn transcript(&self) -> &Transcript {
        &self.transcript
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Claim({:?})", self.name())
    }
}

/// Why a peer is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    told: String,
    reason: Option<String>,
}

impl Refusal {
    /// A refusal with words that the peer is told, in one line, and that stand in the log.
    pub fn new(words: impl Into<String>) -> Self {
        let told = words.into();
        Refusal { told, reason: None }
    }

    /// The same with a reason for this end's log. The peer is not told it.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// The words that the peer is told.
    pub fn told(&self) -> &str {
        &self.told
    }

    /// The words for the log.
    pub fn reason(&self) -> &str {
        self.reason.as_ref().unwrap_or(&self.told)
    }
}
