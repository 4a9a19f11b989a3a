//! A pool as a service of tower.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tower_service::Service;

use super::{Call, CallError, Lost, Pool};
use crate::client::place::Place;

/// A [`Pool`] as a `tower::Service`, made by [`Pool::service`]. It is ready when a connection is
/// free for one more user, and keeps that place until it is called. Clones keep places of their
/// own.
pub struct PoolService {
    pool: Pool,
    /// A place among the users.
    place: Place,
}

impl Pool {
    /// This pool as a `tower::Service`.
    pub fn service(&self) -> PoolService {
        PoolService {
            pool: self.clone(),
            place: Place::default(),
        }
    }
}

impl Service<Call> for PoolService {
    type Response = Bytes;
    type Error = CallError;
    type Future = Pin<Box<dyn Future<Output = Result<Bytes, CallError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        let kept = self.place.poll(&self.pool.shared.places, cx);
        kept.map_err(|_| CallError::Closed(Lost::Closed))
    }

    /// Calls. If it was not ready, it waits for a connection as [`Pool::call`] does.
    fn call(&mut self, request: Call) -> Self::Future {
        let pool = self.pool.clone();
        match self.place.take() {
            Some(place) => Box::pin(async move { pool.lend(place)?.call(request).await }),
            None => Box::pin(async move { pool.call(request).await }),
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
