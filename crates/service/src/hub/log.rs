//! The messages of one topic in one format, which all its readers share.
//!
//! A message is encoded once, behind the others. A reader is a position in the log, so a message
//! costs the same for one reader and for a thousand, and a reader that takes nothing costs nothing.
//! Each entry counts the readers that stand at it. The front of the log is dropped when no reader
//! stands there, or when the log is too long. A reader whose position is gone has missed messages,
//! and goes on at the front.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use socketry_codec::{BoxCodec, Codec, CodecError};

use super::limits::HubLimits;
use super::publication::Receipt;

/// A tail of so many bytes becomes a segment, so that it is not moved as it grows.
const SEGMENT: usize = 64 << 10;

/// An empty log keeps room for so many messages.
const RESTING: usize = 16;

/// The readers at one position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Here {
    /// Readers for which receipts wait.
    pacing: usize,
    others: usize,
}

impl Here {
    fn of(&mut self, paces: bool) -> &mut usize {
        match paces {
            true => &mut self.pacing,
            false => &mut self.others,
        }
    }

    fn is_nobody(self) -> bool {
        self.pacing + self.others == 0
    }
}

/// One message.
struct Entry {
    /// Its number among all messages of the hub.
    number: u64,
    /// The position of its end among all bytes that were ever put into this log.
    end: u64,
    here: Here,
    mark: u8,
    /// Whether a receipt waits for its readers.
    held: bool,
}

struct Segment {
    bytes: Bytes,
    end: u64,
}

/// See the [module](self). Positions count all messages that were ever put in.
pub(super) struct Log {
    entries: VecDeque<Entry>,
    /// The position of the first entry.
    first: u64,
    segments: VecDeque<Segment>,
    /// The bytes behind the segments, and the position of the first of them.
    tail: BytesMut,
    sealed: u64,
    /// The position of the first byte that is kept, and of the end.
    bytes: Range<u64>,
    /// The readers that have taken everything.
    at_end: Here,
    receipts: VecDeque<(u64, Receipt)>,
    /// The position up to which receipts are given back.
    released: u64,
    /// Readers that wait for the next message.
    idle: Vec<usize>,
    /// Counts how often `idle` was emptied.
    round: u64,
    readers: usize,
}

/// What a log tells its hub.
#[derive(Default)]
pub(super) struct News {
    /// Readers that have something to take.
    pub(super) woken: Vec<usize>,
    /// Receipts to be dropped, once no lock is held.
    pub(super) released: Vec<Receipt>,
    /// A reader has fallen behind.
    pub(super) overrun: bool,
    /// The pump has other work.
    pub(super) rouse: bool,
}

impl Log {
    pub(super) fn new() -> Self {
        Log {
            entries: VecDeque::new(),
            first: 0,
            segments: VecDeque::new(),
            tail: BytesMut::new(),
            sealed: 0,
            bytes: 0..0,
            at_end: Here::default(),
            receipts: VecDeque::new(),
            released: 0,
            idle: Vec::new(),
            round: 0,
            readers: 0,
        }
    }

    pub(super) fn readers(&self) -> usize {
        self.readers
    }

    /// The position behind the last message.
    pub(super) fn end(&self) -> u64 {
        self.first + self.entries.len() as u64
    }

    /// The position of the oldest message that is kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Encodes a message behind the others, which is not in the log before [`put`](Log::put).
    ///
    /// If the codec panics, its bytes are removed by the next call.
    pub(super) fn encode(&mut self, codec: &mut BoxCodec, frame: &[u8]) -> Result<(), CodecError> {
        self.take_back();
        codec.encode(frame, &mut self.tail)
    }

    /// Removes bytes that were encoded and not put.
    pub(super) fn take_back(&mut self) {
        self.tail.truncate(index_of(self.bytes.end - self.sealed));
    }

    /// Puts the bytes that were encoded in, as the message of this number.
    pub(super) fn put(
        &mut self,
        number: u64,
        mark: u8,
        receipt: Option<&Receipt>,
        limits: &HubLimits,
        news: &mut News,
    ) {
        self.bytes.end = self.sealed + self.tail.len() as u64;
        let here = std::mem::take(&mut self.at_end);
        if let Some(receipt) = receipt {
            self.receipts.push_back((self.end(), Arc::clone(receipt)));
        }
        self.entries.push_back(Entry {
            number,
            end: self.bytes.end,
            here,
            mark,
            held: receipt.is_some(),
        });
        if self.tail.len() >= SEGMENT {
            self.seal();
        }
        self.wake(news);
        self.trim(limits, news);
    }

    /// The tail becomes a segment that readers share.
    fn seal(&mut self) {
        if self.tail.is_empty() {
            return;
        }
        let bytes = std::mem::take(&mut self.tail).freeze();
        self.sealed = self.bytes.end;
        self.segments.push_back(Segment {
            bytes,
            end: self.sealed,
        });
    }

    /// A new reader stands at the end. Gives its position.
    pub(super) fn enter(&mut self, paces: bool) -> u64 {
        self.readers += 1;
        *self.at_end.of(paces) += 1;
        self.end()
    }

    /// A reader leaves from this position.
    pub(super) fn leave(&mut self, at: u64, paces: bool, limits: &HubLimits, news: &mut News) {
        self.readers -= 1;
        self.count(at, paces, false);
        self.trim(limits, news);
        // Readers that have left are still among those that wait.
        if self.idle.len() > 2 * self.readers + 16 {
            self.wake(news);
        }
    }

    fn wake(&mut self, news: &mut News) {
        if !self.idle.is_empty() {
            self.round += 1;
            news.woken.append(&mut self.idle);
        }
    }

