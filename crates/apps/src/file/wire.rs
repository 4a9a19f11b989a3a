//! The common part of server and client on a connection. All waits are limited by [`STALL`].

use std::future::Future;

use serde::Serialize;
use serde::de::DeserializeOwned;
use socketry_codec::{FrameError, Framed};
use socketry_transport::{BoxSocket, SendHalf};

use super::STALL;
use super::limits::Lane;
use crate::AppError;
use crate::serving::{Place, part};

pub(super) type Wire = Framed<BoxSocket>;

/// The key of each JSON request.
pub(super) const KEYS: &[&str] = &["opt"];

/// Waits for a peer, at most for [`STALL`].
pub(super) async fn within_stall<T>(
    doing: impl Future<Output = Result<T, FrameError>>,
) -> Result<T, Trouble> {
    match tokio::time::timeout(STALL, doing).await {
        Ok(done) => done.map_err(Trouble::Failed),
        Err(_) => Err(Trouble::Stalled),
    }
}

/// Why sending to a peer or receiving from it failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Failed(FrameError),
    #[error("the peer stalled for {} seconds", STALL.as_secs())]
    Stalled,
}

impl From<Trouble> for AppError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(error) => error.into(),
            Trouble::Stalled => AppError::failed(trouble),
        }
    }
}

impl From<FrameError> for Trouble {
    fn from(error: FrameError) -> Self {
        Trouble::Failed(error)
    }
}

/// Ends a conversation so that the client can read everything that was sent to it.
pub(super) async fn leave(mut wire: Wire, place: &Place) -> Result<(), AppError> {
    // Queued answers are written before a newcomer may take the place.
    within_stall(wire.finish()).await?;
    place.leave();
    part(wire.into_socket()).await;
    Ok(())
}

/// Sends one header.
pub(super) async fn say<S: SendHalf, T: Serialize + Sync>(
    wire: &mut Framed<S>,
    header: &T,
) -> Result<(), Trouble> {
    within_stall(wire.send_json(header)).await
}

/// Receives one header. The end of the connection is an error.
pub(super) async fn hear<T: DeserializeOwned>(wire: &mut Wire) -> Result<T, AppError> {
    within_stall(wire.recv_json()).await?.ok_or_else(|| {
        AppError::failed(format_args!(
            "{} closed the connection instead of answering",
            wire.peer()
        ))
    })
}

/// Whether nothing has arrived on a connection that is kept for the next request. If it has ended,
/// or has bytes that answer no request, it must not be used.
pub(super) async fn is_quiet(wire: &mut Wire) -> bool {
    // The runtime may not have polled the socket since the last request.
    tokio::task::yield_now().await;
    tokio::select! {
        biased;
        _ = wire.recv() => false,
        () = std::future::ready(()) => true,
    }
}

/// As [`send_body`], no faster than the lane.
pub(super) async fn send_paced<S: SendHalf>(
    wire: &mut Framed<S>,
    bytes: &[u8],
    lane: &Lane,
) -> Result<(), Trouble> {
    if lane.is_open() {
        return send_body(wire, bytes).await;
    }
    for grain in bytes.chunks(lane.grain()) {
        lane.pass(grain.len()).await;
        send_body(wire, grain).await?;
        // The next grain may have to wait for long.
        within_stall(wire.flush()).await?;
    }
    Ok(())
}

/// Sends all of `bytes`, as a part of the body that was begun.
pub(super) async fn send_body<S: SendHalf>(
    wire: &mut Framed<S>,
    mut bytes: &[u8],
) -> Result<(), Trouble> {
    while !bytes.is_empty() {
        let owed = wire.body_owed();
        let mut body = wire.body_writer(owed)?;
        let written = within_stall(body.write(bytes)).await?;
        bytes = &bytes[written..];
    }
    Ok(())
}
