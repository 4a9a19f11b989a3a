//! How far transfers are, how fast, and since when nothing moves.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::Report;
use super::events::Event;

/// After this long without bytes a transfer has stalled.
const STALLED: Duration = Duration::from_secs(2);
/// The rate is that of so long a time.
const WINDOW: Duration = Duration::from_secs(5);
/// How often a number is remembered for that.
const STEP: Duration = Duration::from_millis(200);

/// How bytes move.
struct Motion {
    done: u64,
    moved: Instant,
    past: VecDeque<(Instant, u64)>,
}

impl Motion {
    fn new(done: u64, now: Instant) -> Self {
        Motion {
            done,
            moved: now,
            past: VecDeque::from([(now, done)]),
        }
    }

    fn at(&mut self, done: u64, now: Instant) {
        if done == self.done {
            return;
        }
        (self.done, self.moved) = (done, now);
        let is_due = |(at, _): &(Instant, u64)| now.duration_since(*at) >= STEP;
        if self.past.back().is_none_or(is_due) {
            self.past.push_back((now, done));
        }
        // The last number before the window stays: the window begins there.
        while self
            .past
            .get(1)
            .is_some_and(|(at, _)| now.duration_since(*at) >= WINDOW)
        {
            self.past.pop_front();
        }
    }

    /// Bytes a second, once there is some time to speak of.
    fn rate(&self, now: Instant) -> Option<u64> {
        let (at, done) = *self.past.front()?;
        let millis = now.duration_since(at).as_millis();
        if millis < STEP.as_millis() {
            return None;
        }
        let bytes = u128::from(self.done.saturating_sub(done));
        u64::try_from(bytes * 1000 / millis).ok()
    }

    fn quiet(&self, now: Instant) -> Option<Duration> {
        let quiet = now.duration_since(self.moved);
        (quiet >= STALLED).then_some(quiet)
    }

    fn eta(&self, size: u64, now: Instant) -> Option<Duration> {
        let rate = self.rate(now).filter(|rate| *rate > 0)?;
        let left = size.saturating_sub(self.done);
        (self.quiet(now).is_none() && left > 0).then(|| Duration::from_secs(left.div_ceil(rate)))
    }
}

/// One transfer.
pub(super) struct State {
    pub(super) name: String,
    pub(super) size: Option<u64>,
    /// How many of its bytes came with an earlier transfer.
    pub(super) resumed: u64,
    motion: Motion,
}

impl State {
    pub(super) fn new(name: &str, now: Instant) -> Self {
        State {
            name: name.to_owned(),
            size: None,
            resumed: 0,
            motion: Motion::new(0, now),
        }
    }

    /// These bytes are there, and did not move now.
    pub(super) fn resumed(&mut self, bytes: u64, now: Instant) {
        self.resumed = bytes;
        self.motion = Motion::new(bytes, now);
    }

    pub(super) fn at(&mut self, done: u64, size: Option<u64>, now: Instant) {
        self.size = size.or(self.size);
        self.motion.at(done, now);
    }

    pub(super) fn done(&self) -> u64 {
        self.motion.done
    }

    /// Bytes a second that move now.
    pub(super) fn rate(&self, now: Instant) -> Option<u64> {
        self.motion.rate(now)
    }

    /// How long the rest takes at this rate.
    pub(super) fn eta(&self, now: Instant) -> Option<Duration> {
        self.motion.eta(self.size?, now)
    }

    /// How long nothing has moved, if that is worth to be told.
    pub(super) fn stalled(&self, now: Instant) -> Option<Duration> {
        self.motion.quiet(now)
    }

    /// Whether all its bytes are there.
    pub(super) fn is_full(&self) -> bool {
        self.size == Some(self.done())
    }
}

/// All transfers of a command together.
pub(super) struct Total {
    pub(super) files: usize,
    pub(super) ended: usize,
    failed: usize,
    /// How many bytes there are in all, if that is known.
    pub(super) size: Option<u64>,
    /// Of the transfers that are whole.
    bytes: u64,
    resumed: u64,
    begun: Instant,
    motion: Motion,
}

impl Total {
    pub(super) fn new(files: usize, size: Option<u64>, now: Instant) -> Self {
        Total {
            files,
            ended: 0,
            failed: 0,
            size,
            bytes: 0,
            resumed: 0,
            begun: now,
            motion: Motion::new(0, now),
        }
    }

