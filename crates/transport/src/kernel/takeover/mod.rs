//! A process takes over the listening sockets of an earlier one, so that no client is refused.

mod exchange;
mod held;
mod transport;

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::time::timeout;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::socket::{Credentials, Half};
use crate::contract::transport::Transport;
use crate::contract::transport::listener::Listener;
use crate::contract::transport::registry::Registry;
use crate::kernel::os::OsSocket;
use crate::kernel::tcp::TcpTransport;
use crate::kernel::unix::{UnixTransport, credentials};
use crate::options::SocketOptions;
use exchange::Exchange;
use held::{Held, HeldListener};
use transport::{HeldTransport, Inner};

/// How long the other process may take to answer.
const ANSWER: Duration = Duration::from_secs(10);

/// How often to try again where two processes start at the same time.
const TRIES: usize = 16;

/// Replaces a running process of the same service by a new one, and no client is refused.
///
/// Both meet at a Unix socket of their own. The new process gets copies of the listening sockets
/// there (`SCM_RIGHTS`), and starts. When it says that it is ready, the earlier one stops
/// accepting, and ends in order. Each connection is accepted by one of the two. If the new process
/// fails before it is ready, the earlier one goes on as if nothing had happened.
///
/// ```no_run
/// use socketry_transport::{Listeners, Registry, Takeover};
///
/// # async fn serve(listeners: Listeners, stop: impl Future<Output = ()>) {}
/// # async fn show() -> Result<(), Box<dyn std::error::Error>> {
/// let takeover = Takeover::at("unix:///run/app/takeover.sock").await?;
/// let registry = takeover.over(Registry::standard());
/// let urls = ["tcp://[::]:9000", "unix:///run/app/app.sock"];
/// let listeners = Listeners::at(&registry, urls).await?;
/// // … all else that may fail …
/// let successor = takeover.ready().await?; // the earlier process, if there is one, stops
/// serve(listeners, successor.arrived()).await; // until a later one takes over
/// # Ok(()) }
/// ```
///
/// A listener is taken over if the new process listens at the same URL, whatever options its query
/// has. Other URLs are listened at anew. The socket keeps the options and the file mode that the
/// first process gave it, and clients of a Unix socket see the credentials of that process, since
/// `listen(2)` is not called again. Only the options of this process itself, as `descriptors`, and
/// those that it gives each accepted socket, as `priority`, are those of the new one. Listeners of the earlier process that the new one does not want are closed
/// when it is ready.
///
/// Both processes have to be of one user, or root: each checks that by the kernel's word. The
/// socket has the mode 0600. The exchange is a few lines of text, so a process in any language can
/// take part:
///
/// ```text
/// new      socketry takeover 1
/// earlier  sockets 2
///          1 unix:///run/app/takeover.sock     with one descriptor: this socket itself
///          1 tcp://[::]:9000                   with one for each address of the name
/// new      ready
/// earlier  done
/// ```
///
/// It is for streams over TCP and Unix sockets, and for layers over those, on Linux. A UDP socket
/// cannot be shared: its datagrams would reach either process.
pub struct Takeover {
    at: Endpoint,
    held: Arc<AllHeld>,
    door: HeldListener,
    earlier: Option<Exchange>,
}

/// A later process may take over from this one, as long as this exists; made by
/// [`Takeover::ready`].
pub struct Successor {
    held: Arc<AllHeld>,
    door: HeldListener,
}

impl Takeover {
    /// Takes the listening sockets of the process that is at `at`, a `unix` endpoint. If there is
    /// none, this process is the first, and the next one finds it there.
    ///
    /// # Errors
    /// [`Denied`](ErrorKind::Denied) if the process there is of another user, and
    /// [`TimedOut`](ErrorKind::TimedOut) if it does not answer within 10 seconds. Otherwise as
    /// [`UnixTransport`]'s.
    pub async fn at<E>(at: E) -> Result<Self>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
    {
        let at = at.try_into()?;
        let mut tries = 1..TRIES;
        loop {
            let most = Exchange::MOST_DESCRIPTORS;
            let call = at.clone().without_key("mode").with("descriptors", most);
            match UnixTransport::default().connect(&call).await {
                Ok(socket) => {
                    return in_time(&at, Takeover::from_earlier(&at, socket)).await?;
                }
                Err(error) if is_alone(&error) => {}
                Err(error) => return Err(error),
            }
            match Takeover::first(&at).await {
                // Another process was sooner.
                Err(error) if error.kind() == ErrorKind::InUse && tries.next().is_some() => {}
                done => return done,
            }
        }
    }

    async fn first(at: &Endpoint) -> Result<Self> {
        let options = SocketOptions {
            mode: Some(0o600),
            ..SocketOptions::default()
        };
        let held = Arc::new(AllHeld::default());
        let door = HeldTransport::new(&held, Inner::Unix(UnixTransport::new(options)));
        Ok(Takeover {
            at: at.clone(),
            door: door.listen(at).await?,
            held,
            earlier: None,
        })
    }

    async fn from_earlier(at: &Endpoint, socket: OsSocket) -> Result<Self> {
        let failed = |error| Error::io("take over from", at, error);
        check_user(&socket).map_err(failed)?;
        let mut earlier = Exchange::new(socket);
        let came = earlier.take().await.map_err(failed)?;
        let held = Arc::new(AllHeld::default());
        let mut came = came.into_iter();
        // The first is the socket of this exchange, under the name that it has there.
        let (_, sockets) = came.next().ok_or_else(|| failed(exchange::garbled()))?;
        held.lock().came = came.collect();
        let door = HeldListener::taken(at, sockets, &SocketOptions::default()).map_err(failed)?;
        held.add(&door);
        Ok(Takeover {
            at: at.clone(),
            held,
            door,
            earlier: Some(earlier),
        })
    }

