//! Sends the entries of a tree, one behind the other, and waits for no answer.

use socketry_codec::Framed;
use socketry_transport::SendHalf;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::item::Item;
use super::layout::Parts;
use super::load::{Batch, Loader};
use crate::AppError;
use crate::file::digest::Digests;
use crate::file::limits::Lane;
use crate::file::pieces::{ALIVE, Piece};
use crate::file::wire::{say, send_paced, within_stall};

/// What the sender of a tree does about entries that cannot be sent, and hears of its progress.
pub(super) trait Watcher: Send {
    /// An entry cannot be sent. Whether the other side is told.
    fn failed(&mut self, item: &Item) -> bool;

    /// So many more bytes of an entry were sent.
    fn sent(&mut self, item: &Item, bytes: u64);

    /// Whether the other side has refused this large file already.
    fn is_refused(&self, item: &Item) -> bool;
}

/// Sends all that `loader` gives. A thread reads the next entries meanwhile.
pub(super) async fn send<S: SendHalf>(
    wire: &mut Framed<S>,
    mut loader: Loader,
    lane: &Lane,
    watcher: &mut impl Watcher,
) -> Result<(), AppError> {
    let mut job = spawn_blocking(move || {
        let batch = loader.next();
        (loader, batch)
    });
    loop {
        let loaded = loop {
            match timeout(ALIVE, &mut job).await {
                Ok(loaded) => break loaded,
                Err(_) => say(wire, &Item::default()).await?,
            }
        };
        let (mut next, batch) = loaded.map_err(AppError::failed)?;
        if batch.is_empty() {
            return Ok(within_stall(wire.flush()).await?);
        }
        job = spawn_blocking(move || {
            let batch = next.next();
            (next, batch)
        });
        send_batch(wire, batch, lane, watcher).await?;
    }
}

async fn send_batch<S: SendHalf>(
    wire: &mut Framed<S>,
    batch: Batch,
    lane: &Lane,
    watcher: &mut impl Watcher,
) -> Result<(), AppError> {
    for (item, at) in &batch.items {
        if item.error.is_some() && !watcher.failed(item) {
            continue;
        }
        let bytes = batch.bytes.get(at.clone()).unwrap_or_default();
        within_stall(wire.feed_json(item)).await?;
        let mut body = wire.body_writer(bytes.len() as u64)?;
        match lane.is_open() {
            true => within_stall(body.feed(bytes)).await?,
            false => send_paced(wire, bytes, lane).await?,
        }
        watcher.sent(item, bytes.len() as u64);
    }
    if let Some((item, file, before)) = batch.large {
        send_parts(wire, item, Parts::new(file, before), lane, watcher).await?;
    }
    // The other side may store these while the next are read.
    Ok(within_stall(wire.flush()).await?)
}

/// Sends a file in pieces, and gives up if it cannot be read to its end or has changed.
async fn send_parts<S: SendHalf>(
    wire: &mut Framed<S>,
    item: Item,
    mut parts: Parts,
    lane: &Lane,
    watcher: &mut impl Watcher,
) -> Result<(), AppError> {
    let item = Item {
        pieces: Some(true),
        ..item
    };
    within_stall(wire.feed_json(&item)).await?;
    watcher.sent(&item, 0);
    let mut next = 0;
    loop {
        if watcher.is_refused(&item) {
            return give_up(wire, "it was refused").await;
        }
        let read = loop {
            match timeout(ALIVE, parts.next()).await {
                Ok(read) => break read,
                Err(_) => say(wire, &Piece::default()).await?,
            }
        };
        match read {
            Ok((_, [])) => break,
            Ok((at, bytes)) => {
                let piece = Piece {
                    at: (at != next).then_some(at),
                    ..Piece::of(bytes.len())
                };
                within_stall(wire.feed_json(&piece)).await?;
                wire.body_writer(bytes.len() as u64)?;
                send_paced(wire, bytes, lane).await?;
                next = at + bytes.len() as u64;
                watcher.sent(&item, bytes.len() as u64);
            }
            Err(error) => return failed(wire, item, error, watcher).await,
        }
    }
    let finish = parts.finish();
    tokio::pin!(finish);
    let finished = loop {
        match timeout(ALIVE, &mut finish).await {
            Ok(finished) => break finished,
            Err(_) => say(wire, &Piece::default()).await?,
        }
    };
    match finished {
        Ok(blake3) => {
            let last = Piece {
                digest: Some(Digests::blake3(blake3.to_hex().as_str())),
                ..Piece::of(0)
            };
            Ok(within_stall(wire.feed_json(&last)).await?)
        }
        Err(error) => failed(wire, item, error, watcher).await,
    }
}

/// Tells both sides why a file that has begun is not sent.
async fn failed<S: SendHalf>(
    wire: &mut Framed<S>,
    item: Item,
    error: std::io::Error,
    watcher: &mut impl Watcher,
) -> Result<(), AppError> {
    give_up(wire, &error.to_string()).await?;
    watcher.failed(&Item::refused(item.name(), &error));
    Ok(())
}

async fn give_up<S: SendHalf>(wire: &mut Framed<S>, why: &str) -> Result<(), AppError> {
    let piece = Piece {
        error: Some(why.to_owned()),
        ..Piece::default()
    };
    Ok(within_stall(wire.feed_json(&piece)).await?)
}
