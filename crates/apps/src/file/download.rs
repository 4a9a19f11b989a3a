//! Downloads, listings and stats, as the server answers them.

use std::fs::File;

use super::attributes::RIGHTS;
use super::digest::{Digests, Hasher};
use super::flow::{Flow, refuse};
use super::header::{Answer, Follows};
use super::listing::{self, Stat};
use super::name;
use super::pump::Source;
use super::root::Root;
use super::wire::{Wire, in_time, say, send_body};
use crate::AppError;

/// Sends a file: its header, its bytes, and a trailer with their digest.
///
/// As many bytes are sent as it had when it was opened. If it becomes shorter the connection is dropped, since the client
/// could tell nothing else from the file.
pub(super) async fn send(wire: &mut Wire, root: &Root, name: String) -> Result<Flow, AppError> {
    let wanted = name.clone();
    let (file, stat) = match root.run(move |root| root.open_file(&wanted)).await {
        Ok(opened) => opened,
        Err(error) => return refuse(wire, &error, Follows::NEXT_REQUEST).await,
    };
    let header = Answer {
        filename: Some(name::parent(&name).1.to_owned()),
        filesize: Some(stat.size),
        mtime: Some(stat.mtime),
        mode: Some(stat.mode & RIGHTS),
        ..Answer::default()
    };
    in_time(wire.feed_json(&header)).await?;
    let sent = send_file(wire, file, stat.size).await?;
    let digest = Digests::blake3(sent.blake3().to_hex().as_str());
    say(wire, &Answer::done(stat.size, digest)).await?;
    Ok(Flow::Next)
}

/// Sends the first `len` bytes of `file` as a body, behind what waits to be sent.
pub(super) async fn send_file(wire: &mut Wire, file: File, len: u64) -> Result<Hasher, AppError> {
    wire.body_writer(len)?;
    let mut source = Source::new(file, Hasher::for_claim(&Digests::default()), len);
    loop {
        let bytes = source.next().await?;
        if bytes.is_empty() {
            return Ok(source.finish().await?);
        }
        send_body(wire, bytes).await?;
    }
}

pub(super) async fn list(wire: &mut Wire, root: &Root, path: String) -> Result<Flow, AppError> {
    // Held until all is sent, for it has its place.
    let listed = match root.list(path, listing::to_lines).await {
        Ok(listed) => listed,
        Err(error) => return refuse(wire, &error, Follows::NEXT_REQUEST).await,
    };
    let lines = &listed.what;
    let header = Answer {
        // In JSON a line ending in a name is escaped.
        entries: Some(lines.iter().filter(|byte| **byte == b'\n').count()),
        size: Some(lines.len() as u64),
        ..Answer::default()
    };
    in_time(wire.feed_json(&header)).await?;
    wire.body_writer(lines.len() as u64)?;
    send_body(wire, lines).await?;
    in_time(wire.flush()).await?;
    Ok(Flow::Next)
}

pub(super) async fn stat(wire: &mut Wire, root: &Root, name: String) -> Result<Flow, AppError> {
    let found = root.run(move |root| root.stat(&name)).await;
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
    say(wire, &answer).await?;
    Ok(Flow::Next)
}
