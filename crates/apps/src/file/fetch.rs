//! Downloads at the client: into a part file, which gets its name once the file is whole and
//! confirmed.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::attributes::Attributes;
use super::client::needed;
use super::header::Answer;
use super::host::Host;
use super::incoming::Incoming;
use super::limits::{Alive, Lane};
use super::pieces::{self, Arrived};
use super::transfer::{Allowed, LAST_WORD, Progress, Transfer, broken_off, confirmed, last_word};
use super::wire::{Wire, within_stall};
use super::{STALL, dest, name};
use crate::{AppError, Shown};

/// The file to fetch, and its destination.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) dest: &'a Path,
    pub(super) allowed: Allowed,
}

pub(super) async fn fetch(
    host: &Host,
    kept: &mut Option<Wire>,
    wanted: Wanted<'_>,
    progress: Progress<'_>,
) -> Result<Transfer, AppError> {
    let Wanted { name, allowed, .. } = wanted;
    let mut incoming = dest::create(wanted.dest, allowed.storing).await?;
    let request = json!({"opt": "download", "filename": name, "pieces": true});
    let (mut wire, answer) = host.ask(kept, &request).await?;
    same_name(name, answer.filename.as_deref())?;
    let len = receive(&mut wire, &mut incoming, &answer, progress).await?;
    let arrived = incoming.finish().await?;
    let blake3 = arrived.blake3();
    let confirmed = last_word(&mut wire, patience(allowed))
        .await
        .and_then(|word| word.map_or(Ok(false), |word| confirmed(word, blake3)))
        .and_then(|yes| match yes || allowed.unconfirmed {
            true => Ok(yes),
            false => Err(unconfirmed()),
        })
        .map_err(|error| arrived.spoilt(error))?;
    let Answer { mtime, mode, .. } = answer;
    let exact = false;
    arrived.keep(Attributes { mtime, mode, exact }).await?;
    *kept = confirmed.then_some(wire);
    Ok(Transfer::whole(len, blake3, confirmed))
}

/// Receives all bytes, and returns their number.
async fn receive(
    wire: &mut Wire,
    incoming: &mut Incoming,
    answer: &Answer,
    progress: Progress<'_>,
) -> Result<u64, AppError> {
    if answer.pieces == Some(true) {
        let open = Lane::default();
        return match pieces::receive(wire, incoming, &mut Alive::new(&open, false), progress)
            .await?
        {
            Arrived::Whole(len) => Ok(len),
            Arrived::GivenUp(error) | Arrived::Refused(error) => Err(error),
        };
    }
    let len = needed("filesize", answer.filesize)?;
    receive_body(wire, incoming, len, progress).await?;
    Ok(len)
}

async fn receive_body(
    wire: &mut Wire,
    incoming: &mut Incoming,
    len: u64,
    progress: Progress<'_>,
) -> Result<(), AppError> {
    let mut body = wire.body(len)?;
    progress(0, Some(len));
    while let Some(bytes) = within_stall(body.chunk()).await.map_err(broken_off)? {
        incoming.write(bytes).await?;
        progress(len - body.left(), Some(len));
    }
    Ok(())
}

fn same_name(asked: &str, answered: Option<&str>) -> Result<(), AppError> {
    match answered {
        Some(other) if other != asked && other != name::parent(asked).1 => {
            Err(AppError::failed(format_args!(
                "asked for {}, and the server answered with {:.300}",
                Shown(asked),
                Shown(other).to_string()
            )))
        }
        _ => Ok(()),
    }
}

/// How long to wait for the last answer. The server may have to read the file again before it. If
/// the user trusts the server without one, the wait is short.
fn patience(allowed: Allowed) -> Duration {
    if allowed.unconfirmed {
        LAST_WORD
    } else {
        STALL
    }
}

fn unconfirmed() -> AppError {
    AppError::failed(
        "all bytes came, and the server did not confirm them, so nothing is kept; \
         if it is a script that never does, use --unconfirmed",
    )
}
