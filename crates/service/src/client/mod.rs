//! A client that reconnects by itself, and many callers over one connection.

mod builder;
mod call;
mod correlate;
mod driver;
mod error;
mod limits;
#[cfg(feature = "tower")]
mod place;
mod pool;
mod pushes;
mod state;
#[cfg(feature = "tower")]
mod tower;
mod typed;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use socketry_transport::{Endpoint, Error, Result};
use tokio::sync::watch;

pub use builder::ClientBuilder;
pub use call::{Answers, Call};
#[cfg(feature = "json")]
pub use correlate::JsonField;
pub use correlate::{Correlate, Integer, IntegerField};
pub use error::{CallError, Lost};
pub use limits::ClientLimits;
#[cfg(feature = "tower")]
pub use pool::PoolService;
pub use pool::{Pool, PoolLimits, Pooled};
pub use pushes::Pushes;
pub use state::ClientState;
#[cfg(feature = "tower")]
pub use tower::ClientService;
pub use typed::TypedClient;

use crate::limits::bound;
use driver::{Shared, Waiter};

/// A handle to one server: sends requests over one connection, and dials again when it is lost.
///
/// Clones share the connection, and any number of tasks call at the same time. Their requests leave
/// in as few writes as possible, and each gets its own answer: the first answer belongs to the
/// first request, unless requests have [ids](ClientBuilder::correlate).
///
/// ```
/// use socketry_codec::FrameError;
/// use socketry_service::{Client, Server};
/// use socketry_transport::{Listener, listen};
///
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let listener = listen("tcp://127.0.0.1:0").await?;
/// let at = listener.local().clone();
/// tokio::spawn(Server::new(listener).answer(async |request| {
///     Ok::<_, FrameError>(request.frame.len().to_string())
/// }));
///
/// let client = Client::builder(at)?.start()?;
/// let (one, two) = tokio::join!(client.call("a"), client.call("bcd"));
/// assert_eq!((&one?[..], &two?[..]), (&b"1"[..], &b"3"[..]));
/// client.close().await;
/// # Ok(()) }
/// ```
///
/// # When the connection is lost
///
/// * The client dials again, and waits longer after each failure, as
///   [`ClientLimits::backoff_min`] says. After a connection that was good the waits begin anew; if
///   the server ended that in order, there is none. [`state`](Client::state) tells all of it.
/// * Requests of which the transport has taken no byte wait for the next connection, and so do
///   those that are [idempotent](Call::idempotent). The others fail with
///   [`CallError::MaybeDone`]: the server may have done what they ask for, and its answer is lost.
/// * While there is no connection, requests wait, at most as many and with as many bytes as
///   [`ClientLimits`] says. Further ones fail at once.
///
/// A server that never answers one request holds up all later ones if answers come in order, and
/// one that vanishes without a word is noticed late. A [probe](ClientBuilder::probe) finds both.
///
/// # The end
///
/// When the last handle is dropped, [notifications](Client::notify) that wait are still written if
/// it is connected, and the connection is closed in order. A call holds a handle until it is done.
#[derive(Clone)]
pub struct Client {
    handle: Arc<Handle>,
}

/// What the clones of a client share. Dropping it tells the driver that no more requests will come.
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Client {
    /// A client of the server at `to`, a URL or an [`Endpoint`], to set up and
    /// [start](ClientBuilder::start).
    ///
    /// # Errors
    /// If `to` is no endpoint.
    pub fn builder<E>(to: E) -> Result<ClientBuilder>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        Ok(ClientBuilder::new(to.try_into()?))
    }

    fn of(shared: Arc<Shared>) -> Self {
        Client {
            handle: Arc::new(Handle(shared)),
        }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }

    /// Sends a request, and gives its answer. Nothing is sent before the first poll.
    ///
    /// Dropping the future gives the call up. A request that was not sent is not sent then, and an
    /// answer that comes late is dropped, and never given to another call.
    ///
    /// # Errors
    /// [`CallError`], which says whether [it may have been done](CallError::may_be_done).
    pub fn call<R: Into<Call>>(
        &self,
        request: R,
    ) -> impl Future<Output = Result<Bytes, CallError>> + Send + use<R> {
        call::call(self.clone(), None, request.into())
    }

    /// Sends a request that has several answers, and gives them one by one, up to the one for which
    /// `last` is true.
    ///
    /// ```no_run
    /// # use socketry_service::{CallError, Client};
    /// # async fn list(client: Client) -> Result<(), CallError> {
    /// let mut names = client.stream("list", |frame| frame == b"END")?;
    /// while let Some(name) = names.next().await {
    ///     println!("{}", name?.escape_ascii());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Up to [`ClientLimits::answers`] frames wait for their reader. A reader that is slower delays
    /// all calls of this client, since nothing is received until there is room. A stream that was
    /// lost after its first answer is not called again, even if it is idempotent.
    ///
    /// # Errors
    /// As [`call`](Client::call), if the request cannot wait to be sent.
    pub fn stream(
        &self,
        request: impl Into<Call>,
        last: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
    ) -> Result<Answers, CallError> {
        Answers::begin(self.clone(), request.into(), Arc::new(last))
    }

    /// Puts a notification behind the requests that wait: a frame without an answer. With
    /// [ids](ClientBuilder::correlate), it gets none.
    ///
    /// It is sent at most once, and lost with its connection. [`close`](Client::close) waits until
    /// it is written.
    ///
    /// # Errors
    /// As [`call`](Client::call), if it cannot wait to be sent. If the codec cannot carry it, that
    /// is logged.
    pub fn notify(&self, frame: impl Into<Bytes>) -> Result<(), CallError> {
        let shared = self.shared();
        let pushed = shared.push(shared.place()?, frame.into(), false, Waiter::Nobody);
        pushed.map(drop)
    }

    /// A receiver of the frames that answer no request, from now on.
    /// [`ClientBuilder::start_listening`] gives the earlier ones, too.
    pub fn pushes(&self) -> Pushes {
        self.shared().pushes.subscribe()
    }

    /// Tells the state of the connection, now and each time that it changes.
    pub fn state(&self) -> watch::Receiver<ClientState> {
        self.shared().state.subscribe()
    }

    /// Waits until it is connected. Cancel-safe.
    ///
    /// # Errors
    /// [`CallError::Closed`] if it has ended for good. It never gives up by itself: set a time.
    pub async fn connected(&self) -> Result<(), CallError> {
        let mut state = self.state();
        let wanted = |state: &ClientState| state.is_connected() || state.is_closed();
        match state.wait_for(wanted).await {
            Ok(state) if state.is_connected() => Ok(()),
            _ => Err(self.shared().closed()),
        }
    }

    /// Takes no more requests, of any handle, and waits until those that were taken are done and
    /// the connection is closed. The server has 5 seconds to end its side. Dropping the future
    /// changes nothing.
    pub async fn close(&self) {
        self.shared().close();
        // The state is kept as long as `self`.
        let _ = self.state().wait_for(ClientState::is_closed).await;
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({:?})", *self.shared().state.borrow())
    }
}
