//! A file of unknown length on the wire: pieces, each with a header that has its length.

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout};

use super::PAUSE;
use super::digest::Digests;
use super::incoming::Incoming;
use super::limits::{Alive, Lane};
use super::source::Source;
use super::transfer::Progress;
use super::wire::{Trouble, Wire, say, send_paced, within_stall};
use crate::AppError;

/// After this long without bytes a sender says that it is alive. It is a third of the time that its
/// peer takes for a stall.
pub(super) const ALIVE: Duration = Duration::from_secs(20);

/// The header of a piece. Without a length it says that the sender is alive. With an error it says
/// that the sender gave up.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Piece {
    /// How many bytes follow; 0 at the end of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) piece: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    /// In a tree: where the bytes lie, if there is a hole before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<u64>,
    /// In a tree, at the end: the digest of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) digest: Option<Digests>,
}

impl Piece {
    pub(super) fn of(len: usize) -> Self {
        Piece {
            piece: Some(len as u64),
            ..Piece::default()
        }
    }
}

/// Sends the next piece, and waits for its bytes as long as it takes. Returns its length; 0 at the
/// end. An inner error is an error of the file, which the caller tells the peer in place of a
/// piece.
pub(super) async fn send_one(
    wire: &mut Wire,
    source: &mut Source,
    lane: &Lane,
) -> Result<io::Result<u64>, Trouble> {
    let bytes = loop {
        match timeout(ALIVE, source.next()).await {
            Ok(read) => break read,
            Err(_) => say(wire, &Piece::default()).await?,
        }
    };
    match bytes {
        Ok([]) => say(wire, &Piece::of(0)).await.map(|()| Ok(0)),
        Ok(bytes) => {
            within_stall(wire.feed_json(&Piece::of(bytes.len()))).await?;
            wire.body_writer(bytes.len() as u64)?;
            send_paced(wire, bytes, lane).await?;
            Ok(Ok(bytes.len() as u64))
        }
        Err(error) => Ok(Err(error)),
    }
}

/// The result of receiving a file in pieces.
pub(super) enum Arrived {
    /// The whole file, of this many bytes.
    Whole(u64),
    /// The sender gave up, and said why.
    GivenUp(AppError),
    /// This side does not take any more of it; the rest may still arrive.
    Refused(AppError),
}

/// Receives all pieces of a file.
pub(super) async fn receive(
    wire: &mut Wire,
    incoming: &mut Incoming,
    pace: &mut Alive<'_>,
    progress: Progress<'_>,
) -> Result<Arrived, AppError> {
    let mut len = 0;
    let mut latest = Instant::now();
    loop {
        let piece = within_stall(wire.recv_json::<Piece>()).await?;
        let piece = piece.ok_or_else(|| AppError::failed("the end of the file is missing"))?;
        if let Some(error) = piece.error {
            return Ok(Arrived::GivenUp(AppError::failed(error)));
        }
        match piece.piece {
            None if latest.elapsed() < PAUSE => continue,
            None => return Ok(Arrived::Refused(paused())),
            Some(0) => return Ok(Arrived::Whole(len)),
            Some(bytes) => _ = wire.body(bytes)?,
        }
        while let Some(bytes) = within_stall(wire.rest_of_body().chunk()).await? {
            let piece = bytes.len();
            if let Err(error) = incoming.write(bytes).await {
                return Ok(Arrived::Refused(error));
            }
            len += piece as u64;
            progress(len, None);
            pace.pass(wire, piece).await?;
        }
        latest = Instant::now();
    }
}

pub(super) fn paused() -> AppError {
    AppError::failed(format_args!(
        "no bytes of the file came for {} minutes",
        PAUSE.as_secs() / 60
    ))
}
