//! A pool as a service of tower.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::{AcquireError, OwnedSemaphorePermit};
use tower_service::Service;

use super::{Call, CallError, Lost, Pool};

/// A [`Pool`] as a `tower::Service`, made by [`Pool::service`]. It is ready when a connection is
/// free for one more user, and keeps that place until it is called. Clones keep places of their
/// own.
pub struct PoolService {
    pool: Pool,
    place: Place,
}

/// A place among the users.
enum Place {
    None,
    Asked(Acquiring),
    Kept(OwnedSemaphorePermit),
}

type Acquiring =
    Pin<Box<dyn Future<Output = Result<OwnedSemaphorePermit, AcquireError>> + Send + Sync>>;

impl Pool {
    /// This pool as a `tower::Service`.
    pub fn service(&self) -> PoolService {
        PoolService {
            pool: self.clone(),
            place: Place::None,
        }
    }
}

impl Service<Call> for PoolService {
    type Response = Bytes;
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<Bytes, CallError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        loop {
            match &mut self.place {
                Place::Kept(_) => return Poll::Ready(Ok(())),
                Place::Asked(acquiring) => match ready!(acquiring.as_mut().poll(cx)) {
                    Ok(permit) => self.place = Place::Kept(permit),
                    Err(_) => {
                        self.place = Place::None;
                        return Poll::Ready(Err(CallError::Closed(Lost::Closed)));
                    }
                },
                Place::None => {
                    let places = Arc::clone(&self.pool.shared.places);
                    self.place = Place::Asked(Box::pin(places.acquire_owned()));
                }
            }
        }
    }

    /// Calls. If it was not ready, it waits for a connection as [`Pool::call`] does.
    fn call(&mut self, request: Call) -> Self::Future {
        let pool = self.pool.clone();
        match std::mem::replace(&mut self.place, Place::None) {
            Place::Kept(place) => Box::pin(async move { pool.lend(place)?.call(request).await }),
            _ => Box::pin(async move { pool.call(request).await }),
        }
    }
}

impl Clone for PoolService {
    fn clone(&self) -> Self {
        self.pool.service()
    }
}

impl fmt::Debug for PoolService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PoolService").field(&self.pool).finish()
    }
}
