//! `mem://name`: stream sockets inside this process, first-class, without the kernel.

mod pipe;
mod socket;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::contract::endpoint::{Address, Endpoint};
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::contract::transport::listener::Listener;
use crate::options;
use crate::options::SocketOptions;
pub use socket::{MemRecv, MemSend, MemSocket};

/// How many bytes wait in each direction, where `recv_buffer` says nothing.
const DEFAULT_BUFFER: usize = 64 * 1024;

/// In-memory sockets: a listener has a name, and whoever is in the same process may connect to it.
///
/// Each `MemTransport::new` has names of its own; [`Default`] (and `mem://` in the standard registry) share those of the
/// process. The name `mem://*` at a listener stands for a free one, as port 0 does elsewhere.
#[derive(Clone, Debug)]
pub struct MemTransport {
    options: SocketOptions,
    names: Arc<Names>,
}

type Names = Mutex<HashMap<String, Listening>>;

#[derive(Debug)]
struct Listening {
    backlog: mpsc::Sender<MemSocket>,
    buffer: usize,
}

static PROCESS: LazyLock<Arc<Names>> = LazyLock::new(Arc::default);
static NUMBER: AtomicU64 = AtomicU64::new(1);

impl Default for MemTransport {
    fn default() -> Self {
        MemTransport {
            options: SocketOptions::default(),
            names: Arc::clone(&*PROCESS),
        }
    }
}

impl MemTransport {
    /// With `options` for every socket, and names that nobody else sees.
    pub fn new(options: SocketOptions) -> Self {
        MemTransport {
            options,
            names: Arc::default(),
        }
    }
}

fn locked(names: &Names) -> std::sync::MutexGuard<'_, HashMap<String, Listening>> {
    // Nothing panics while it is held; should that change, the map is still whole.
    names.lock().unwrap_or_else(PoisonError::into_inner)
}

fn name_of(endpoint: &Endpoint, action: &'static str) -> Result<String> {
    match endpoint.name() {
        Some(name) if endpoint.scheme() == "mem" => Ok(name.into_owned()),
        _ => Err(Error::new(ErrorKind::InvalidEndpoint, action, endpoint)
            .because("this transport's endpoints are mem://name")),
    }
}

fn named(name: String) -> Endpoint {
    Endpoint::known("mem", &Address::Name(name))
}

fn free_name() -> String {
    format!("#{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

#[async_trait]
impl Transport for MemTransport {
    type Socket = MemSocket;
    type Listener = MemListener;

    fn keys(&self) -> Keys {
        options::MEM
    }

    async fn connect(&self, to: &Endpoint) -> Result<MemSocket> {
        self.options.resolve(to, options::MEM)?;
        let name = name_of(to, "connect to")?;
        let refused = |reason: &str| {
            Error::new(ErrorKind::Refused, "connect to", to)
                .because(reason)
                .hint("mem:// reaches only servers in this process")
        };
        let names = locked(&self.names);
        let listening = names
            .get(&name)
            .ok_or_else(|| refused("nobody listens there"))?;
        let (local, peer) = (named(free_name()), named(name));
        let (ours, accepted) = socket::pair(listening.buffer, &local, &peer);
        match listening.backlog.try_send(accepted) {
            Ok(()) => Ok(ours),
            Err(TrySendError::Full(_)) => Err(refused("the listener's backlog is full")),
            Err(TrySendError::Closed(_)) => Err(refused("the listener is closing")),
        }
    }

    async fn listen(&self, at: &Endpoint) -> Result<MemListener> {
        let options = self.options.resolve(at, options::MEM)?;
        let mut name = name_of(at, "listen at")?;
        if name == "*" {
            name = free_name();
        }
        let backlog = options
            .backlog
            .unwrap_or(SocketOptions::DEFAULT_BACKLOG)
            .max(1);
        let (sender, accepted) = mpsc::channel(usize::try_from(backlog).unwrap_or(usize::MAX >> 4));
        let buffer = options.recv_buffer.unwrap_or(DEFAULT_BUFFER).max(1);
        match locked(&self.names).entry(name.clone()) {
            Entry::Occupied(_) => {
                return Err(Error::new(ErrorKind::InUse, "listen at", at)
                    .hint("choose another name, or mem://* to have one chosen"));
            }
            Entry::Vacant(free) => free.insert(Listening {
                backlog: sender,
                buffer,
            }),
        };
        let local = named(name.clone());
        let names = Arc::clone(&self.names);
        Ok(MemListener {
            local,
            name,
            names,
            accepted,
        })
    }
}

/// A name that is listened on. Dropping it frees the name.
#[derive(Debug)]
pub struct MemListener {
    local: Endpoint,
    name: String,
    names: Arc<Names>,
    accepted: mpsc::Receiver<MemSocket>,
}

impl Listener for MemListener {
    type Socket = MemSocket;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<MemSocket>> {
        let closed = || Error::new(ErrorKind::Closed, "accept at", &self.local);
        Poll::Ready(ready!(self.accepted.poll_recv(cx)).ok_or_else(closed))
    }
}

impl Drop for MemListener {
    fn drop(&mut self) {
        locked(&self.names).remove(&self.name);
    }
}
