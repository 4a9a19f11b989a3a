//! The pace of senders: as fast as the readers take the messages.
//!
//! A message needs a pass before it is relayed, and gives it back when all readers have taken it.
//! Each sender has a few passes of its own, so that a short message never waits behind another
//! user's flood. All further passes come from one common store, in the order of asking. So the
//! bytes in flight are bounded.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limits::{IN_FLIGHT, OWN};

/// The cost of each message beyond its bytes, since many short ones take memory, too.
const OVERHEAD: usize = 128;

/// The right to have a message in flight. Dropping it gives it back.
pub(super) type Pass = OwnedSemaphorePermit;

/// The cost of a message of `len` bytes.
pub(super) fn cost(len: usize) -> usize {
    len.saturating_add(OVERHEAD)
}

/// The store that all senders share.
#[derive(Debug)]
pub(super) struct Common(Arc<Semaphore>);

/// The passes of one sender.
#[derive(Debug)]
pub(super) struct Speaker {
    own: Arc<Semaphore>,
    common: Arc<Semaphore>,
}

impl Common {
    pub(super) fn new() -> Self {
        Common(Arc::new(Semaphore::new(IN_FLIGHT)))
    }

    pub(super) fn speaker(&self) -> Speaker {
        Speaker {
            own: Arc::new(Semaphore::new(OWN)),
            common: Arc::clone(&self.0),
        }
    }
}

impl Speaker {
    /// Waits for a pass for a message of `len` bytes. A message that is larger than the store takes
    /// all of it. Cancel-safe.
    pub(super) async fn pass(&self, len: usize) -> Option<Pass> {
        tokio::select! {
            biased;
            pass = self.own_pass(len) => pass,
            pass = take(&self.common, len, IN_FLIGHT) => pass,
        }
    }

    /// The same, from the sender's own store only.
    pub(super) async fn own_pass(&self, len: usize) -> Option<Pass> {
        take(&self.own, len, OWN).await
    }
}

/// Neither store is ever closed, so a pass always comes in the end.
async fn take(store: &Arc<Semaphore>, len: usize, most: usize) -> Option<Pass> {
    let some = u32::try_from(cost(len).min(most)).unwrap_or(u32::MAX);
    Arc::clone(store).acquire_many_owned(some).await.ok()
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// The result of `future` if it is ready at once.
    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_flood_takes_all_that_is_shared_and_a_short_message_goes_before_it() {
        let common = Common::new();
        let (flooder, polite) = (common.speaker(), common.speaker());
        let flood: Vec<_> = std::iter::from_fn(|| now(flooder.pass(1000))).collect();
        assert_eq!(flood.len(), OWN / cost(1000) + IN_FLIGHT / cost(1000));
        assert!(now(flooder.pass(1000)).is_none());
        let said: Vec<_> = std::iter::from_fn(|| now(polite.pass(100))).collect();
        assert_eq!(
            said.len(),
            OWN / cost(100) + (IN_FLIGHT % cost(1000)) / cost(100)
        );
        drop(flood);
        assert!(now(flooder.pass(1000)).is_some());
    }

    #[test]
    fn the_longest_message_passes_when_nothing_else_is_in_flight() {
        let speaker = Common::new().speaker();
        let first = now(speaker.pass(1 << 30)).unwrap();
        let second = now(speaker.pass(1 << 30)).unwrap();
        assert!(now(speaker.pass(1 << 30)).is_none());
        drop((first, second));
        assert!(now(speaker.pass(1 << 30)).is_some());
    }
}
