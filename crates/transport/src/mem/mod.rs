//! `mem://name`: stream sockets inside this process, without the kernel.

pub(crate) mod mux;
mod names;
mod pipe;
mod socket;

use std::sync::LazyLock;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use crate::contract::transport::listener::Listener;
use crate::options;
use crate::options::SocketOptions;
use names::{Claim, Names};
pub use socket::{MemRecv, MemSend, MemSocket};

const SCHEME: &str = "mem";

/// The most bytes that wait in each direction, unless `recv_buffer` is given.
const DEFAULT_BUFFER: usize = 64 * 1024;

/// In-memory sockets: a listener has a name, to which any task of the same process may connect.
///
/// Each `MemTransport::new` has names of its own. [`Default`] and `mem://` in the standard registry
/// share the names of the process. A listener at `mem://*` gets a free name, as with port 0
/// elsewhere.
#[derive(Clone, Debug)]
pub struct MemTransport {
    options: SocketOptions,
    names: Names<Listening>,
}

/// The backlog of a listener, and the most bytes that wait in each direction of its sockets.
#[derive(Clone, Debug)]
struct Listening {
    backlog: mpsc::Sender<MemSocket>,
    buffer: usize,
}

static PROCESS: LazyLock<Names<Listening>> = LazyLock::new(|| Names::new(SCHEME));

impl Default for MemTransport {
    fn default() -> Self {
        MemTransport {
            options: SocketOptions::default(),
            names: PROCESS.clone(),
        }
    }
}

impl MemTransport {
    /// A transport with `options` for every socket, and with names of its own.
    pub fn new(options: SocketOptions) -> Self {
        MemTransport {
            options,
            names: Names::new(SCHEME),
        }
    }
}

/// A backlog of the length in the options, and at least 1.
fn backlog<T>(options: &SocketOptions) -> (mpsc::Sender<T>, mpsc::Receiver<T>) {
    let backlog = options.backlog.unwrap_or(SocketOptions::DEFAULT_BACKLOG);
    let most = Semaphore::MAX_PERMITS;
    mpsc::channel(usize::try_from(backlog).unwrap_or(most).clamp(1, most))
}

/// Puts `item`, a socket or a connection, into the backlog of a listener. Fails if the backlog is
/// full or the listener is closing.
fn deliver<T, L>(names: &Names<L>, to: &Endpoint, way: &mpsc::Sender<T>, item: T) -> Result<()> {
    way.try_send(item).map_err(|error| match error {
        TrySendError::Full(_) => names.refused(to, "the listener's backlog is full"),
        TrySendError::Closed(_) => names.refused(to, "the listener is closing"),
    })
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
        let (peer, listening) = self.names.find(to)?;
        let (ours, accepted) = socket::pair(listening.buffer, &self.names.free(), &peer);
        deliver(&self.names, to, &listening.backlog, accepted)?;
        Ok(ours)
    }

    async fn listen(&self, at: &Endpoint) -> Result<MemListener> {
        let options = self.options.resolve(at, options::MEM)?;
        let (sender, accepted) = backlog(&options);
        let listening = Listening {
            backlog: sender,
            buffer: options.recv_buffer.unwrap_or(DEFAULT_BUFFER).max(1),
        };
        let claim = self.names.claim(at, listening)?;
        Ok(MemListener { claim, accepted })
    }
}

/// A listener. Dropping it frees its name.
#[derive(Debug)]
pub struct MemListener {
    claim: Claim<Listening>,
    accepted: mpsc::Receiver<MemSocket>,
}

impl Listener for MemListener {
    type Socket = MemSocket;

    fn local(&self) -> &Endpoint {
        &self.claim.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<MemSocket>> {
        let closed = || Error::new(ErrorKind::Closed, "accept at", &self.claim.local);
        Poll::Ready(ready!(self.accepted.poll_recv(cx)).ok_or_else(closed))
    }
}
