//! The client's end: it proves its token, and asks the server for the same.

use std::io;

use socketry_transport::{ErrorKind, Socket};

use super::line;
use super::mac::{Role, Transcript};
use super::wire::{AuthSocket, Wire};
use crate::binding::ChannelBinding;
use crate::error::AuthError;
use crate::identity::{Identity, Proof};
use crate::token::{Token, random};

const SERVER: &str = "the server";

/// Proves `token` over `socket`. Nothing but the exchange has been sent or received then.
pub(crate) async fn connect<S: Socket>(
    socket: S,
    token: &Token,
) -> Result<AuthSocket<S>, AuthError> {
    let info = socket.info().clone();
    let binding = ChannelBinding::of(&info);
    let (mode, nonce) = (binding.mode(), random()?);
    let mut wire = Wire::new(socket, SERVER);

    let hello = line::hello(token.name(), &nonce, mode);
    let said = wire.say(&hello).await;
    if matches!(wire.begin().await, Ok(false)) && !wire.is_empty() {
        let error = wire.stranger("the server does not ask for a token: its answer begins with");
        return Err(error.hint("does it take tokens?"));
    }
    let answer = hear(&mut wire, said).await?;
    let (their_nonce, their_mode) = line::parse_challenge(&answer).map_err(|reason| {
        let words = format!("the server's line is no line of an exchange: {reason}");
        AuthError::new(ErrorKind::Protocol, words)
    })?;
    let transcript = Transcript {
        name: token.name().to_owned(),
        client: (mode, nonce),
        server: (their_mode, their_nonce),
        binding,
        us: Role::Client,
    };

    let proof = transcript.prove(token.secret(), Role::Client);
    let said = wire.say(&line::proof(&proof)).await;
    let answer = hear(&mut wire, said).await?;
    let theirs = line::parse_welcome(&answer).map_err(|reason| {
        let words = format!("the server's answer to the proof is no welcome: {reason}");
        AuthError::new(ErrorKind::Protocol, words)
    })?;
    if !transcript.verify(token.secret(), Role::Server, &theirs) {
        let words = "the server did not prove that it has this token";
        return Err(AuthError::new(ErrorKind::Untrusted, words));
    }
    Ok(wire.finish(info.with(Identity::new(token.name(), Proof::Token))))
}

/// The server's next line, which may be a refusal that it said before it closed.
async fn hear<S: Socket>(wire: &mut Wire<S>, said: io::Result<()>) -> Result<String, AuthError> {
    let heard = wire.line().await;
    let line = match (heard, said) {
        (Ok(line), _) => line,
        // The write failed first, and is why nothing came.
        (Err(_), Err(error)) => return Err(AuthError::io(&error)),
        (Err(error), Ok(())) => return Err(error),
    };
    match line::parse_refusal(&line) {
        Some(words) => Err(AuthError::new(
            ErrorKind::Denied,
            format!("the server refuses: {words}"),
        )),
        None => Ok(line),
    }
}
