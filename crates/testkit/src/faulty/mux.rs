//! A transport with faulty connections.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socketry_transport::{Endpoint, Keys, MuxListener, MuxTransport, Result, async_trait};

use super::transport::Maker;
use super::{Faults, FaultyConnection};

/// Connects and accepts [`FaultyConnection`]s of another transport. Clones are the same transport.
///
/// Each connection has faults of its own. In the [plan](Faults::number), connecting ones are
/// numbered 0, 2, 4 and so on, accepted ones 1, 3, 5.
///
/// ```
/// use socketry_testkit::{Faults, FaultyMux};
/// use socketry_transport::{Connection, MemMux, MuxListener, MuxTransport};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mux = FaultyMux::new(MemMux::new(), &Faults::harmless().seed(1));
/// let mut listener = mux.listen(&"mem-mux://*".parse()?).await?;
/// let mut client = mux.connect(listener.local()).await?;
/// let mut server = listener.accept().await?;
/// let _question = client.open().await?;
/// assert!(server.accept().await?.is_some());
/// # Ok(()) }
/// ```
pub struct FaultyMux<M> {
    transport: Arc<M>,
    connecting: Maker,
    accepting: Maker,
}

impl<M: MuxTransport> FaultyMux<M> {
    /// `transport` with the faults of `plan` in all its connections.
    pub fn new(transport: M, plan: &Faults) -> Self {
        FaultyMux::with_sides(transport, plan, plan)
    }

    /// The same with one plan for connecting ends, and one for accepted ones.
    pub fn with_sides(transport: M, connected: &Faults, accepted: &Faults) -> Self {
        let calm = Arc::default();
        FaultyMux {
            transport: Arc::new(transport),
            connecting: Maker::new(connected, 0, &calm),
            accepting: Maker::new(accepted, 1, &calm),
        }
    }
}

impl<M> FaultyMux<M> {
    /// From now on new connections have no faults, also those of existing listeners.
    pub fn calm(&self) {
        self.accepting.calm();
    }
}

impl<M> Clone for FaultyMux<M> {
    fn clone(&self) -> Self {
        FaultyMux {
            transport: Arc::clone(&self.transport),
            connecting: self.connecting.clone(),
            accepting: self.accepting.clone(),
        }
    }
}

impl<M> fmt::Debug for FaultyMux<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyMux({:?})", self.connecting.plan)
    }
}

#[async_trait]
impl<M: MuxTransport> MuxTransport for FaultyMux<M> {
    type Connection = FaultyConnection<M::Connection>;
    type Listener = FaultyMuxListener<M::Listener>;

    fn keys(&self) -> Keys {
        self.transport.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<Self::Connection> {
        let connection = self.transport.connect(to).await?;
        Ok(self.connecting.plan().over_connection(connection))
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let listener = self.transport.listen(at).await?;
        Ok(FaultyMuxListener {
            listener,
            accepting: self.accepting.clone(),
        })
    }
}

/// Accepts [`FaultyConnection`]s. Made by [`FaultyMux`].
pub struct FaultyMuxListener<L> {
    listener: L,
    accepting: Maker,
}

impl<L: MuxListener> MuxListener for FaultyMuxListener<L> {
    type Connection = FaultyConnection<L::Connection>;

    fn local(&self) -> &Endpoint {
        self.listener.local()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Connection>> {
        let connection = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(Ok(self.accepting.plan().over_connection(connection)))
    }
}

impl<L: MuxListener> fmt::Debug for FaultyMuxListener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyMuxListener({})", self.local())
    }
}
