//! Downloads, listings and stats at the server.

use std::io;

use super::attributes::RIGHTS;
use super::digest::Digests;
use super::flow::{Flow, heard, refuse, tell};
use super::grant::Grant;
use super::header::{Answer, Follows};
use super::limits::Lane;
use super::listing::{self, Stat};
use super::rules::Right;
use super::source::Source;
use super::wire::{Trouble, Wire, send_body, send_paced, within_stall};
use super::{name, pieces, place};
use crate::AppError;

/// A listing up to this many bytes does not wait for a rate: 64 KiB.
const SMALL_ANSWER: usize = 64 << 10;

const UNKNOWN: &str = "its length is not known before it is read, so a client can have it only \
                       in pieces (pieces: true in the header), or over raw";

/// Sends a file: its header, its bytes, and a trailer with their digest.
///
/// Sends as many bytes as the file had when it was opened. If it becomes shorter, the connection is
/// dropped, since the client would take any other bytes for the file. If it changes otherwise, the
/// last answer is an error.
pub(super) async fn send(
    wire: &mut Wire,
    grant: &Grant,
    name: String,
    pieces: bool,
) -> Result<Flow, AppError> {
    let wanted = name.clone();
    let opened = match grant.root_for(&[Right::Read]) {
        Ok(root) => root.run(move |root| root.open_file(&wanted)).await,
        Err(error) => Err(error),
    };
    let (file, stat) = match opened {
        Ok(opened) => opened,
        Err(error) => return refuse(wire, &error, Follows::NEXT_REQUEST).await,
    };
    let source = match Source::open(file).await {
        Ok(source) if source.len().is_none() && !pieces => {
            let error = place::problem(&name, UNKNOWN);
            return refuse(wire, &error, Follows::NEXT_REQUEST).await;
        }
        Ok(source) => source,
        Err(error) => {
            let error = place::problem(&name, error);
            return refuse(wire, &error, Follows::NEXT_REQUEST).await;
        }
    };
    let header = Answer {
        filename: Some(name::parent(&name).1.to_owned()),
        filesize: source.len(),
        pieces: source.len().is_none().then_some(true),
        mtime: Some(stat.mtime),
        mode: Some(stat.mode & RIGHTS),
        ..Answer::default()
    };
    let sent = match within_stall(wire.feed_json(&header)).await {
        Ok(()) => send_all(wire, source, &grant.pace().leaving).await,
        Err(trouble) => Err(trouble),
    };
    match sent {
        Ok(Ok((len, blake3))) => {
            tracing::info!(bytes = len, "sent");
            let digest = Digests::blake3(blake3.to_hex().as_str());
            tell(wire, &Answer::done(len, digest)).await?;
            Ok(Flow::Next)
        }
        Ok(Err(error)) if wire.body_owed() > 0 => Err(place::problem(&name, error)),
        Ok(Err(error)) => {
            let error = place::problem(&name, error);
            refuse(wire, &error, Follows::NEXT_REQUEST).await
        }
        Err(trouble) => heard(Err(trouble)).map(|()| Flow::Next),
    }
}

/// How many bytes were sent, and their digest. The error says why the file could not be read, or
/// how it changed meanwhile.
type Sent = io::Result<(u64, blake3::Hash)>;

async fn send_all(wire: &mut Wire, source: Source, lane: &Lane) -> Result<Sent, Trouble> {
    match source.len() {
        Some(len) => send_whole(wire, source, len, lane).await,
        None => send_pieces(wire, source, lane).await,
    }
}

/// Sends a file as one body of `len` bytes.
async fn send_whole(
    wire: &mut Wire,
    mut source: Source,
    len: u64,
    lane: &Lane,
) -> Result<Sent, Trouble> {
    wire.body_writer(len)?;
    loop {
        match source.next().await {
            Ok([]) => break,
            Ok(bytes) => send_paced(wire, bytes, lane).await?,
            Err(error) => return Ok(Err(error)),
        }
    }
    within_stall(wire.flush()).await?;
    Ok(source.finish().await.map(|blake3| (len, blake3)))
}

async fn send_pieces(wire: &mut Wire, mut source: Source, lane: &Lane) -> Result<Sent, Trouble> {
    let mut len = 0;
    loop {
        match pieces::send_one(wire, &mut source, lane).await? {
            Ok(0) => return Ok(source.finish().await.map(|blake3| (len, blake3))),
            Ok(bytes) => len += bytes,
            Err(error) => return Ok(Err(error)),
        }
    }
}

pub(super) async fn list(wire: &mut Wire, grant: &Grant, path: String) -> Result<Flow, AppError> {
    let listed = match grant.root_for(&[Right::List]) {
        Ok(root) => root.list(path, listing::to_lines).await,
        Err(error) => Err(error),
    };
    // Kept until everything is sent, since it holds its place among the listings.
    let listed = match listed {
        Ok(listed) => listed,
        Err(error) => return refuse(wire, &error, Follows::NEXT_REQUEST).await,
    };
    send_lines(wire, grant, &listed.what).await
}

/// Sends a list: its header, and its lines.
pub(super) async fn send_lines(
    wire: &mut Wire,
    grant: &Grant,
    lines: &[u8],
) -> Result<Flow, AppError> {
    let header = Answer {
        // In JSON a newline in a name is escaped, so each newline ends an entry.
        entries: Some(lines.iter().filter(|byte| **byte == b'\n').count()),
        size: Some(lines.len() as u64),
        ..Answer::default()
    };
    tracing::info!(bytes = lines.len(), "listed");
    let sending = async {
        within_stall(wire.feed_json(&header)).await?;
        wire.body_writer(lines.len() as u64)?;
        match lines.len() > SMALL_ANSWER {
            true => send_paced(wire, lines, &grant.pace().leaving).await?,
            false => send_body(wire, lines).await?,
        }
        within_stall(wire.flush()).await
    };
    heard(sending.await)?;
    Ok(Flow::Next)
}

pub(super) async fn stat(wire: &mut Wire, grant: &Grant, name: String) -> Result<Flow, AppError> {
    let found = match grant.root_for(&[Right::List, Right::Read]) {
        Ok(root) => root.run(move |root| root.stat(&name)).await,
        Err(error) => Err(error),
    };
    let Stat {
        kind,
        size,
        mtime,
        mode,
    } = match found {
        Ok(found) => found,
        Err(error) => return refuse(wire, &error, Follows::NEXT_REQUEST).await,
    };
    let answer = Answer {
        kind: Some(kind),
        filesize: Some(size),
        mtime: Some(mtime),
        mode: Some(mode),
        ..Answer::default()
    };
    tracing::info!("told");
    tell(wire, &answer).await?;
    Ok(Flow::Next)
}
