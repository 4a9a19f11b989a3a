//! The state of a faulty connection that its handles and sockets share: whether a fault closes it.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use fastrand::Rng;
use socketry_transport::{Closed, Connection};

use super::{Fault, Faults};

/// The reason that the ends learn.
const REASON: &str = "a fault closed it";

/// The end that closed a connection first, as the user sees it.
#[derive(Debug, PartialEq, Eq)]
enum By {
    User,
    Fault,
}

/// Closes a connection, with a code and a reason.
type Close = Box<dyn Fn(u64, &str) + Send + Sync>;

pub(super) struct Common {
    /// The number of the connection in its plan.
    pub(super) number: u64,
    /// The seed of this connection.
    pub(super) seed: u64,
    code: u64,
    /// The byte after which a fault closes the connection.
    closes_at: Option<u64>,
    passed: AtomicU64,
    closed: OnceLock<By>,
    close: Close,
}

impl Common {
    pub(super) fn new(plan: &Faults, connection: &impl Connection) -> Self {
        let seed = Rng::with_seed(plan.seed).u64(..) ^ plan.number;
        let mut rng = Rng::with_seed(seed);
        let closes = plan.rolls(Fault::Close, &mut rng);
        Common {
            number: plan.number,
            seed: rng.u64(..),
            code: plan.code,
            closes_at: closes.then(|| plan.roll_end(&mut rng)),
            passed: AtomicU64::new(0),
            closed: OnceLock::new(),
            close: closer(connection.clone()),
        }
    }

    /// The user closes the connection. Only the first close counts.
    pub(super) fn close(&self, code: u64, reason: &str) {
        if *self.closed.get_or_init(|| By::User) == By::User {
            (self.close)(code, reason);
        }
    }

    /// So many more bytes have passed. Closes the connection if it is time, and gives whether it
    /// did.
    pub(super) fn closes_after(&self, bytes: u64) -> bool {
        let passed = self.passed.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let closes = self.closes_at.is_some_and(|at| passed >= at);
        let closes = closes && self.closed.set(By::Fault).is_ok();
        if closes {
            (self.close)(self.code, REASON);
        }
        closes
    }

    /// The close by a fault, as the user sees it: by the peer.
    pub(super) fn befallen(&self) -> Option<io::Error> {
        let befallen = self.closed.get() == Some(&By::Fault);
        befallen.then(|| Closed::by_peer(self.code, REASON).into())
    }

    /// The error to report in place of `error`, which says that this end closed where a fault did.
    pub(super) fn seen(&self, error: io::Error) -> io::Error {
        match (Closed::of(&error), self.befallen()) {
            (Some(closed), Some(befallen)) if !closed.by_peer => befallen,
            _ => error,
        }
    }
}

/// Closes `connection`, from any thread. The lock is free before tasks are woken.
fn closer(connection: impl Connection) -> Close {
    let handle = Mutex::new(connection);
    Box::new(move |code, reason| {
        let own = handle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        own.close(code, reason);
    })
}

impl fmt::Debug for Common {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.number)
    }
}
