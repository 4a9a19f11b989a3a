//! `mem://name`: stream sockets inside this process, first-class, without the kernel.

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

/// How many bytes wait in each direction, where `recv_buffer` says nothing.
const DEFAULT_BUFFER: usize = 64 * 1024;

/// In-memory sockets: a listener has a name, and whoever is in the same process may connect to it.
///
/// Each `MemTransport::new` has names of its own; [`Default`] (and `mem://` in the standard
/// registry) share those of the process. The name `mem://*` at a listener stands for a free one, as
/// port 0 does elsewhere.
#[derive(Clone, Debug)]
pub struct MemTransport {
    options: SocketOptions,
    names: Names<Listening>,
}

/// The way to a listener, and how many bytes wait in each direction of its sockets.
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
    /// With `options` for every socket, and names that nobody else sees.
    pub fn new(options: SocketOptions) -> Self {
        MemTransport {
            options,
            names: Names::new(SCHEME),
        }
    }
}

/// What may wait to be accepted: as many as the options say, and at least one.
fn backlog<T>(options: &SocketOptions) -> (mpsc::Sender<T>, mpsc::Receiver<T>) {
    let backlog = options.backlog.unwrap_or(SocketOptions::DEFAULT_BACKLOG);
    let most = Semaphore::MAX_PERMITS;
    mpsc::channel(usize::try_from(backlog).unwrap_or(most).clamp(1, most))
}

/// Puts what is to be accepted into the backlog of `listening`, or says why `to` refuses.
fn deliver<T, L>(names: &Names<L>, to: &Endpoint, way: &mpsc::Sender<T>, what: T) -> Result<()> {
    way.try_send(what).map_err(|error| match error {
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

/// A name that is listened on. Dropping it frees the name.
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
