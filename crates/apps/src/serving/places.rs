//! A bounded number of places, and which newcomer gets one when all are taken.
//!
//! A newcomer takes the place of another client only if that one is leaving: it has half-closed,
//! and is either gone or about to go, which the kernel does not tell apart. While there are free
//! places, a leaving client has all the time that the app grants. When there are none, a newcomer
//! takes over the place of the client that has been leaving for longest.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::yield_now;
use tokio::time::timeout;

/// How many times a newcomer lets other tasks run before it is refused.
const TURNS: usize = 16;

/// A number of places.
#[derive(Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue(Mutex<Turns>);

/// The places that change hands. The [`Notify`] that ends a conversation also identifies it.
#[derive(Default)]
struct Turns {
    /// How many newcomers wait for a place.
    waiting: usize,
    /// The conversations that are leaving, the longest first.
    leaving: VecDeque<Arc<Notify>>,
    /// The conversations that were ended for a newcomer and still run.
    ending: Vec<Arc<Notify>>,
    /// How often a conversation began to leave, or ended.
    departures: u64,
}

impl Places {
    pub(super) fn new(number: usize) -> Self {
        Places {
            free: Arc::new(Semaphore::new(number.min(Semaphore::MAX_PERMITS))),
            queue: Arc::default(),
        }
    }

    /// Waits for a place. Cancel-safe.
    pub(super) async fn seat(&self) -> Seat {
        let free = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(free) => free,
            Err(_) => self.next_free().await,
        };
        let end = Arc::new(Notify::new());
        let queue = Arc::clone(&self.queue);
        Seat {
            place: Place { end, queue },
            _free: free,
        }
    }

    async fn next_free(&self) -> OwnedSemaphorePermit {
        let _waiting = Waiting::new(&self.queue);
        match Arc::clone(&self.free).acquire_owned().await {
            Ok(free) => free,
            // The semaphore is never closed.
            Err(_) => std::future::pending().await,
        }
    }

    /// Waits for a place for `moment`. If a conversation leaves meanwhile, it waits for up to
    /// `limit` more, since others may be about to leave, too. Cancel-safe.
    pub(super) async fn seat_soon(&self, moment: Duration, limit: Duration) -> Option<Seat> {
        let before = self.departures();
        let mut seat = pin!(self.seat());
        if let Ok(seat) = timeout(moment, &mut seat).await {
            return Some(seat);
        }
        // Clients that have closed by now must be noticed first.
        for _ in 0..TURNS {
            yield_now().await;
        }
        let limit = match self.departures() == before {
            true => Duration::ZERO,
            false => limit,
        };
        timeout(limit, seat).await.ok()
    }

    fn departures(&self) -> u64 {
        self.queue.lock().departures
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Turns> {
        // A panic elsewhere leaves the lists and the number whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turns {
    /// Ends leaving conversations for the newcomers that wait.
    fn settle(&mut self) {
        while self.waiting > self.ending.len() {
            let Some(longest) = self.leaving.pop_front() else {
                return;
            };
            longest.notify_one();
            self.ending.push(longest);
        }
    }
}

/// A newcomer that waits.
struct Waiting<'a>(&'a Queue);

