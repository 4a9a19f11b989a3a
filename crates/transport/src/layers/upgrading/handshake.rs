//! One handshake, and the report of its end.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::Upgraded;
use super::observer::{Observer, UpgradeTrouble};
use crate::contract::datagram::BoxFuture;
use crate::contract::endpoint::Endpoint;
use crate::contract::socket::Half;

/// A handshake to run, with the facts for the report if it fails.
pub(super) struct Handshake {
    peer: Endpoint,
    begun: Instant,
    deadline: Duration,
    observer: Arc<Observer>,
}

impl Handshake {
    pub(super) fn new(socket: &impl Half, observer: &Arc<Observer>, deadline: Duration) -> Self {
        Handshake {
            peer: socket.peer().clone(),
            begun: Instant::now(),
            deadline,
            observer: Arc::clone(observer),
        }
    }

    /// Gives the socket. `None` if the handshake failed, which was reported to the observer.
    pub(super) async fn run<S>(self, mut upgrade: BoxFuture<'static, Upgraded<S>>) -> Option<S> {
        let ended = timeout(self.deadline, unpanicking(&mut upgrade)).await;
        drop_caught(upgrade);
        let trouble = match ended {
            Ok(Ok(socket)) => {
                self.observer.succeeded();
                return Some(socket);
            }
            Ok(Err(trouble)) => trouble,
            Err(_) => UpgradeTrouble::TimedOut,
        };
        let elapsed = self.begun.elapsed();
        self.observer.failed(&self.peer, trouble, elapsed);
        None
    }
}

/// The result of `upgrade`. A panic is caught here, since the observer must not run while it
/// unwinds. The future is not polled again.
async fn unpanicking<S>(
    upgrade: &mut BoxFuture<'static, Upgraded<S>>,
) -> Result<S, UpgradeTrouble> {
    poll_fn(
        |cx| match catch_unwind(AssertUnwindSafe(|| upgrade.as_mut().poll(cx))) {
            Ok(polled) => polled.map_err(UpgradeTrouble::Failed),
            Err(payload) => {
                drop_caught(payload);
                Poll::Ready(Err(UpgradeTrouble::Panicked))
            }
        },
    )
    .await
}

/// Drops `value`. If that panics, the panic ends here, and the handshake is still counted and told.
fn drop_caught<T>(value: T) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // It may panic in its turn.
        std::mem::forget(payload);
    }
}
