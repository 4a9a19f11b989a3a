//! A request with its settings, and the future of its answer.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::timeout;

use super::driver::{Last, Shared, Waiter};
use super::error::{CallError, Lost};
use super::{Client, bound};

/// A request, and how it may be called. Bytes and texts become one:
/// `client.call("a request")`.
#[derive(Clone, Debug)]
pub struct Call {
    pub(super) frame: Bytes,
    pub(super) idempotent: bool,
    pub(super) within: Option<Option<Duration>>,
}

impl Call {
    /// A request that is sent at most once.
    pub fn new(frame: impl Into<Bytes>) -> Self {
        Call {
            frame: frame.into(),
            idempotent: false,
            within: None,
        }
    }

    /// To do it twice does no harm. So when its connection is lost it is sent again over the next
    /// one, as often as needed, until its time is over.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// How long it may take, in place of [`ClientLimits::request`](crate::ClientLimits::request).
    /// `None` is without bound.
    #[must_use]
    pub fn within(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.within = Some(time.into());
        self
    }

    /// The frame.
    pub fn frame(&self) -> &Bytes {
        &self.frame
    }
}

macro_rules! from {
    ($($kind:ty),*) => {
        $(impl From<$kind> for Call {
            fn from(frame: $kind) -> Self {
                Call::new(frame)
            }
        })*
    };
}

from!(
    Bytes,
    BytesMut,
    Vec<u8>,
    String,
    &'static [u8],
    &'static str
);

/// A call that waits. Dropping it tells the driver that nobody does any more.
struct Pending {
    client: Client,
    seq: u64,
    within: Option<Duration>,
    done: bool,
}

impl Pending {
    fn begin(
        client: Client,
        place: Option<OwnedSemaphorePermit>,
        call: Call,
        waiter: Waiter,
    ) -> Result<Self, CallError> {
        let shared = client.shared();
        let within = bound(call.within.unwrap_or(shared.limits.request));
        let place = place.map_or_else(|| shared.place(), Ok)?;
        let seq = shared.push(place, call.frame, call.idempotent, waiter)?;
        Ok(Pending {
            client,
            seq,
            within,
            done: false,
        })
    }

    fn shared(&self) -> &Arc<Shared> {
        self.client.shared()
    }

    /// `answer`, in time.
    async fn wait<T>(&mut self, answer: impl Future<Output = T>) -> Result<T, CallError> {
        let Some(after) = self.within else {
            return Ok(answer.await);
        };
        match timeout(after, answer).await {
            Ok(answer) => Ok(answer),
            Err(_) => {
                self.done = true;
                let sent = !self.shared().cancel(self.seq);
                Err(CallError::TimedOut { after, sent })
            }
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.done {
            self.shared().cancel(self.seq);
        }
    }
}

/// The driver was dropped with its runtime.
const CUT_OFF: CallError = CallError::MaybeDone(Lost::Closed);

/// See [`Client::call`]. The `place` among those that wait may be kept already.
pub(super) async fn call(
    client: Client,
    place: Option<OwnedSemaphorePermit>,
    call: Call,
) -> Result<Bytes, CallError> {
    let (waiter, answer) = oneshot::channel();
    let mut pending = Pending::begin(client, place, call, Waiter::One(waiter))?;
    let answered = pending.wait(answer).await?;
    pending.done = true;
    answered.unwrap_or(Err(CUT_OFF))
}

/// How a stream of answers has ended, noted before its channel is closed.
pub(super) type Outcome = OnceLock<Result<(), CallError>>;

/// The answers to one request, made by [`Client::stream`](crate::Client::stream).
///
/// Dropping it early is harmless: the answers that come late are dropped.
pub struct Answers {
    frames: mpsc::Receiver<Bytes>,
    outcome: Arc<Outcome>,
    pending: Pending,
}

impl Answers {
    pub(super) fn begin(client: Client, call: Call, last: Last) -> Result<Self, CallError> {
        let most = client.shared().limits.answers.clamp(1, 1 << 20);
        let (waiter, frames) = mpsc::channel(most);
        let outcome = Arc::new(Outcome::new());
        let waiter = Waiter::many(waiter, Arc::clone(&outcome), last);
        Ok(Answers {
            frames,
            outcome,
            pending: Pending::begin(client, None, call, waiter)?,
        })
    }

    /// The next answer. `None` after the last one. Cancel-safe.
    ///
    /// # Errors
    /// As [`Client::call`](crate::Client::call), and then `None`. Each answer may take as long as
    /// the call may.
    pub async fn next(&mut self) -> Option<Result<Bytes, CallError>> {
        if self.pending.done {
            return None;
        }
        match self.pending.wait(self.frames.recv()).await {
            Ok(Some(frame)) => Some(Ok(frame)),
            Ok(None) => {
                self.pending.done = true;
                match self.outcome.get() {
                    Some(Ok(())) => None,
                    Some(Err(error)) => Some(Err(error.clone())),
                    None => Some(Err(CUT_OFF)),
                }
            }
            Err(late) => Some(Err(late)),
        }
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}