impl<'a> Waiting<'a> {
    fn new(queue: &'a Queue) -> Self {
        let mut turns = queue.lock();
        turns.waiting += 1;
        turns.settle();
        Waiting(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

/// A taken place. Dropping it frees the place.
pub(super) struct Seat {
    place: Place,
    _free: OwnedSemaphorePermit,
}

impl Seat {
    /// Runs `doing` with the place, and drops it when a newcomer takes the place over.
    pub(super) async fn hold<F: Future<Output = ()>>(self, doing: impl FnOnce(Place) -> F) {
        tokio::select! {
            () = doing(self.place.clone()) => {}
            () = self.place.end.notified() => tracing::info!("a newcomer has taken over a place"),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let end = &self.place.end;
        let mut turns = self.place.queue.lock();
        turns.departures += 1;
        turns.leaving.retain(|leaving| !Arc::ptr_eq(leaving, end));
        turns.ending.retain(|ending| !Arc::ptr_eq(ending, end));
    }
}

/// A conversation's handle to its own place.
#[derive(Clone)]
pub(crate) struct Place {
    end: Arc<Notify>,
    queue: Arc<Queue>,
}

impl Place {
    /// Says that the peer has half-closed, or that only the parting is left. From now on the
    /// conversation may be dropped at any moment in favour of a newcomer.
    pub(crate) fn leave(&self) {
        let mut turns = self.queue.lock();
        let is_known = turns
            .leaving
            .iter()
            .chain(&turns.ending)
            .any(|one| self.is(one));
        if !is_known {
            turns.departures += 1;
            turns.leaving.push_back(Arc::clone(&self.end));
            turns.settle();
        }
    }

    fn is(&self, end: &Arc<Notify>) -> bool {
        Arc::ptr_eq(&self.end, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;
    use tokio::sync::mpsc;
    use tokio::time::{Instant, sleep};

    const LONG: Duration = Duration::from_secs(1);

    /// A conversation that never ends by itself, and sends its number when it is dropped.
    struct Talker(u8, mpsc::UnboundedSender<u8>);

    impl Drop for Talker {
        fn drop(&mut self) {
            let _ = self.1.send(self.0);
        }
    }

    async fn sit(places: &Places, talker: Talker) -> Place {
        let seat = places.seat_soon(LONG, LONG).await.expect("a place");
        let place = seat.place.clone();
        tokio::spawn(seat.hold(|_| async move {
            let _talker = talker;
            pending::<()>().await;
        }));
        place
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_takes_the_place_that_has_been_leaving_longest() {
        let (ended, mut endings) = mpsc::unbounded_channel();
        let places = Places::new(3);
        let mut seated = Vec::new();
        for number in 0..3 {
            seated.push(sit(&places, Talker(number, ended.clone())).await);
        }
        assert!(places.seat_soon(LONG, LONG).await.is_none());
        for number in [1, 2, 1] {
            seated[number].leave();
        }
        assert!(endings.try_recv().is_err(), "nobody is in need of a place");
        for longest in [1, 2] {
            sit(&places, Talker(7, ended.clone())).await;
            assert_eq!(endings.recv().await, Some(longest));
        }
        assert!(places.seat_soon(LONG, LONG).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiting_newcomer_gets_the_place_of_the_next_client_to_leave() {
        let (ended, mut endings) = mpsc::unbounded_channel();
        let places = Places::new(2);
        let first = sit(&places, Talker(1, ended.clone())).await;
        let _second = sit(&places, Talker(2, ended.clone())).await;
        let waiting = tokio::spawn({
            let (places, ended) = (places.clone(), ended.clone());
            async move { sit(&places, Talker(3, ended)).await }
        });
        yield_now().await;
        first.leave();
        let _third = waiting.await.unwrap();
        assert_eq!(endings.recv().await, Some(1));
        assert!(endings.try_recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_newcomer_waits_longer_where_others_leave() {
        let places = Places::new(1);
        let first = places.seat().await;
        let begun = Instant::now();
        assert!(places.seat_soon(LONG, LONG * 9).await.is_none());
        assert_eq!(begun.elapsed(), LONG, "nobody leaves");
        let newcomers = async {
            tokio::join!(
                places.seat_soon(LONG, LONG * 9),
                places.seat_soon(LONG, LONG * 9)
            )
        };
        let (newcomers, ()) = tokio::join!(newcomers, async {
            sleep(LONG / 2).await;
            drop(first);
        });
        let (one, other) = newcomers;
        assert!(one.is_some() && other.is_none());
        assert_eq!(begun.elapsed(), LONG * 11, "somebody has left");
    }

    #[tokio::test]
    async fn a_conversation_that_has_ended_is_not_ended_for_a_newcomer() {
        let places = Places::new(1);
        let seat = places.seat().await;
        seat.place.leave();
        drop(seat);
        let turns = places.queue.lock();
        assert!(turns.leaving.is_empty() && turns.ending.is_empty() && turns.waiting == 0);
    }
}
