//! How a conversation goes on after a request.

use super::MAX_DRAIN;
use super::header::{Answer, Follows};
use super::wire::{Wire, in_time, say};
use crate::{AppError, Shown};

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
    tracing::info!(peer = %wire.peer(), "refused: {}", Shown(&error.to_string()));
    let flow = match follows {
        Follows::Body { len, trailer } if len <= MAX_DRAIN => {
            drain(wire, len, trailer).await?;
            Flow::Next
        }
        _ => Flow::Close,
    };
    say(wire, &Answer::error(error)).await?;
    Ok(flow)
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