    /// Whether there is an earlier process, whose sockets this one has taken.
    pub fn has_taken(&self) -> bool {
        self.earlier.is_some()
    }

    /// The transports of `registry`, where `tcp` and `unix` take over the sockets of the earlier
    /// process, and give their own to a later one. Layers, such as TLS, are put over these.
    #[must_use]
    pub fn over(&self, registry: Registry) -> Registry {
        let held = |inner| HeldTransport::new(&self.held, inner);
        registry
            .with("tcp", held(Inner::Tcp(TcpTransport::default())))
            .with("unix", held(Inner::Unix(UnixTransport::default())))
    }

    /// Says that this process accepts from now on: the earlier one stops. A later one can take over
    /// from this one then, and waits for that until [`Successor::arrived`] is polled.
    ///
    /// # Errors
    /// If the earlier process does not answer within 10 seconds, or has removed the file of a
    /// socket while it ended. One that is gone is no error.
    pub async fn ready(self) -> Result<Successor> {
        if let Some(earlier) = self.earlier {
            in_time(&self.at, earlier.relieve()).await?;
        }
        self.held.own_files()?;
        let Takeover { held, door, .. } = self;
        Ok(Successor { held, door })
    }
}

impl Successor {
    /// Waits until a later process has taken over: this one should stop. Once it has begun, a new
    /// process that does not get ready in peace is no reason to stop.
    ///
    /// Dropping the future, or `self`, means that no process can take over any more.
    pub async fn arrived(mut self) {
        loop {
            let socket = match self.door.accept().await {
                Ok(socket) => socket,
                Err(error) => {
                    tracing::error!(%error, "no process can take over any more");
                    return std::future::pending().await;
                }
            };
            match self.hand_over(socket).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(%error, "a process did not take over"),
            }
        }
    }

    async fn hand_over(&mut self, socket: OsSocket) -> io::Result<()> {
        check_user(&socket)?;
        let mut later = Exchange::new(socket);
        let held = self.held.all();
        let given = later.give(&held);
        timeout(ANSWER, given).await.unwrap_or_else(|_| {
            let words = format!("it said nothing for {ANSWER:?}");
            Err(io::Error::new(io::ErrorKind::TimedOut, words))
        })?;
        // It may take as long as it needs to start.
        later.wait_until_ready().await?;
        held.iter().for_each(|held| held.leave_file());
        Ok(())
    }
}

/// The listeners of this process that a later one gets, and those of an earlier one.
#[derive(Default)]
struct AllHeld(Mutex<State>);

#[derive(Default)]
struct State {
    held: Vec<Weak<Held>>,
    /// The sockets of the earlier process that were not listened at yet, by their endpoints.
    came: Vec<(String, Vec<OwnedFd>)>,
}

impl AllHeld {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, listener: &HeldListener) {
        let mut state = self.lock();
        state.held.retain(|held| held.strong_count() > 0);
        state.held.push(Arc::downgrade(listener.held()));
    }

    /// The sockets that the earlier process had at `at`.
    fn taken(&self, at: &Endpoint) -> Option<Vec<OwnedFd>> {
        let mut state = self.lock();
        let found = state.came.iter().position(|(name, _)| *name == at.as_str());
        found.map(|index| state.came.swap_remove(index).1)
    }

    /// Those that are listened at now.
    fn all(&self) -> Vec<Arc<Held>> {
        self.lock().held.iter().filter_map(Weak::upgrade).collect()
    }

    /// The earlier process has stopped: the files of Unix sockets are removed by this one.
    fn own_files(&self) -> Result<()> {
        for held in self.all() {
            held.own_file()?;
        }
        for (name, sockets) in std::mem::take(&mut self.lock().came) {
            tracing::info!(at = %name, "a socket of the earlier process is not used any more");
            if let Ok(at) = name.parse() {
                // A file that is gone needs not be removed.
                let _ = HeldListener::taken(&at, sockets, &SocketOptions::default())
                    .map(|one| one.held().own_file());
            }
        }
        Ok(())
    }
}

/// No process listens there.
fn is_alone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Refused)
}

/// Both processes have to be of one user: a new one gets the sockets, an earlier one chooses them.
fn check_user(socket: &OsSocket) -> io::Result<()> {
    let own = credentials::own_uid();
    match socket.info().get::<Credentials>() {
        Some(peer) if peer.uid == own || peer.uid == 0 => Ok(()),
        Some(peer) => {
            let uid = peer.uid;
            let words = format!("the other process is of user {uid}, and this one of user {own}");
            Err(io::Error::new(io::ErrorKind::PermissionDenied, words))
        }
        None => {
            let words = "the kernel does not say whose the other process is";
            Err(io::Error::new(io::ErrorKind::PermissionDenied, words))
        }
    }
}

async fn in_time<T>(at: &Endpoint, work: impl Future<Output = T>) -> Result<T> {
    timeout(ANSWER, work).await.map_err(|_| {
        Error::new(ErrorKind::TimedOut, "take over from", at)
            .because(format!(
                "the process there did not answer within {ANSWER:?}"
            ))
            .hint("it may be busy with another one that starts, or stuck")
    })
}

impl fmt::Debug for Takeover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Takeover({})", self.at)
    }
}

impl fmt::Debug for Successor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Successor({})", self.door.local())
    }
}
