//! `mem-mux://name`: connections with many streams inside this process.

mod datagrams;
mod handle;
mod link;
mod wakers;

use std::sync::LazyLock;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::names::{Claim, Names};
use super::{backlog, deliver};
use crate::contract::connection::transport::{MuxListener, MuxTransport};
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::contract::transport::keys::Keys;
use crate::options::SocketOptions;
pub use handle::MemConnection;
use link::Limits;

const SCHEME: &str = "mem-mux";

/// The option for the most streams that the peer may have open at once.
const STREAMS: &str = "streams";

/// The options. `recv_buffer` is the window of each stream, and `backlog` counts connections.
const KEYS: Keys = Keys::new(&["recv_buffer", "backlog", STREAMS]);

const DEFAULT_STREAMS: usize = 100;
const DEFAULT_WINDOW: usize = 64 * 1024;

/// Connections with many streams between tasks of this process, at `mem-mux://name`. A listener at
/// `mem-mux://*` gets a free name.
///
/// Options in the URL bound the other end: `streams` open at once (default 100), and `recv_buffer`
/// bytes of each stream that wait to be read (default 64 KiB). At a listener, `backlog` connections
/// wait to be accepted (default 1,024). No system call is made. `mem-mux://` of the standard
/// registry is [`Streams`](crate::Streams) of this.
///
/// ```
/// use socketry_transport::{Connection, Endpoint, MemMux, MuxListener, MuxTransport};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mux = MemMux::new();
/// let mut listener = mux.listen(&"mem-mux://*?streams=8".parse()?).await?;
/// let mut client = mux.connect(listener.local()).await?;
/// let mut server = listener.accept().await?;
///
/// let _question = client.open().await?;
/// let _heard = server.accept().await?.expect("the connection is open");
/// client.close(0, "");
/// assert!(server.accept().await?.is_none());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct MemMux {
    names: Names<Listening>,
}

/// The backlog of a listener, and its limits.
#[derive(Clone, Debug)]
struct Listening {
    backlog: mpsc::Sender<MemConnection>,
    limits: Limits,
}

static PROCESS: LazyLock<Names<Listening>> = LazyLock::new(|| Names::new(SCHEME));

/// With the names of the process, as [`MemTransport`](crate::MemTransport) has.
impl Default for MemMux {
    fn default() -> Self {
        MemMux {
            names: PROCESS.clone(),
        }
    }
}

impl MemMux {
    /// A transport with names of its own.
    pub fn new() -> Self {
        MemMux {
            names: Names::new(SCHEME),
        }
    }
}

/// The limits in the URL, and the other options.
fn limits(endpoint: &Endpoint) -> Result<(Limits, SocketOptions)> {
    let options = SocketOptions::from_query(endpoint, KEYS)?;
    let streams = endpoint.query().find(|(key, _)| *key == STREAMS);
    let streams = match streams.map(|(_, value)| (value, value.parse::<usize>())) {
        None => DEFAULT_STREAMS,
        Some((_, Ok(streams))) if streams > 0 => streams,
        Some((value, _)) => {
            let value = value.escape_debug();
            let reason = format!("option '{STREAMS}': '{value}' is not a number above 0");
            return Err(Error::new(ErrorKind::InvalidOption, "use", endpoint).because(reason));
        }
    };
    let window = options.recv_buffer.unwrap_or(DEFAULT_WINDOW).max(1);
    Ok((Limits { streams, window }, options))
}

#[async_trait]
impl MuxTransport for MemMux {
    type Connection = MemConnection;
    type Listener = MemMuxListener;

    fn keys(&self) -> Keys {
        KEYS
    }

    async fn connect(&self, to: &Endpoint) -> Result<MemConnection> {
        let (limits, _) = limits(to)?;
        let (peer, listening) = self.names.find(to)?;
        let ours = (self.names.free(), limits);
        let (client, server) = handle::pair(ours, (peer, listening.limits));
        deliver(&self.names, to, &listening.backlog, server)?;
        Ok(client)
    }

    async fn listen(&self, at: &Endpoint) -> Result<MemMuxListener> {
        let (limits, options) = limits(at)?;
        let (sender, accepted) = backlog(&options);
        let listening = Listening {
            backlog: sender,
            limits,
        };
        let claim = self.names.claim(at, listening)?;
        Ok(MemMuxListener { claim, accepted })
    }
}

/// A listener. Dropping it frees its name.
#[derive(Debug)]
pub struct MemMuxListener {
    claim: Claim<Listening>,
    accepted: mpsc::Receiver<MemConnection>,
}

impl MuxListener for MemMuxListener {
    type Connection = MemConnection;

    fn local(&self) -> &Endpoint {
        &self.claim.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<MemConnection>> {
        let closed = || Error::new(ErrorKind::Closed, "accept at", &self.claim.local);
        Poll::Ready(ready!(self.accepted.poll_recv(cx)).ok_or_else(closed))
    }
}
