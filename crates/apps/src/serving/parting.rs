//! The end of a conversation.

use std::time::Duration;

use socketry_transport::{Received, RecvExt, RecvHalf};
use tokio::time::timeout;

/// How many bytes a peer may still send after the server's last answer: 1 MiB.
pub(crate) const PARTING_BYTES: usize = 1 << 20;

/// How long a peer may take to close after the server's last answer.
pub(crate) const PARTING: Duration = Duration::from_secs(2);

/// Waits for the peer to close, after the server has written everything and half-closed. It waits
/// at most for [`PARTING`], and while the peer sends no more than [`PARTING_BYTES`].
///
/// Closing with unread bytes would reset the connection and destroy what the peer has not read yet.
/// A peer that exceeds these bounds is reset. Over datagrams there is nothing to wait for.
pub(crate) async fn part(mut socket: impl RecvHalf) {
    if socket.shape().is_reliable() {
        let _ = timeout(PARTING, drain(&mut socket)).await;
    }
}

async fn drain(socket: &mut impl RecvHalf) {
    let mut scratch = [0; 4096];
    let mut left = PARTING_BYTES;
    while left > 0 {
        match socket.recv(&mut scratch).await {
            Ok((len, Received::Data | Received::Cut(_))) => left = left.saturating_sub(len),
            Ok((_, Received::End)) | Err(_) => return,
        }
    }
}