    /// One transfer is whole, and has so many bytes.
    pub(super) fn done(&mut self, state: &State, bytes: u64) {
        self.ended += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.resumed += state.resumed;
    }

    /// A tree counts as all its files.
    pub(super) fn tree(&mut self, state: &State, report: &Report) {
        self.done(state, report.bytes);
        let files = usize::try_from(report.files).unwrap_or(usize::MAX);
        self.ended = (self.ended - 1).saturating_add(files + report.failures.len());
        self.failed += report.failures.len();
    }

    pub(super) fn failed(&mut self) {
        self.ended += 1;
        self.failed += 1;
    }

    /// What has moved, with the transfers that are under way.
    pub(super) fn moving<'a>(&mut self, under_way: impl Iterator<Item = &'a State>, now: Instant) {
        let moved: u64 = under_way.map(|state| state.done() - state.resumed).sum();
        let before = self.bytes.saturating_sub(self.resumed);
        self.motion.at(before.saturating_add(moved), now);
    }

    /// How many bytes are there, of transfers that are whole or under way.
    pub(super) fn there<'a>(&self, under_way: impl Iterator<Item = &'a State>) -> u64 {
        under_way
            .map(State::done)
            .fold(self.bytes, u64::saturating_add)
    }

    pub(super) fn rate(&self, now: Instant) -> Option<u64> {
        self.motion.rate(now)
    }

    /// How long the rest takes at this rate, if `there` is there.
    pub(super) fn eta(&self, there: u64, now: Instant) -> Option<Duration> {
        let left = self.size?.saturating_sub(there);
        self.motion.eta(self.motion.done.saturating_add(left), now)
    }

    pub(super) fn event(&self, now: Instant) -> Event<'static> {
        Event::End {
            files: self.ended - self.failed,
            failed: self.failed,
            size: self.bytes,
            resumed: self.resumed,
            seconds: now.duration_since(self.begun).as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn the_rate_is_that_of_the_last_seconds() {
        let start = Instant::now();
        let mut state = State::new("a", start);
        assert_eq!(state.rate(start), None);
        for tenth in 0..100 {
            state.at(tenth * MIB, Some(1000 * MIB), after(start, tenth * 100));
        }
        let now = after(start, 9_900);
        assert_eq!(state.rate(now), Some(10 * MIB));
        assert_eq!(state.eta(now).unwrap().as_secs(), 91);
        // A tenth of that from now on: soon nothing else counts.
        for second in 0..6 {
            state.at((99 + second) * MIB, None, after(now, second * 1000));
        }
        let rate = state.rate(after(now, 5000)).unwrap();
        assert!(rate <= MIB * 6 / 5, "{rate}");
        assert!(state.motion.past.len() < 30, "{}", state.motion.past.len());
    }

    #[test]
    fn what_was_there_before_does_not_make_it_faster() {
        let start = Instant::now();
        let mut state = State::new("a", start);
        state.resumed(900 * MIB, start);
        let now = after(start, 1000);
        state.at(901 * MIB, Some(1000 * MIB), now);
        assert_eq!((state.rate(now), state.done()), (Some(MIB), 901 * MIB));
        assert_eq!(state.eta(now).unwrap().as_secs(), 99);
        let mut total = Total::new(2, Some(2000 * MIB), start);
        total.moving([&state].into_iter(), now);
        assert_eq!(total.rate(now), Some(MIB));
        let there = total.there([&state].into_iter());
        assert_eq!(there, 901 * MIB);
        assert_eq!(total.eta(there, now).unwrap().as_secs(), 1099);
        total.done(&state, 1000 * MIB);
        assert_eq!(total.there([].into_iter()), 1000 * MIB);
    }

    #[test]
    fn a_transfer_without_bytes_has_stalled() {
        let start = Instant::now();
        let mut state = State::new("a", start);
        state.at(10 * MIB, Some(20 * MIB), after(start, 1000));
        assert_eq!(state.stalled(after(start, 2999)), None);
        assert!(state.eta(after(start, 2999)).is_some());
        let quiet = state.stalled(after(start, 13_000)).unwrap();
        assert_eq!(quiet.as_secs(), 12);
        assert_eq!(state.eta(after(start, 13_000)), None);
        // The same number again moves nothing.
        state.at(10 * MIB, Some(20 * MIB), after(start, 14_000));
        assert!(state.stalled(after(start, 14_000)).is_some());
        state.at(11 * MIB, Some(20 * MIB), after(start, 15_000));
        assert_eq!(state.stalled(after(start, 15_000)), None);
    }
}