    /// A reader moves on from one position to another.
    pub(super) fn step(
        &mut self,
        from: u64,
        to: u64,
        paces: bool,
        limits: &HubLimits,
        news: &mut News,
    ) {
        self.count(from, paces, false);
        self.count(to, paces, true);
        self.trim(limits, news);
    }

    /// A reader paces from now on, or no longer.
    pub(super) fn repace(&mut self, at: u64, paces: bool, limits: &HubLimits, news: &mut News) {
        self.count(at, !paces, false);
        self.count(at, paces, true);
        self.trim(limits, news);
    }

    /// A reader whose position is gone stands at the front.
    fn count(&mut self, at: u64, paces: bool, comes: bool) {
        let index = index_of(at.saturating_sub(self.first));
        let here = match self.entries.get_mut(index) {
            Some(entry) => &mut entry.here,
            None => &mut self.at_end,
        };
        let count = here.of(paces);
        *count = match comes {
            true => *count + 1,
            false => count.saturating_sub(1),
        };
    }

    /// Gives receipts back, and drops what nobody needs or has no room.
    fn trim(&mut self, limits: &HubLimits, news: &mut News) {
        while self.released < self.end() {
            let index = index_of(self.released.saturating_sub(self.first));
            let entry = &mut self.entries[index];
            if entry.here.pacing > 0 {
                break;
            }
            entry.held = false;
            self.released += 1;
        }
        while let Some((at, _)) = self.receipts.front()
            && *at < self.released
        {
            news.released
                .extend(self.receipts.pop_front().map(|(_, receipt)| receipt));
        }
        while let Some(front) = self.entries.front() {
            let nobody = front.here.is_nobody();
            if !nobody && (front.held || self.cost() <= limits.queue_bytes) {
                break;
            }
            news.overrun |= !nobody;
            self.drop_front();
        }
    }

    fn cost(&self) -> usize {
        let bytes = index_of(self.bytes.end - self.bytes.start);
        bytes + self.entries.len() * HubLimits::OVERHEAD
    }

    fn drop_front(&mut self) {
        let Some(front) = self.entries.pop_front() else {
            return;
        };
        let next = match self.entries.front_mut() {
            Some(next) => &mut next.here,
            None => &mut self.at_end,
        };
        next.pacing += front.here.pacing;
        next.others += front.here.others;
        self.first += 1;
        self.released = self.released.max(self.first);
        self.bytes.start = front.end;
        while self
            .segments
            .front()
            .is_some_and(|segment| segment.end <= front.end)
        {
            self.segments.pop_front();
        }
        if self.entries.is_empty() {
            // Idle topics are many, so none of them keeps much memory.
            (self.tail, self.sealed) = (BytesMut::new(), self.bytes.end);
            if self.entries.capacity() > RESTING {
                self.entries = VecDeque::new();
            }
        }
    }

    /// The number of the message at this position.
    pub(super) fn number(&self, at: u64) -> Option<u64> {
        self.entry(at).map(|entry| entry.number)
    }

    fn entry(&self, at: u64) -> Option<&Entry> {
        self.entries.get(index_of(at.checked_sub(self.first)?))
    }

    /// The end of a run of messages from `at` on: of numbers below `before`, and of about `most`
    /// bytes, but at least one.
    pub(super) fn run(&self, at: u64, before: u64, most: usize) -> u64 {
        let skipped = index_of(at - self.first);
        let end = self.start_of(at).saturating_add(most as u64);
        let behind = self.entries.range(skipped..);
        let (mut low, mut high) = (0, behind.len());
        // Both numbers and ends grow, so half of the rest is known at each step.
        while low < high {
            let middle = usize::midpoint(low, high);
            let entry = &self.entries[skipped + middle];
            match entry.number < before && (entry.end <= end || middle == 0) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        at + low as u64
    }

    /// The position of a message's first byte.
    fn start_of(&self, at: u64) -> u64 {
        match at.checked_sub(1).and_then(|before| self.entry(before)) {
            Some(before) => before.end,
            None => self.bytes.start,
        }
    }

    /// The bytes of a run, without a copy.
    pub(super) fn bytes_of(&mut self, run: Range<u64>, mut each: impl FnMut(Bytes)) {
        let range = self.start_of(run.start)..self.start_of(run.end);
        if range.end > self.sealed {
            self.seal();
        }
        let from = self
            .segments
            .partition_point(|segment| segment.end <= range.start);
        for segment in self.segments.range(from..) {
            let start = segment.end - segment.bytes.len() as u64;
            if start >= range.end {
                break;
            }
            let (from, to) = (range.start.max(start), range.end.min(segment.end));
            each(
                segment
                    .bytes
                    .slice(index_of(from - start)..index_of(to - start)),
            );
        }
    }

    /// The bytes of one message, and its mark.
    pub(super) fn message(&mut self, at: u64) -> (Bytes, u8) {
        let mut bytes = Bytes::new();
        self.bytes_of(at..at + 1, |part| bytes = part);
        (bytes, self.entry(at).map_or(0, |entry| entry.mark))
    }

    /// Notes that this reader waits for the next message. `listed` is its mark of the last time.
    pub(super) fn wait(&mut self, reader: usize, listed: &mut u64) {
        if *listed != self.round + 1 {
            *listed = self.round + 1;
            self.idle.push(reader);
        }
    }

    /// Whether a receipt waits for a reader.
    pub(super) fn holds_receipts(&self) -> bool {
        !self.receipts.is_empty()
    }
}

/// Positions count what is in memory, and so fit.
#[expect(clippy::cast_possible_truncation, reason = "what is in memory")]
fn index_of(position: u64) -> usize {
    position as usize
}
