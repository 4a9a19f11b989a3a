//! What a reader takes from its logs, and how fast.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::seat::{Cursor, ReaderEnd, Seat};
use super::state::{Shelf, State};

/// How many bytes a reader takes at once, or one message if that is longer.
const AT_ONCE: usize = 64 << 10;
/// How many parts it takes at once.
const PARTS: usize = 64;
/// Into how many ticks `patience` is divided.
pub(super) const TICKS: u32 = 4;

/// Bytes to be written: a run of messages, or one.
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) mark: u8,
}

/// The result of [`State::take`].
pub(super) enum Took {
    /// Some messages, and whether there are more.
    Parts { more: bool },
    /// No message: this many were missed, at this place.
    Missed(u64),
    /// There is none, and the reader is woken when there is.
    Nothing,
    /// There will be none.
    End,
    /// The reader has ended.
    Over,
}

impl State {
    /// Moves the next messages of a reader into `parts`; one by one if `apart`.
    pub(super) fn take(&mut self, key: usize, apart: bool, parts: &mut VecDeque<Part>) -> Took {
        if self.seats[key].over {
            return Took::Over;
        }
        match self.missed(key) {
            0 => {}
            missed => return Took::Missed(missed),
        }
        let mut room = AT_ONCE;
        let left = loop {
            let Some(next) = self.next(key) else {
                break false;
            };
            if room == 0 || parts.len() >= PARTS {
                break true;
            }
            room = room.saturating_sub(self.take_run(key, next, apart, room, parts));
        };
        if !left && !self.seats[key].is_ending() {
            self.wait(key);
        }
        match () {
            () if !parts.is_empty() => Took::Parts {
                more: left || self.seats[key].is_ending(),
            },
            () if self.seats[key].is_ending() => Took::End,
            () => Took::Nothing,
        }
    }

    /// How many messages are gone that this reader has not taken. It goes on behind them.
    fn missed(&mut self, key: usize) -> u64 {
        let State { seats, logs, .. } = self;
        let seat = &mut seats[key];
        let paces = seat.is_pacing();
        let mut all = 0;
        for cursor in &mut seat.cursors {
            let log = &mut logs[cursor.log].log;
            if cursor.at < log.first() {
                all += cursor.missed(log);
                let first = log.first();
                log.step(cursor.at, first, paces, &self.limits, &mut self.news);
                cursor.at = first;
            }
        }
        all
    }

    /// The next run of messages: the cursor, and the number before which it has to end.
    fn next(&mut self, key: usize) -> Option<(usize, u64)> {
        let State { seats, logs, .. } = self;
        let seat = &mut seats[key];
        let paces = seat.is_pacing();
        let (mut best, mut before) = (None, u64::MAX);
        for (index, cursor) in seat.cursors.iter_mut().enumerate() {
            let log = &mut logs[cursor.log].log;
            while cursor.echo() == cursor.at {
                cursor.pass_echo();
                log.step(
                    cursor.at,
                    cursor.at + 1,
                    paces,
                    &self.limits,
                    &mut self.news,
                );
                cursor.at += 1;
            }
            let Some(number) = log.number(cursor.at).filter(|number| *number <= seat.until) else {
                continue;
            };
            match best {
                Some((_, least)) if number > least => before = before.min(number),
                _ => {
                    before = best.map_or(before, |(_, least)| before.min(least));
                    best = Some((index, number));
                }
            }
        }
        best.map(|(index, _)| (index, before.min(seat.until.saturating_add(1))))
    }

    /// Takes a run, or one message of it. Gives its length in bytes.
    fn take_run(
        &mut self,
        key: usize,
        (index, before): (usize, u64),
        apart: bool,
        room: usize,
        parts: &mut VecDeque<Part>,
    ) -> usize {
        let State { seats, logs, .. } = self;
        let seat = &mut seats[key];
        let paces = seat.is_pacing();
        let cursor = &mut seat.cursors[index];
        let log = &mut logs[cursor.log].log;
        let (from, mut taken) = (cursor.at, 0);
        let to = if apart {
            let (bytes, mark) = log.message(from);
            taken = bytes.len();
            parts.push_back(Part { bytes, mark });
            from + 1
        } else {
            let to = log.run(from, before, room).min(cursor.echo());
            log.bytes_of(from..to, |bytes| {
                taken += bytes.len();
                parts.push_back(Part { bytes, mark: 0 });
            });
            to
        };
        log.step(from, to, paces, &self.limits, &mut self.news);
        cursor.at = to;
        taken
    }

    /// The reader has taken everything: the next message wakes it.
    fn wait(&mut self, key: usize) {
        self.pace(key, false);
        let State { seats, logs, .. } = self;
        for cursor in &mut seats[key].cursors {
            logs[cursor.log].log.wait(key, &mut cursor.listed);
        }
    }

    /// Lets receipts wait for a reader that paces, or not while it is stalled.
    fn pace(&mut self, key: usize, stalled: bool) {
        let State { seats, logs, .. } = self;
        let seat = &mut seats[key];
        if !seat.paces || seat.stalled == stalled {
            return;
        }
        seat.stalled = stalled;
        for cursor in &seat.cursors {
            let log = &mut logs[cursor.log].log;
            log.repace(cursor.at, !stalled, &self.limits, &mut self.news);
        }
    }

    /// Looks which readers take too little: called [`TICKS`] times within `patience`, as long as
    /// it says so.
    pub(super) fn judge(&mut self) -> bool {
        self.tick += 1;
        let State { seats, logs, .. } = self;
        let mut slow = Vec::new();
        for (key, seat) in seats.iter_mut().filter(|(_, seat)| seat.is_pacing()) {
            let taken = seat.door.taken.load(Ordering::Relaxed);
            let due = seat.since + u64::from(TICKS) < self.tick;
            if is_behind(seat, logs) && !due {
                continue;
            }
            if due && is_behind(seat, logs) && taken.wrapping_sub(seat.taken) < self.limits.least {
                slow.push(key);
            }
            (seat.since, seat.taken) = (self.tick, taken);
        }
        slow.into_iter().for_each(|key| self.pace(key, true));
        self.ticking = self
            .logs
            .iter()
            .any(|(_, shelf)| shelf.log.holds_receipts());
        self.ticking
    }

    /// Ends the readers that are late and are to be cut then.
    pub(super) fn cut_late(&mut self) {
        if !std::mem::take(&mut self.news.overrun) || self.cutting == 0 {
            return;
        }
        let State { seats, logs, .. } = self;
        let is_late = |cursor: &Cursor| cursor.at < logs[cursor.log].log.first();
        let to_cut = seats.iter().filter(|(_, seat)| seat.cut_when_late);
        let late = to_cut.filter(|(_, seat)| seat.cursors.iter().any(is_late));
        let late: Vec<_> = late.map(|(key, _)| key).collect();
        late.into_iter()
            .for_each(|key| self.end(key, ReaderEnd::Late));
    }
}

fn is_behind(seat: &Seat, logs: &slab::Slab<Shelf>) -> bool {
    let mut cursors = seat.cursors.iter();
    cursors.any(|cursor| cursor.at < logs[cursor.log].log.end())
}
