//! How fast files go: a rate of the whole server, and one of each connection, in each direction.
//!
//! A bucket grants bytes in the order in which they are asked for, and says when they may pass. The
//! task of a connection waits until then, so nothing outlives the connection, and only bytes of
//! files wait. The crate `governor` does not fit: it refuses a request above its burst, and its waiters
//! race again after each wait, so that a large request may wait for ever.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Limits, MIN_RATE};
use crate::AppError;
use crate::file::flow::tell;
use crate::file::header::Answer;
use crate::file::wire::Wire;

/// How long a bucket saves up bytes that nobody asked for: an eighth of a second.
const BURST: Duration = Duration::from_millis(125);
/// The most bytes that are asked for at once. Others get theirs in between.
const GRAIN: usize = 64 << 10;
/// Into how many parts the bytes of a second are divided at least: so many transfers that share a
/// slow rate have all moved after a second.
const PARTS: u64 = 64;
/// How often a client that waits is told that the server is there: a third of the time that it
/// takes for a stall.
const ALIVE: Duration = Duration::from_secs(20);
const SECOND: u128 = 1_000_000_000;

/// A rate in one direction.
#[derive(Debug)]
struct Bucket {
    /// Bytes a second.
    rate: u64,
    /// When all bytes that were granted have passed at this rate.
    passed: Mutex<Instant>,
}

impl Bucket {
    fn new(rate: u64) -> Self {
        Bucket {
            rate: rate.max(MIN_RATE),
            passed: Mutex::new(Instant::now()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Instant> {
        // A panic elsewhere leaves the time whole.
        self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn grain(&self) -> usize {
        usize::try_from(self.rate / PARTS).map_or(GRAIN, |bytes| bytes.clamp(1, GRAIN))
    }

    /// Waits until `bytes` may pass. If it is dropped before, others get them.
    async fn pass(&self, bytes: usize) {
        let claim = Claim::new(self, bytes);
        if claim.at > Instant::now() {
            sleep_until(claim.at).await;
        }
        claim.used();
    }
}

/// Bytes that were granted.
struct Claim<'a> {
    bucket: &'a Bucket,
    takes: Duration,
    /// When they may pass.
    at: Instant,
}

impl<'a> Claim<'a> {
    fn new(bucket: &'a Bucket, bytes: usize) -> Self {
        let takes = bytes as u128 * SECOND / u128::from(bucket.rate);
        let takes = Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX));
        let mut passed = bucket.lock();
        let start = (*passed).max(Instant::now());
        *passed = start + takes;
        Claim {
            bucket,
            takes,
            at: start.checked_sub(BURST).unwrap_or(start),
        }
    }

    fn used(mut self) {
        self.takes = Duration::ZERO;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.takes.is_zero() {
            let mut passed = self.bucket.lock();
            *passed = passed.checked_sub(self.takes).unwrap_or(*passed);
        }
    }
}

/// One direction of a connection: what passes here waits for all these rates.
#[derive(Clone, Debug, Default)]
pub(in crate::file) struct Lane(Vec<Arc<Bucket>>);

impl Lane {
    fn new(rate: Option<u64>) -> Self {
        Lane(rate.map(Bucket::new).map(Arc::new).into_iter().collect())
    }

    fn with(&self, other: Lane) -> Self {
        Lane(self.0.iter().cloned().chain(other.0).collect())
    }

    /// Whether nothing waits here.
    pub(in crate::file) fn is_open(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes to ask for at once.
    pub(in crate::file) fn grain(&self) -> usize {
        let grains = self.0.iter().map(|bucket| bucket.grain());
        grains.min().unwrap_or(usize::MAX)
    }

    /// Waits until `bytes` may pass.
    pub(in crate::file) async fn pass(&self, bytes: usize) {
        // The connection's own rate is the last one. The common one is asked when that is ready.
        for bucket in self.0.iter().rev() {
            bucket.pass(bytes).await;
        }
    }
}

/// The rates of a connection.
#[derive(Clone, Debug, Default)]
pub(in crate::file) struct Pace {
    pub(in crate::file) arriving: Lane,
    pub(in crate::file) leaving: Lane,
}

/// The rates of a server.
#[derive(Clone, Debug, Default)]
pub(in crate::file) struct Paces {
    whole: Pace,
    each: Option<u64>,
}

impl Paces {
    pub(in crate::file) fn new(limits: &Limits) -> Self {
        Paces {
            whole: Pace {
                arriving: Lane::new(limits.rate),
                leaving: Lane::new(limits.rate),
            },
            each: limits.rate_each,
        }
    }

