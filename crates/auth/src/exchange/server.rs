//! The server's end: it finds out who a client is.

use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{ErrorKind, Info, Socket};
use tokio::time::timeout;

use super::line;
use super::mac::{Role, Transcript};
use super::wire::{AuthSocket, Wire};
use crate::authenticator::{Authenticator, Claim, Peer, Refusal};
use crate::binding::ChannelBinding;
use crate::error::AuthError;
use crate::identity::Identity;
use crate::token::random;

const CLIENT: &str = "the client";

/// How a server meets its clients.
pub(crate) struct Rules {
    pub(crate) authenticator: Arc<dyn Authenticator>,
    /// How long an exchange may take.
    pub(crate) deadline: Duration,
    /// How long a client may be silent that would be let in without a token.
    pub(crate) patience: Duration,
}

/// Why a client is not let in: the words for it, and the error for this end.
struct Refused {
    told: String,
    error: AuthError,
}

impl Refused {
    fn of(refusal: &Refusal) -> Self {
        Refused {
            told: refusal.told().to_owned(),
            error: AuthError::new(ErrorKind::Denied, refusal.reason()),
        }
    }
}

/// This end failed, which is not the client's affair.
impl From<AuthError> for Refused {
    fn from(error: AuthError) -> Self {
        let told = match error.kind() {
            ErrorKind::Protocol => error.to_string(),
            _ => "the exchange has failed".to_owned(),
        };
        Refused { told, error }
    }
}

/// Gives the socket of a client that is let in, with its identity.
pub(crate) async fn accept<S: Socket>(
    socket: S,
    rules: Arc<Rules>,
) -> Result<AuthSocket<S>, AuthError> {
    let info = socket.info().clone();
    let is_reliable = info.shape().is_reliable();
    let mut wire = Wire::new(socket, CLIENT);
    let met = timeout(rules.deadline, rules.meet(&mut wire, &info)).await;
    let refused = match met {
        Ok(Ok(identity)) => return Ok(wire.finish(info.with(identity))),
        Ok(Err(refused)) => refused,
        Err(_) => {
            let words = format!("it has proved nothing within {:?}", rules.deadline);
            Refused {
                error: AuthError::new(ErrorKind::TimedOut, &words),
                told: words,
            }
        }
    };
    match is_reliable {
        true => wire.refuse(&refused.told).await,
        // The address of a datagram may be forged: it is sent nothing.
        false => wire.abort(),
    }
    Err(refused.error)
}

impl Rules {
    async fn meet<S: Socket>(&self, wire: &mut Wire<S>, info: &Info) -> Result<Identity, Refused> {
        let without = self.authenticator.authenticate(&Peer::new(info)).await;
        let without = without.map_err(|refusal| Refused::of(&refusal));
        if !info.shape().is_stream() || !self.authenticator.takes_tokens() {
            return without;
        }
        let beginning = wire.begin();
        let begun = match &without {
            // A client that only listens says nothing.
            Ok(_) => timeout(self.patience, beginning).await.unwrap_or(Ok(false)),
            Err(_) => beginning.await,
        };
        match begun? {
            true => self.exchange(wire, info).await,
            false => without,
        }
    }

    async fn exchange<S: Socket>(
        &self,
        wire: &mut Wire<S>,
        info: &Info,
    ) -> Result<Identity, Refused> {
        let odd = |words: String| {
            let words = format!("the client's line is no line of an exchange: {words}");
            Refused::from(AuthError::new(ErrorKind::Protocol, words))
        };
        let hello = wire.line().await?;
        let (name, their_nonce, their_mode) = line::parse_hello(&hello).map_err(odd)?;
        let binding = ChannelBinding::of(info);
        let (mode, nonce) = (binding.mode(), random()?);
        let said = wire.say(&line::challenge(&nonce, mode)).await;
        said.map_err(|error| AuthError::io(&error))?;

        let proof = wire.line().await?;
        let proof = line::parse_proof(&proof).map_err(odd)?;
        let transcript = Transcript {
            name,
            client: (their_mode, their_nonce),
            server: (mode, nonce),
            binding,
            us: Role::Server,
        };
        let claim = Claim::new(transcript, proof);
        let peer = Peer::claiming(info, &claim);
        let met = self.authenticator.authenticate(&peer).await;
        let identity = met.map_err(|refusal| explained(&refusal, &claim))?;
        let Some(answer) = claim.answer() else {
            let words = "the authenticator accepts a token without its proof";
            return Err(AuthError::new(ErrorKind::Other, words).into());
        };
        let said = wire.say(&line::welcome(answer)).await;
        said.map_err(|error| AuthError::io(&error))?;
        Ok(identity)
    }
}

/// A refusal, with what may be the cause.
fn explained(refusal: &Refusal, claim: &Claim) -> Refused {
    let mut refused = Refused::of(refusal);
    if claim.transcript().is_cut() {
        let words = "one end is over TLS and the other is not: something between them ends it";
        refused.told = format!("{}; {words}", refused.told);
        refused.error = refused.error.hint(words);
    }
    refused
}
