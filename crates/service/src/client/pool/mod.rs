//! Several connections to one server, within limits.

mod limits;
mod members;
#[cfg(feature = "tower")]
mod tower;

use std::fmt;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use socketry_codec::Codec;
use socketry_transport::Result as Made;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep_until, timeout};

use super::{Call, CallError, Client, ClientBuilder, Lost, bound};
pub use limits::PoolLimits;
use members::Members;
#[cfg(feature = "tower")]
pub use tower::PoolService;

/// Several connections to one server: as many as are in use, at most as many as
/// [`PoolLimits`] says. Made by [`ClientBuilder::pool`].
///
/// One [`Client`] carries the requests of many callers, and is enough for most programs. A pool is
/// for servers that answer one request after the other, and for requests that belong together on
/// one connection: a transaction, say, whose connection [`client`](Pool::client) lends.
///
/// ```
/// use socketry_codec::FrameError;
/// use socketry_service::{Client, PoolLimits, Server};
/// use socketry_transport::{Listener, listen};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = listen("tcp://127.0.0.1:0").await?;
/// let pool = Client::builder(listener.local())?.pool(PoolLimits::default())?;
/// tokio::spawn(Server::new(listener).answer(async |request| Ok::<_, FrameError>(request.frame)));
///
/// let (one, two) = tokio::join!(pool.call("one"), pool.call("two")); // over two connections
/// assert_eq!((&one?[..], &two?[..]), (&b"one"[..], &b"two"[..]));
///
/// let client = pool.client().await?; // for this task alone, until it is dropped
/// client.call("begin").await?;
/// client.call("commit").await?;
/// # drop(client);
/// assert_eq!(pool.connections(), 2);
/// # Ok(()) }
/// ```
///
/// * A user gets a connection that is good, before another one is made, before one that was lost
///   and dials again. The state of its client tells, and a [probe](ClientBuilder::probe) keeps that
///   true.
/// * Users wait in the order in which they came, at most [`waiting`](PoolLimits::waiting) of them,
///   for at most [`wait`](PoolLimits::wait).
/// * A connection without a user is closed after [`idle`](PoolLimits::idle).
///
/// Clones share the connections. When the last one is dropped, and all that it lent, they are
/// closed in order.
#[derive(Clone)]
pub struct Pool {
    shared: Arc<Shared>,
}

/// A connection of a [`Pool`], for its user until it is dropped.
pub struct Pooled {
    client: Client,
    id: u64,
    shared: Arc<Shared>,
    // Dropped after `leave`: the next user finds a free connection.
    _place: OwnedSemaphorePermit,
}

struct Shared {
    start: Box<dyn Fn() -> Made<Client> + Send + Sync>,
    limits: PoolLimits,
    members: Mutex<Members>,
    /// As many as there may be users.
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// A connection is idle now, or the pool is gone.
    idle: Arc<Notify>,
}

impl<C: Codec + Clone + Sync> ClientBuilder<C> {
    /// A pool of clients with these settings. No connection is made before the first is needed.
    ///
    /// # Errors
    /// As [`start`](ClientBuilder::start).
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn pool(self, limits: PoolLimits) -> Made<Pool> {
        self.check()?;
        let users = limits.connections.max(1);
        let users = users.saturating_mul(limits.per_connection.max(1));
        let shared = Arc::new(Shared {
            start: Box::new(move || self.clone().start()),
            members: Mutex::new(Members::new(&limits)),
            places: Arc::new(Semaphore::new(users.min(Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            idle: Arc::default(),
            limits,
        });
        if let Some(idle) = bound(shared.limits.idle) {
            tokio::spawn(reap(
                Arc::downgrade(&shared),
                Arc::clone(&shared.idle),
                idle,
            ));
        }
        Ok(Pool { shared })
    }
}

impl Pool {
    /// Lends a connection, once one is free. Cancel-safe: the place of a caller that gives up is
    /// free at once.
    ///
    /// # Errors
    /// [`CallError::Full`] if as many callers wait as may, [`CallError::TimedOut`] if none is free
    /// in time, and [`CallError::Closed`].
    pub async fn client(&self) -> Result<Pooled, CallError> {
        let place = self.place().await?;
        self.lend(place)
    }

    /// Sends a request over the best connection, and gives its answer, as [`Client::call`] does.
    ///
    /// # Errors
    /// As [`client`](Pool::client) and [`Client::call`].
    pub async fn call(&self, request: impl Into<Call>) -> Result<Bytes, CallError> {
        let client = self.client().await?;
        client.call(request).await
    }

    /// How many connections there are, those that are being made or were lost included.
    pub fn connections(&self) -> usize {
        self.shared.members().len()
    }

    /// Lends no more, and closes all connections once their calls are done.
    pub async fn close(&self) {
        self.shared.places.close();
        let clients = self.shared.members().take_all();
        for client in clients {
            client.close().await;
        }
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let shared = &self.shared;
        let places = Arc::clone(&shared.places);
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::begin(shared)?;
        in_time(bound(shared.limits.wait), places.acquire_owned())
            .await?
            .map_err(|_| CallError::Closed(Lost::Closed))
    }

    fn lend(&self, place: OwnedSemaphorePermit) -> Result<Pooled, CallError> {
        let picked = self.shared.members().pick(&self.shared.start);
        let refused = |error| CallError::Closed(Lost::NotConnected(Arc::new(error)));
        let (id, client) = picked.map_err(refused)?;
        Ok(Pooled {
            client,
            id,
            shared: Arc::clone(&self.shared),
            _place: place,
        })
    }
}

/// A caller that waits.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn begin(shared: &'a Shared) -> Result<Self, CallError> {
        let most = shared.limits.waiting;
        let waiting = Waiting(shared);
        match shared.waiting.fetch_add(1, Ordering::Relaxed) >= most {
            true => Err(CallError::Full(most)),
            false => Ok(waiting),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn in_time<T>(time: Option<Duration>, wait: impl Future<Output = T>) -> Result<T, CallError> {
    let Some(after) = time else {
        return Ok(wait.await);
    };
    let sent = false;
    let waited = timeout(after, wait).await;
    waited.map_err(|_| CallError::TimedOut { after, sent })
}

/// Closes connections that were idle for so long, until the pool is gone.
async fn reap(pool: Weak<Shared>, changed: Arc<Notify>, idle: Duration) {
    loop {
        let Some(shared) = pool.upgrade() else {
            return;
        };
        let (old, next) = shared.members().reap(idle);
        drop(shared);
        // They are closed in order, since nobody has a handle.
        drop(old);
        let due = async {
            match next {
                Some(next) => sleep_until(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = changed.notified() => {}
        }
    }
}

impl Shared {
    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.idle.notify_one();
    }
}

impl Deref for Pooled {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        if self.shared.members().leave(self.id) {
            self.shared.idle.notify_one();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} connections)", self.connections())
    }
}

impl fmt::Debug for Pooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pooled").field(&self.client).finish()
    }
}
