//! How a conversation goes on after a request.

use super::MAX_DRAIN;
use super::header::{Answer, Follows};
use super::wire::{Trouble, Wire, in_time, say};
use crate::AppError;

/// Whether the conversation goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Close,
}

/// Tells the client that its request failed, and gets out of the way what it sends nevertheless.
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

/// Answers a client as far as it listens. One that has closed may have sent more before, and all of
/// that is read: only one that is there and takes nothing is dropped.
pub(super) async fn tell(wire: &mut Wire, answer: &Answer) -> Result<(), AppError> {
    heard(say(wire, answer).await)
}

/// Answers a client that may be sending on: when it is quiet, or the conversation ends. Who closes
/// on an answer unread destroys what it has sent meanwhile.
pub(super) async fn tell_later(wire: &mut Wire, answer: &Answer) -> Result<(), AppError> {
    heard(in_time(wire.feed_json(answer)).await)
}

/// What became of an answer: that the client is gone is no error here.
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
    while in_time(wire.rest_of_body().chunk()).await?.is_some() {}
    if trailer {
        in_time(wire.recv()).await?;
    }
    Ok(())
}
