//! The end of a stream whose halves are gone.

use std::sync::Arc;
use std::time::Duration;

use quinn::{SendStream, StoppedError};
use tokio::time::{Instant, timeout, timeout_at};

use super::{Sending, State};
use crate::config::varint;
use crate::connection::Inner;

/// The code of a stream that was dropped in the middle of a send.
const CUT: u64 = 0;
/// How long a reset may be on its way to the peer.
const RESET_TIME: Duration = Duration::from_secs(1);

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// The peer has everything.
    Done,
    /// With the end, which the peer has to get.
    Finish,
    /// It was reset, and the peer has to learn that.
    Reset,
    /// It is to be reset now.
    Cut,
}

impl How {
    pub(super) fn of(sending: &Sending) -> Self {
        match sending.state {
            State::Finished => How::Done,
            State::Aborted { seen: true } => How::Reset,
            State::Open if sending.cut || sending.abort_on_drop => How::Cut,
            State::Open | State::Ending | State::Aborted { seen: false } => How::Finish,
        }
    }
}

/// Ends `stream`. What has to wait for the peer waits in a task, which holds the connection.
pub(super) fn end(inner: &Arc<Inner>, mut stream: SendStream, how: How) {
    if how == How::Done || inner.quinn.close_reason().is_some() {
        return;
    }
    // These fail where the same was said before.
    let _ = match how {
        How::Finish => stream.finish(),
        How::Cut => stream.reset(varint(CUT)),
        How::Done | How::Reset => Ok(()),
    };
    let held = Arc::clone(inner);
    // Should its runtime be gone, then so is the connection.
    inner.runtime.spawn(async move {
        match how {
            How::Finish => finished(&held, &mut stream).await,
            _ => reset_is_there(&held, &stream).await,
        }
        drop(held);
    });
}

/// Waits until the peer has everything. If that takes too long, the stream is reset: it must not
/// look whole.
async fn finished(inner: &Inner, stream: &mut SendStream) {
    let waiting = stream.stopped();
    if timeout(inner.limits.finish, waiting).await.is_err() {
        tracing::debug!(peer = %inner.info.peer().redacted(), "a peer did not get the last bytes");
        let _ = stream.reset(varint(CUT));
        reset_is_there(inner, stream).await;
    }
}

/// Waits until the peer has acknowledged a reset, which a close at once would overtake. Nothing
/// tells of that, so it asks.
async fn reset_is_there(inner: &Inner, stream: &SendStream) {
    let until = Instant::now() + RESET_TIME;
    let mut pause = inner.quinn.rtt().max(Duration::from_millis(1));
    loop {
        let asked = timeout(pause, stream.stopped());
        match timeout_at(until, asked).await {
            // The library below has forgotten the stream, or the connection is gone.
            Ok(Ok(Ok(None) | Err(StoppedError::ConnectionLost(_)))) | Err(_) => return,
            // The peer does not want it, and the reset is still on its way.
            Ok(Ok(_)) => tokio::time::sleep(pause).await,
            Ok(Err(_)) => {}
        }
        if Instant::now() >= until {
            return;
        }
        pause *= 2;
    }
}
