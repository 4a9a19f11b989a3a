//! A transport with faulty sockets.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use socketry_transport::{Endpoint, Keys, Listener, Result, Transport, async_trait};

use super::{Faults, Faulty};

/// Connects and accepts [`Faulty`] sockets of another transport. Clones are the same transport.
///
/// Each socket has faults of its own. In the [plan](Faults::number), connecting sockets are
/// numbered 0, 2, 4 and so on, accepted ones 1, 3, 5.
///
/// ```
/// use socketry_testkit::{Faults, FaultyTransport};
/// use socketry_transport::{Registry, TcpTransport};
///
/// let faulty = FaultyTransport::new(TcpTransport::default(), &Faults::hostile().seed(1));
/// let registry = Registry::standard().with("tcp", faulty.clone());
/// // … from now on there are no faults:
/// faulty.calm();
/// ```
pub struct FaultyTransport<T> {
    transport: Arc<T>,
    connecting: Maker,
    accepting: Maker,
}

/// Makes the sockets of one side faulty.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) plan: Faults,
    next: Arc<AtomicU64>,
    calm: Arc<AtomicBool>,
}

impl Maker {
    pub(super) fn new(plan: &Faults, first: u64, calm: &Arc<AtomicBool>) -> Self {
        Maker {
            plan: plan.clone(),
            next: Arc::new(AtomicU64::new(first)),
            calm: Arc::clone(calm),
        }
    }

    pub(super) fn plan(&self) -> Faults {
        let number = self.next.fetch_add(2, Ordering::Relaxed);
        match self.calm.load(Ordering::Relaxed) {
            true => Faults::none(),
            false => self.plan.clone().number(number),
        }
    }

    /// From now on the plans of both sides have no faults.
    pub(super) fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }
}

impl<T: Transport> FaultyTransport<T> {
    /// `transport` with the faults of `plan` in all its sockets.
    pub fn new(transport: T, plan: &Faults) -> Self {
        FaultyTransport::with_sides(transport, plan, plan)
    }

    /// The same with one plan for connecting sockets, and one for accepted ones.
    pub fn with_sides(transport: T, connected: &Faults, accepted: &Faults) -> Self {
        let calm = Arc::default();
        FaultyTransport {
            transport: Arc::new(transport),
            connecting: Maker::new(connected, 0, &calm),
            accepting: Maker::new(accepted, 1, &calm),
        }
    }
}

impl<T> FaultyTransport<T> {
    /// From now on new sockets have no faults, also those of existing listeners.
    pub fn calm(&self) {
        self.accepting.calm();
    }
}

impl<T> Clone for FaultyTransport<T> {
    fn clone(&self) -> Self {
        FaultyTransport {
            transport: Arc::clone(&self.transport),
            connecting: self.connecting.clone(),
            accepting: self.accepting.clone(),
        }
    }
}

impl<T> fmt::Debug for FaultyTransport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyTransport({:?})", self.connecting.plan)
    }
}

#[async_trait]
impl<T: Transport> Transport for FaultyTransport<T> {
    type Socket = Faulty<T::Socket>;
    type Listener = FaultyListener<T::Listener>;

    fn keys(&self) -> Keys {
        self.transport.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let socket = self.transport.connect(to).await?;
        Ok(self.connecting.plan().over(socket))
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let listener = self.transport.listen(at).await?;
        Ok(FaultyListener {
            listener,
            accepting: self.accepting.clone(),
        })
    }
}

/// Accepts [`Faulty`] sockets. Made by [`FaultyTransport`].
pub struct FaultyListener<L> {
    listener: L,
    accepting: Maker,
}

impl<L: Listener> Listener for FaultyListener<L> {
    type Socket = Faulty<L::Socket>;

    fn local(&self) -> &Endpoint {
        self.listener.local()
    }
    fn locals(&self) -> Vec<Endpoint> {
        self.listener.locals()
    }
    fn refusals(&self) -> u64 {
        self.listener.refusals()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        let socket = ready!(self.listener.poll_accept(cx))?;
        Poll::Ready(Ok(self.accepting.plan().over(socket)))
    }
}

impl<L: Listener> fmt::Debug for FaultyListener<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyListener({})", self.local())
    }
}
