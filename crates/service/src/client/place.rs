//! A place of a semaphore, kept between `poll_ready` and `call` of a service of tower.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

type Acquiring =
    Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send + Sync>>;

#[derive(Default)]
pub(super) enum Place {
    #[default]
    None,
    Asked(Acquiring),
    Kept(OwnedSemaphorePermit),
}

impl Place {
    /// Ready once it is kept. Fails when the semaphore is closed.
    pub(super) fn poll(
        &mut self,
        places: &Arc<Semaphore>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), AcquireError>> {
        loop {
            match self {
                Place::Kept(_) => return Poll::Ready(Ok(())),
                Place::Asked(acquiring) => match ready!(acquiring.as_mut().poll(cx)) {
                    Ok(permit) => *self = Place::Kept(permit),
                    Err(closed) => {
                        *self = Place::None;
                        return Poll::Ready(Err(closed));
                    }
                },
                Place::None => {
                    *self = Place::Asked(Box::pin(Arc::clone(places).acquire_owned()));
                }
            }
        }
    }

    /// The place, if it is kept. A place that was only asked for is given up.
    pub(super) fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        match std::mem::take(self) {
            Place::Kept(permit) => Some(permit),
            Place::Asked(_) | Place::None => None,
        }
    }
}