    /// Of a new connection.
    pub(in crate::file) fn of_one(&self) -> Pace {
        Pace {
            arriving: self.whole.arriving.with(Lane::new(self.each)),
            leaving: self.whole.leaving.with(Lane::new(self.each)),
        }
    }
}

/// An upload that waits for its rate. The client has sent all, perhaps, and waits for an answer: if
/// it wants to hear so, it is told that the server is there.
pub(in crate::file) struct Alive<'a> {
    lane: &'a Lane,
    wanted: bool,
    told: Instant,
}

impl<'a> Alive<'a> {
    pub(in crate::file) fn new(lane: &'a Lane, wanted: bool) -> Self {
        Alive {
            lane,
            wanted,
            told: Instant::now(),
        }
    }

    /// Waits until `bytes` more may arrive.
    pub(in crate::file) async fn pass(
        &mut self,
        wire: &mut Wire,
        bytes: usize,
    ) -> Result<(), AppError> {
        if self.lane.is_open() {
            return Ok(());
        }
        let mut passing = pin!(self.lane.pass(bytes));
        while timeout_at(self.told + ALIVE, &mut passing).await.is_err() {
            self.told = Instant::now();
            if self.wanted {
                tell(wire, &Answer::alive()).await?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(from: Instant) -> f64 {
        from.elapsed().as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_pass_at_the_rate() {
        let bucket = Bucket::new(1 << 20);
        let begun = Instant::now();
        for _ in 0..640 {
            bucket.pass(bucket.grain()).await;
        }
        // Ten MiB, of which an eighth of a second and a grain may be ahead.
        assert!((9.8..10.0).contains(&secs(begun)), "{}", secs(begun));
        // What nobody asked for is not saved up for longer.
        tokio::time::sleep(Duration::from_secs(60)).await;
        let again = Instant::now();
        bucket.pass(1 << 20).await;
        bucket.pass(1 << 20).await;
        assert!((0.8..1.0).contains(&secs(again)), "{}", secs(again));
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_share_a_rate_take_turns() {
        let bucket = Arc::new(Bucket::new(1 << 20));
        let begun = Instant::now();
        let pass = |bytes: usize| {
            let bucket = Arc::clone(&bucket);
            tokio::spawn(async move {
                for _ in 0..bytes / bucket.grain() {
                    bucket.pass(bucket.grain()).await;
                }
                secs(begun)
            })
        };
        let (long, short) = (pass(10 << 20), pass(1 << 20));
        let (long, short) = (long.await.unwrap(), short.await.unwrap());
        assert!((1.7..2.1).contains(&short), "{short}");
        assert!((10.7..11.1).contains(&long), "{long}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_leaves_gives_its_bytes_back() {
        let bucket = Bucket::new(1 << 20);
        bucket.pass(1 << 20).await;
        let begun = Instant::now();
        for _ in 0..100 {
            let waiting = bucket.pass(10 << 20);
            assert!(tokio::time::timeout(Duration::ZERO, waiting).await.is_err());
        }
        bucket.pass(1).await;
        assert!(secs(begun) < 1.1, "{}", secs(begun));
    }

    #[tokio::test(start_paused = true)]
    async fn the_directions_and_the_connections_are_apart() {
        let mut limits = Limits {
            rate: Some(4 << 20),
            rate_each: Some(1 << 20),
            ..Limits::default()
        };
        let paces = Paces::new(&limits);
        let begun = Instant::now();
        let four = [0; 4].map(|_| {
            let pace = paces.of_one();
            tokio::spawn(async move {
                tokio::join!(pace.arriving.pass(2 << 20), pace.leaving.pass(2 << 20));
                tokio::join!(pace.arriving.pass(1), pace.leaving.pass(1));
                secs(begun)
            })
        });
        for one in four {
            let took = one.await.unwrap();
            assert!((1.8..2.1).contains(&took), "{took}");
        }
        limits.rate = None;
        limits.rate_each = None;
        assert!(Paces::new(&limits).of_one().arriving.is_open());
    }
}
