//! Whether and how a conversation goes on after a request.

use super::MAX_DRAIN;
use super::header::{Answer, Follows};
use super::wire::{Trouble, Wire, say, within_stall};
use crate::AppError;

/// Whether the conversation goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Close,
}

/// Tells the client that its request failed, and skips what the client sends nevertheless.
pub(super) async fn refuse(
    wire: &mut Wire,
    error: &AppError,
    follows: Follows,
) -> Result<Flow, AppError> {
    tracing::info!("refused: {error}");
    let flow = match follows {
        Follows::Body { len, trailer } if len <= MAX_DRAIN => {
            drain(wire, len, trailer).await?;
            Flow::Next
        }
        _ => Flow::Close,
    };
    tell_later(wire, &Answer::error(error)).await?;
    Ok(flow)
}

/// Answers a client as far as it reads. A client that has closed may have sent more before that,
/// and all of it is read. Only a client that is there and reads nothing is dropped.
pub(super) async fn tell(wire: &mut Wire, answer: &Answer) -> Result<(), AppError> {
    heard(say(wire, answer).await)
}

/// Queues an answer for a client that may still be sending. It is sent when the client is quiet, or
/// the conversation ends. A client that closes with an answer unread destroys what it has sent in
/// the meantime.
pub(super) async fn tell_later(wire: &mut Wire, answer: &Answer) -> Result<(), AppError> {
    heard(within_stall(wire.feed_json(answer)).await)
}

/// The result of an answer. It is no error here if the client is gone.
pub(super) fn heard(sent: Result<(), Trouble>) -> Result<(), AppError> {
    match sent {
        Err(Trouble::Failed(error)) => {
            tracing::debug!("the client did not wait for the answer: {error}");
            Ok(())
        }
        sent => Ok(sent?),
    }
}

async fn drain(wire: &mut Wire, len: u64, trailer: bool) -> Result<(), AppError> {
    if wire.body_left() == 0 {
        wire.body(len)?;
    }
    while within_stall(wire.rest_of_body().chunk()).await?.is_some() {}
    if trailer {
        within_stall(wire.recv()).await?;
    }
    Ok(())
}
